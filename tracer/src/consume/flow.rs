//! Indentation by entry and return (flowindent), as DTrace has it: by CPU, and by the probes' names.

use std::collections::HashMap;

use crate::output::value::{Flow, FlowKind};

/// How far each CPU's records are indented.
#[derive(Default)]
pub(super) struct Flows {
    cpus: HashMap<u32, State>,
}

#[derive(Default)]
struct State {
    indent: usize,
    last: Option<Record>,
}

/// Which clause recorded something, at which probe.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) epid: u32,
    pub(super) probe: u32,
}

/// Characters that an entry indents by.
const STEP: usize = 2;

impl Flows {
    /// Where a record stands: `next` is what the same CPU records next, as far as that is known. Several clauses of one
    /// probe are one entry, at the first of them, and one return, at the last.
    pub(super) fn step(
        &mut self,
        cpu: u32,
        record: Record,
        next: Option<Record>,
        provider: &str,
        name: &str,
    ) -> Flow {
        let state = self.cpus.entry(cpu).or_default();
        let named = |word| name.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with('-'));
        let other =
            |one: Option<Record>| one.is_some_and(|one| one.probe == record.probe && one.epid != record.epid);
        let syscall = provider == "syscall";
        let kind = if named("entry") && !other(state.last) {
            FlowKind::Entry { syscall }
        } else if named("return") && !other(next) {
            FlowKind::Return { syscall }
        } else {
            FlowKind::Inside
        };
        if let FlowKind::Return { .. } = kind {
            state.indent = state.indent.saturating_sub(STEP);
        }
        let flow = Flow { kind, indent: state.indent };
        if let FlowKind::Entry { .. } = kind {
            state.indent += STEP;
        }
        state.last = Some(record);
        flow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_and_returns_of_several_clauses_are_one_each() {
        let mut flows = Flows::default();
        let record = |epid, probe| Record { epid, probe };
        let mut step = |epid, probe, next, name| flows.step(0, record(epid, probe), next, "fbt", name);
        let flow = |kind, indent| Flow { kind, indent };
        let (entry, back) = (FlowKind::Entry { syscall: false }, FlowKind::Return { syscall: false });
        assert_eq!(step(1, 7, None, "entry"), flow(entry, 0));
        assert_eq!(step(2, 7, None, "entry"), flow(FlowKind::Inside, 2));
        // The function calls itself.
        assert_eq!(step(1, 7, None, "entry"), flow(FlowKind::Inside, 2));
        assert_eq!(step(5, 3, None, "carpentry"), flow(FlowKind::Inside, 2));
        assert_eq!(step(6, 4, None, "method-entry"), flow(entry, 2));
        assert_eq!(step(3, 8, Some(record(4, 8)), "return"), flow(FlowKind::Inside, 4));
        assert_eq!(step(4, 8, None, "return"), flow(back, 2));
        assert_eq!(step(4, 8, None, "return"), flow(back, 0));
        assert_eq!(step(4, 8, None, "return"), flow(back, 0));
        let other_cpu = flows.step(1, record(1, 7), None, "syscall", "entry");
        assert_eq!(other_cpu, flow(FlowKind::Entry { syscall: true }, 0));
    }
}
