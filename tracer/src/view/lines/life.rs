//! Processes as lines.

use super::{Spans, name};
use crate::event::{End, Life};

pub(super) fn say(life: &Life) -> Spans {
    match life {
        Life::Create { child } => Spans::verb("forks").then(format!(" -> {}", name(child))),
        Life::LwpCreate { thread } => Spans::verb("starts").then(format!(" thread {thread}")),
        Life::ExecSuccess { path, arguments } => {
            Spans::verb("runs").then(format!(" {path}")).aside(format!("  {arguments}"))
        }
        Life::ExecFailure { path, error } => {
            Spans::verb("cannot run").then(format!(" {path}: ")).trouble(error.to_string())
        }
        Life::Exit { end, .. } => match end {
            End::Exited { status: 0 } => Spans::verb("ends").then(", status 0"),
            End::Exited { status } => Spans::verb("ends").trouble(format!(", status {status}")),
            End::Killed { signal } => Spans::verb("ends").trouble(format!(", by {signal}")),
            End::Dumped { signal } => Spans::verb("ends").trouble(format!(", by {signal}, core dumped")),
        },
    }
}
