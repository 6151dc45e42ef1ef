//! Names for addresses: the kernel's by its own list, a process's by its mappings and the files that are mapped.
//!
//! Nothing is read before the first address asks for it. What was seen of a process stays known when it has ended.

mod files;
mod maps;
mod processes;

use std::cell::{Cell, OnceCell};

use crate::check::typed::{Shows, Symbol};
use crate::kernel::mappings::Changes;
use crate::kernel::symbols::Symbols;
use crate::output::value::{Frame, Value};
use processes::Processes;

/// What finds names.
pub(super) struct Symbolizer {
    kernel: OnceCell<Symbols>,
    processes: Processes,
    /// Blanks before each frame of a stack.
    pub(super) indent: Cell<usize>,
}

impl Symbolizer {
    /// One that follows what processes map, where the kernel allows it, if their addresses will be asked for.
    pub(super) fn new(processes: bool, indent: usize) -> Symbolizer {
        let processes =
            if processes { Processes::follow(Changes::open().ok()) } else { Processes::default() };
        Symbolizer { kernel: OnceCell::new(), processes, indent: Cell::new(indent) }
    }

    /// Keeps up with what processes map.
    pub(super) fn catch_up(&self) {
        self.processes.catch_up();
    }

    /// A stack of the kernel, the innermost frame first.
    pub(super) fn kernel_stack(&self, addresses: &[u64]) -> Value {
        let frames = addresses.iter().map(|&address| self.kernel_frame(address)).collect();
        Value::Stack { pid: 0, frames, indent: self.indent.get() }
    }

    /// A stack of a process at a time, nanoseconds of the monotonic clock.
    pub(super) fn user_stack(&self, pid: u32, addresses: &[u64], time: u64) -> Value {
        let frame = |&address: &u64| self.processes.frame(pid, address, time);
        Value::Stack { pid, frames: addresses.iter().map(frame).collect(), indent: self.indent.get() }
    }

    /// An address as the symbol that it is shown by; addresses that are shown alike are equal.
    pub(super) fn symbol(&self, symbol: Symbol, pid: u32, address: u64, time: u64) -> Value {
        let mut frame = match symbol.user {
            true => self.processes.frame(pid, address, time),
            false => self.kernel_frame(address),
        };
        match symbol.shows {
            Shows::Function if frame.symbol.is_some() => {
                frame.address -= frame.offset;
                frame.offset = 0;
            }
            Shows::Module if frame.module.is_some() => {
                (frame.address, frame.symbol, frame.offset) = (0, None, 0);
            }
            _ => {}
        }
        Value::Symbol { pid, frame, shows: symbol.shows }
    }

    fn kernel_frame(&self, address: u64) -> Frame {
        let symbols = self.kernel.get_or_init(|| Symbols::read().unwrap_or_default());
        let found = symbols.find(address);
        Frame {
            address,
            symbol: found.map(|found| found.name.to_owned()),
            offset: found.map_or(0, |found| address - found.start),
            module: found.map(|found| found.module.to_owned()),
        }
    }
}
