//! The cpc provider: each so many events of a kind, where the last of them was counted.

use super::profile::sample;
use crate::firing::programs;

programs! {
    probe cpc in "perf_event", |program| program.fire(|record, wants| sample(record, wants, program.ctx));
}
