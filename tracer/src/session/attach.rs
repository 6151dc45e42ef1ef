//! Attaching: each program to the event that its probe hangs on. Links end with the descriptors that aya holds.

use aya::programs::perf_event::{PerfEventConfig, PerfEventScope, SamplePolicy, SoftwareEvent};
use aya::programs::{PerfEvent, RawTracePoint};
use aya::util::online_cpus;
use aya::{Ebpf, TestRun as _};
use probes_common::probe::Attach;

use super::error::SessionError;
use super::load::chain;
use crate::link::Linked;
use crate::provider::describe;

/// Attaches one program.
pub(super) fn attach(ebpf: &mut Ebpf, linked: &Linked) -> Result<(), SessionError> {
    let failed = |error: &dyn std::error::Error| SessionError::Attach {
        program: linked.symbol.clone(),
        to: describe(linked.attach),
        error: chain(error),
    };
    match linked.attach {
        Attach::RawTracepoint(event) => {
            raw_tracepoint(ebpf, &linked.symbol)?.attach(event).map_err(|error| failed(&error))?;
        }
        Attach::Profile | Attach::Tick => {
            let mut cpus = online_cpus().map_err(|(_, error)| failed(&error))?;
            if linked.attach == Attach::Tick {
                cpus.truncate(1);
            }
            let policy = SamplePolicy::Period(linked.rate.map_or(1_000_000_000, |rate| rate.nanoseconds));
            let clock = PerfEventConfig::Software(SoftwareEvent::CpuClock);
            let program: &mut PerfEvent = program(ebpf, &linked.symbol)?;
            for cpu in cpus {
                let scope = PerfEventScope::AllProcessesOneCpu { cpu };
                program.attach(clock, scope, policy, false).map_err(|error| failed(&error))?;
            }
        }
        Attach::TestRun | Attach::Called => {}
    }
    Ok(())
}

/// Runs BEGIN or END, in this process, on this CPU.
pub(super) fn run_once(ebpf: &mut Ebpf, symbol: &str) -> Result<(), SessionError> {
    let run = raw_tracepoint(ebpf, symbol)?.test_run(aya::programs::RawTracePointRunOptions::default());
    run.map(drop).map_err(|error| SessionError::Attach {
        program: symbol.to_owned(),
        to: describe(Attach::TestRun),
        error: chain(&error),
    })
}

fn raw_tracepoint<'a>(ebpf: &'a mut Ebpf, symbol: &str) -> Result<&'a mut RawTracePoint, SessionError> {
    program(ebpf, symbol)
}

fn program<'a, P>(ebpf: &'a mut Ebpf, symbol: &str) -> Result<&'a mut P, SessionError>
where
    &'a mut P: TryFrom<&'a mut aya::programs::Program>,
{
    let program = ebpf.program_mut(symbol).and_then(|program| program.try_into().ok());
    program.ok_or_else(|| SessionError::Load(format!("program {symbol} is missing or of another kind")))
}
