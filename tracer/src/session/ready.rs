//! Brings the process of -c to where its program and its libraries are mapped and none of their own code has run, so that probes in
//! them can be found, and miss nothing; or further, to its main function.
//!
//! The dynamic linker calls an empty function of its own for debuggers, `_dl_debug_state`, when the list of what it has loaded
//! changes; `_r_debug` says whether it is whole (<link.h>). That is before the constructors of libraries. Where there is no such
//! function, or no dynamic linker, the program's first instruction is the place. Of main the C library is told: it is the first
//! argument of `__libc_start_main`, also where the program's own symbols have been removed.

use std::io;

use crate::kernel::ptrace::{Breakpoint, Stop, Tracee};
use crate::user::{self, Image, Module};

/// Keys of /proc/PID/auxv (getauxval(3)).
const AT_ENTRY: u64 = 9;

/// Where `r_state` is in `struct r_debug`, and its value when the list is whole.
const R_STATE: u64 = 24;
const RT_CONSISTENT: u32 = 0;

/// The dynamic linker's places, in memory.
struct Linker {
    /// `_dl_debug_state`.
    told: u64,
    /// `r_state` of `_r_debug`.
    state: u64,
}

/// Waits for the exec of a process that has just been seized; says whether it has happened.
pub(super) fn await_exec(tracee: Tracee) -> io::Result<bool> {
    loop {
        match tracee.wait()? {
            Stop::Exec => return Ok(true),
            Stop::Ended => return Ok(false),
            Stop::Signal(signal) => tracee.go_on(signal)?,
        }
    }
}

/// Brings a process from its exec to where its libraries are mapped.
pub(super) fn map_libraries(tracee: Tracee, process: u32) -> io::Result<()> {
    let entry = entry(process)?;
    let linker = linker(process);
    let places = [Some(entry), linker.as_ref().map(|linker| linker.told)];
    let whole = |linker: &Linker| tracee.read(linker.state).is_ok_and(|state| state as u32 == RT_CONSISTENT);
    let arrived = |at: u64| at == entry || linker.as_ref().is_some_and(whole);
    run(tracee, places.into_iter().flatten(), arrived)
}

/// Brings a process whose libraries are mapped to its main function. One that has no C library, and none that has become a
/// part of it and is still named there, stays where it is.
pub(super) fn reach_main(tracee: Tracee, process: u32) -> io::Result<()> {
    let Some(starts) = user::modules(process)?.iter().find_map(|module| placed(module, "__libc_start_main"))
    else {
        return Ok(());
    };
    run(tracee, [starts], |_| true)?;
    let main = tracee.first_argument()?;
    run(tracee, [main], |_| true)
}

/// Runs a process to one of these places, where it has arrived there.
fn run(
    tracee: Tracee,
    places: impl IntoIterator<Item = u64>,
    arrived: impl Fn(u64) -> bool,
) -> io::Result<()> {
    let places = places.into_iter();
    let mut breakpoints = places.map(|place| tracee.set(place)).collect::<io::Result<Vec<_>>>()?;
    let mut signal = 0;
    loop {
        tracee.go_on(signal)?;
        signal = match tracee.wait()? {
            Stop::Ended => return Err(io::Error::other("it ended before it could be traced")),
            Stop::Exec => 0,
            Stop::Signal(libc::SIGTRAP) => {
                let Some(at) = tracee.stopped_at(&breakpoints)? else { continue };
                if arrived(at.address) {
                    return breakpoints.into_iter().try_for_each(|breakpoint| tracee.clear(breakpoint));
                }
                pass(tracee, at, &mut breakpoints)?;
                0
            }
            Stop::Signal(signal) => signal,
        };
    }
}

/// Has it do the instruction at a breakpoint, which stays.
fn pass(tracee: Tracee, at: Breakpoint, breakpoints: &mut [Breakpoint]) -> io::Result<()> {
    tracee.clear(at)?;
    tracee.step()?;
    tracee.wait()?;
    for breakpoint in breakpoints.iter_mut().filter(|breakpoint| breakpoint.address == at.address) {
        *breakpoint = tracee.set(at.address)?;
    }
    Ok(())
}

/// The address of the program's first instruction.
fn entry(process: u32) -> io::Result<u64> {
    let vector = std::fs::read(format!("/proc/{process}/auxv"))?;
    let words: Vec<u64> = vector.as_chunks().0.iter().map(|bytes| u64::from_ne_bytes(*bytes)).collect();
    let entry = words.as_chunks().0.iter().find(|[key, _]| *key == AT_ENTRY).map(|[_, value]| *value);
    entry.ok_or_else(|| io::Error::other("the kernel does not tell where it begins"))
}

/// The places of the dynamic linker, which is all that is mapped beside the program after an exec.
fn linker(process: u32) -> Option<Linker> {
    let modules = user::modules(process).ok()?;
    let module = modules.get(1)?;
    let state = placed(module, "_r_debug")?.wrapping_add(R_STATE);
    Some(Linker { told: placed(module, "_dl_debug_state")?, state })
}

/// The address of a symbol of what is mapped.
fn placed(module: &Module, name: &str) -> Option<u64> {
    let image = Image::read(&module.file).ok()?;
    let (start, offset) = module.mapped;
    let moved = start.wrapping_sub(image.address(offset)?);
    Some(moved.wrapping_add(image.symbol(name)?))
}
