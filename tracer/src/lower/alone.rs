//! Which aggregations one program alone counts up, that never interrupts itself: it adds to its CPU's words by a load and a
//! store. Where several programs do, one may interrupt another between the two, and they add atomically, which takes longer.
//!
//! A raw tracepoint's program is such a one: the kernel leaves a run out on a CPU on which the program is running
//! (`__bpf_trace_run` in kernel/trace/bpf_trace.c, 6.1), and keeps a run on its CPU.

use probes_common::probe::Attach;

use crate::check::typed::{AggregationId, Program, Stmt};

/// For each aggregation whether one program alone counts it up. `units`: a clause's index, a program's number and what that
/// hangs on.
pub(super) fn alone(program: &Program, units: impl Iterator<Item = (usize, usize, Attach)>) -> Vec<bool> {
    let mut by: Vec<Option<usize>> = vec![None; program.aggregations.len()];
    let mut alone = vec![true; program.aggregations.len()];
    for (clause, host, attach) in units {
        let nests = !matches!(attach, Attach::RawTracepoint(_) | Attach::NamedTracepoint);
        counted(&program.clauses[clause].statements, &mut |id| {
            let first = *by[id].get_or_insert(host);
            alone[id] &= first == host && !nests;
        });
    }
    alone
}

/// Tells of each aggregation that statements count up.
fn counted(statements: &[Stmt], tell: &mut impl FnMut(AggregationId)) {
    for statement in statements {
        match statement {
            Stmt::Aggregate { aggregation, .. } => tell(*aggregation),
            Stmt::If { then, otherwise, .. } => {
                counted(then, tell);
                counted(otherwise, tell);
            }
            Stmt::Expr(_) | Stmt::Action(..) => {}
        }
    }
}
