//! Calls on sockets by process, kind and error.

use std::collections::BTreeMap;

use super::Sheet;
use crate::event::number::Errno;
use crate::event::{Detail, Process, SocketCall};
use crate::view::duration;
use crate::view::lines::name;

#[derive(Default)]
pub(super) struct Sockets(BTreeMap<(Process, String, Option<Errno>), Calls>);

#[derive(Default)]
struct Calls {
    count: u64,
    bytes: u64,
    total: u64,
    longest: u64,
}

impl Sockets {
    pub(super) fn add(&mut self, process: &Process, call: &SocketCall) {
        let key = (process.clone(), call.function.clone(), call.error);
        let calls = self.0.entry(key).or_default();
        calls.count += 1;
        calls.total += call.latency;
        calls.longest = calls.longest.max(call.latency);
        if matches!(call.detail, Detail::Data { .. }) {
            calls.bytes += u64::try_from(call.result).unwrap_or(0);
        }
    }

    pub(super) fn sheet(&self) -> Sheet {
        let row = |((process, function, error), calls): (&(Process, String, Option<Errno>), &Calls)| {
            vec![
                name(process),
                function.clone(),
                error.map_or_else(|| "-".to_owned(), |error| error.to_string()),
                calls.count.to_string(),
                calls.bytes.to_string(),
                duration(calls.total.checked_div(calls.count).unwrap_or(0)),
                duration(calls.longest),
            ]
        };
        Sheet {
            title: "Socket calls",
            words: &["PROCESS", "CALL", "ERROR"],
            numbers: &["CALLS", "BYTES", "MEAN TIME", "LONGEST"],
            rows: self.0.iter().map(row).collect(),
        }
    }
}
