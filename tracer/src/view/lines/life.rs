//! Processes as lines.

use super::{Child, Lines, Spans, name};
use crate::event::{End, Life, Wait};
use crate::view::duration;

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
        Life::Exit { end, .. } => how(Spans::verb("ends"), end),
    }
}

pub(super) fn say_wait(wait: &Wait, lines: &Lines, pid: u32) -> Spans {
    let spans = match lines.child(pid, wait.child) {
        Some(Child { end: Some(end), .. }) => {
            how(Spans::verb("reaps").then(format!(" {}", lines.process(wait.child))), end)
        }
        // Which has stopped, or goes on.
        Some(_) => Spans::verb("hears").then(format!(" of {}", lines.process(wait.child))),
        None => Spans::verb("hears").then(format!(" of its child {}", wait.child)),
    };
    spans.aside(format!("  waited {}", duration(wait.latency)))
}

fn how(spans: Spans, end: &End) -> Spans {
    match end {
        End::Exited { status: 0 } => spans.then(", status 0"),
        End::Exited { status } => spans.trouble(format!(", status {status}")),
        End::Killed { signal } => spans.trouble(format!(", by {signal}")),
        End::Dumped { signal } => spans.trouble(format!(", by {signal}, core dumped")),
    }
}
