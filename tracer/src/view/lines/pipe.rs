//! Pipes as lines.

use super::Spans;
use crate::event::{Pipe, PipeEvent, Transfer};
use crate::view::{duration, interrupted};

const EAGAIN: i32 = libc::EAGAIN;
const EPIPE: i32 = libc::EPIPE;

pub(super) fn say(event: &PipeEvent) -> Spans {
    let Pipe { inode, fd, fifo, fill, capacity } = event.pipe();
    let pipe = format!("{} {inode}", if *fifo { "fifo" } else { "pipe" });
    match event {
        PipeEvent::Create { reader, writer, flags, .. } => {
            let spans = Spans::verb("makes").then(format!(" {pipe}: reads at {reader}, writes at {writer}"));
            if flags.is_empty() { spans } else { spans.aside(format!("  {}", flags.names().join(" "))) }
        }
        PipeEvent::Write(transfer) => {
            let spans = Spans::verb("writes");
            let spans = match (transfer.bytes, transfer.error) {
                (Some(bytes), _) => spans
                    .then(format!(" {} -> {pipe}", share(bytes, transfer.asked)))
                    .aside(format!("  {fill} of {capacity} in it")),
                (None, Some(error)) => {
                    let why = match error.0 {
                        EPIPE => ", nobody reads it any more",
                        EAGAIN => ", it is full",
                        _ => interrupted(error),
                    };
                    spans.then(format!(" -> {pipe}: ")).trouble(format!("{error}{why}"))
                }
                (None, None) => spans,
            };
            waited(spans, transfer)
        }
        PipeEvent::Read(transfer) => {
            let spans = Spans::verb("reads");
            let spans = match (transfer.bytes, transfer.error) {
                (Some(0), _) if transfer.asked > 0 => {
                    spans.then(format!(" <- {pipe}: the end, nobody writes it any more"))
                }
                (Some(bytes), _) => {
                    spans.then(format!(" {bytes} <- {pipe}")).aside(format!("  {fill} of {capacity} in it"))
                }
                (None, Some(error)) => {
                    let why = if error.0 == EAGAIN { ", it is empty" } else { interrupted(error) };
                    spans.then(format!(" <- {pipe}: ")).trouble(format!("{error}{why}"))
                }
                (None, None) => spans,
            };
            waited(spans, transfer)
        }
        PipeEvent::BlockStart { full: true, .. } => {
            Spans::verb("waits").then(format!(" to write {pipe}, which is full"))
        }
        PipeEvent::BlockStart { full: false, .. } => {
            Spans::verb("waits").then(format!(" to read {pipe}, which is empty"))
        }
        PipeEvent::CloseEnd { writing, left, .. } => {
            let end = if *writing { "writing" } else { "reading" };
            let spans = Spans::verb("closes").then(format!(" the {end} end of {pipe} ({fd})"));
            match left {
                0 => spans.aside("  the last"),
                left => spans.aside(format!("  {left} left")),
            }
        }
    }
}

/// Bytes moved, of those asked for where it was less.
fn share(bytes: u64, asked: u64) -> String {
    if bytes < asked { format!("{bytes} of {asked}") } else { bytes.to_string() }
}

fn waited(spans: Spans, transfer: &Transfer) -> Spans {
    match transfer.blocked {
        0 => spans,
        blocked => spans.aside(format!("  waited {}", duration(blocked))),
    }
}
