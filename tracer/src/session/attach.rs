//! Attaching: each program to the event that its probe hangs on. Links end with the descriptors that the session holds.

use std::ffi::CString;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use aya::util::online_cpus;
use probes_common::probe::Attach;

use super::error::SessionError;
use super::functions;
use super::load::{Loaded, chain};
use crate::kernel::addresses::Addresses;
use crate::kernel::counters::Mode;
use crate::kernel::sys;
use crate::link::Linked;
use crate::provider::{Counter, Instance, describe};

/// Attaches one program; to the clock of one CPU, where only that is traced.
pub(super) fn attach(
    loaded: &mut Loaded,
    linked: &Linked,
    cpu: Option<u64>,
    addresses: &Addresses,
) -> Result<(), SessionError> {
    if matches!(linked.attach, Attach::TestRun | Attach::Called) {
        return Ok(());
    }
    let failed = |error: io::Error| SessionError::Attach {
        program: linked.symbol.clone(),
        to: match linked.functions.as_slice() {
            [function] => format!("{} ({})", describe(linked.attach), function.name),
            _ => describe(linked.attach),
        },
        error: chain(&error),
    };
    let links = match (linked.attach, loaded.means) {
        (Attach::Function { returns }, Some(means)) => {
            let program = loaded.program(&linked.symbol)?;
            let attached = functions::attach(program, returns, &linked.functions, means, addresses);
            let attached = attached.map_err(failed)?;
            loaded.untraced.extend(attached.refused);
            attached.links
        }
        _ => open(loaded, linked, cpu)?.map_err(failed)?,
    };
    loaded.objects.hold(&linked.symbol, links);
    Ok(())
}

fn open(
    loaded: &Loaded,
    linked: &Linked,
    only: Option<u64>,
) -> Result<io::Result<Vec<OwnedFd>>, SessionError> {
    let program = loaded.program(&linked.symbol)?;
    Ok(match linked.attach {
        Attach::RawTracepoint(event) => CString::new(event)
            .map_err(io::Error::from)
            .and_then(|event| Ok(vec![sys::open_raw_tracepoint(&event, program)?])),
        Attach::Profile | Attach::Tick => online_cpus().map_err(|(_, error)| error).and_then(|cpus| {
            let count = if linked.attach == Attach::Tick { 1 } else { cpus.len() };
            let period = match linked.instance {
                Some(Instance::Rate(rate)) => rate.nanoseconds,
                _ => 1_000_000_000,
            };
            let cpus = cpus.into_iter().filter(|&cpu| only.is_none_or(|only| only == u64::from(cpu)));
            cpus.take(count).map(|cpu| sys::open_clock(cpu, period, program)).collect()
        }),
        Attach::Counter => match linked.instance {
            Some(Instance::Counter(counter)) => count(counter, only, program),
            _ => Ok(Vec::new()),
        },
        Attach::MajorFaults => count(Counter::major_faults(), only, program),
        // Those of processes are attached at their places: see `uprobes`.
        Attach::TestRun
        | Attach::Called
        | Attach::NamedTracepoint
        | Attach::Function { .. }
        | Attach::Uprobe
        | Attach::Uretprobe => Ok(Vec::new()),
    })
}

/// Counts an event on every CPU, or on the one that is traced.
fn count(counter: Counter, only: Option<u64>, program: BorrowedFd<'_>) -> io::Result<Vec<OwnedFd>> {
    let flags = match counter.mode {
        Mode::All => 0,
        Mode::User => sys::EXCLUDE_KERNEL,
        Mode::Kernel => sys::EXCLUDE_USER,
    };
    let event = [u64::from(counter.event.kind), counter.event.config];
    let cpus = online_cpus().map_err(|(_, error)| error)?;
    let cpus = cpus.into_iter().filter(|&cpu| only.is_none_or(|only| only == u64::from(cpu)));
    cpus.map(|cpu| sys::open_counter(cpu, event, flags, counter.count, program)).collect()
}

/// Runs BEGIN or END, in this process, on this CPU.
pub(super) fn run_once(loaded: &Loaded, symbol: &str) -> Result<(), SessionError> {
    sys::test_run(loaded.program(symbol)?).map(drop).map_err(|error| SessionError::Attach {
        program: symbol.to_owned(),
        to: describe(Attach::TestRun),
        error: chain(&error),
    })
}
