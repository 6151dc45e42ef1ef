//! The provider pid: entries and returns of functions of a process, and places in them by their offsets.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use probes_common::providers::pid::{ENTRY, ENTRY_ARGS, RETURN, RETURN_ARGS};

use super::process::Processes;
use super::{Found, PID, Place};
use crate::diagnostic::{Tag, nearest};
use crate::provider::unmatched::OfProcess;
use crate::provider::{Pattern, is_glob, matches};
use crate::user::instruction::places;
use crate::user::{Function, Image, Module, PROGRAM};

/// The function that stands for the program: places in it are addresses.
const WHOLE: &str = "-";

/// Bytes of an instruction at most.
const LONGEST: u64 = 15;

/// Functions whose returns have no probe, as globs. To probe a return the kernel puts an address of its own in the place of the one
/// that is returned to: these keep that address for later, have been come to by no call, or have more on the stack before it, as
/// what looks up a library's function when it is called first.
const NEVER_RETURN: &[&str] = &[
    "setjmp",
    "_setjmp",
    "sigsetjmp",
    "__sigsetjmp",
    "getcontext",
    "swapcontext",
    "__start_context",
    "__restore_rt",
    "_start",
    "_dl_start_user",
    "_dl_runtime_resolve*",
    "_dl_runtime_profile*",
];

/// The probes that a description describes.
pub(super) fn find(processes: &mut Processes, pid: u32, pattern: &Pattern) -> Result<Vec<Found>, OfProcess> {
    let whole = pattern.function == WHOLE;
    let module = match pattern.module.as_str() {
        "" | "*" if whole => PROGRAM,
        module => module,
    };
    let (process, modules) = processes.modules(pid, module)?;
    let mut search = Search {
        pid,
        process,
        name: &pattern.name,
        found: Vec::new(),
        made: HashMap::new(),
        bad_place: None,
    };
    let mut near: Vec<&str> = Vec::new();
    let mut any_function = false;
    for (module, image) in &modules {
        if whole {
            search.address(module, image)?;
            continue;
        }
        for function in &image.functions {
            match named(function, &pattern.function) {
                Some(name) => {
                    any_function = true;
                    search.function(module, image, function, name);
                }
                None => near.push(function.name()),
            }
        }
    }
    if !search.found.is_empty() {
        return Ok(search.found);
    }
    let name = &pattern.name;
    Err(match search.bad_place {
        None if !any_function => no_function(pattern, near),
        Some(why) => OfProcess::new(
            Tag::D_PROC_OFF,
            why,
            "`tracer -l` with an empty name lists the places in a function; offsets are hexadecimal",
        ),
        None if name == "return" => OfProcess::new(
            Tag::D_PROC_FUNC,
            format!(
                "the return of `{}` cannot be probed: it is come to by no call, or keeps where it returns to",
                pattern.function
            ),
            "probe its entry",
        ),
        None => OfProcess::new(
            Tag::D_PROC_NAME,
            format!("functions have no probe `{name}`"),
            "there are entry, return, and hexadecimal offsets from the function's beginning",
        ),
    })
}

/// The name by which a function is probed that a description means. Whichever of its names is written, it is the one by which it is
/// known; a glob takes the first that it matches. A glob does not mean what has no length, nor what compilers make of functions
/// (`f.cold`, `f.part.0`), but if it has a dot itself.
fn named<'a>(function: &'a Function, pattern: &str) -> Option<&'a str> {
    if !is_open(pattern) {
        return function.names.iter().any(|name| name == pattern).then(|| function.name());
    }
    let meant = |name: &&String| matches(pattern, name) && (pattern.contains('.') || !name.contains('.'));
    function.names.iter().find(meant).filter(|_| function.size > 0).map(String::as_str)
}

/// Whether a part of a description leaves open what it means.
fn is_open(part: &str) -> bool {
    part.is_empty() || is_glob(part)
}

/// As DTrace has it, a function that is not there is a mistake of its own where the module is said, and else no probe.
fn no_function(pattern: &Pattern, near: Vec<&str>) -> OfProcess {
    let function = &pattern.function;
    let place = match pattern.module.as_str() {
        "" => "in the program and its libraries".to_owned(),
        module => format!("in `{module}`"),
    };
    let tag =
        if is_open(&pattern.module) || is_open(function) { Tag::D_PDESC_ZERO } else { Tag::D_PROC_FUNC };
    if near.is_empty() {
        let help =
            "functions are found by symbols, and these have been stripped; install the debugging symbols";
        return OfProcess::new(tag, format!("there are no functions {place}"), help);
    }
    let help = match nearest(function, near).filter(|_| !is_glob(function)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`tracer -l -n 'pid$target:MODULE::entry' -p PID` lists the functions".to_owned(),
    };
    OfProcess::new(tag, format!("there is no function `{function}` {place}"), help)
}

/// What has been found so far.
struct Search<'a> {
    pid: u32,
    process: u32,
    /// The description's last part.
    name: &'a str,
    found: Vec<Found>,
    /// Which of them are of which module, function and name: two functions of a file may be called the same.
    made: HashMap<[String; 3], usize>,
    /// Why an offset is none.
    bad_place: Option<String>,
}

impl Search<'_> {
    /// The probes of a function, by that name.
    fn function(&mut self, module: &Module, image: &Image, function: &Function, called: &str) {
        let mut beginnings = image.beginnings(function);
        beginnings.retain(|&address| places(image.code(address, LONGEST)).next() == Some(0));
        if beginnings.is_empty() && matches!(self.name, "entry" | "return") {
            self.bad_place =
                Some(format!("`{called}` begins with an instruction that the kernel does not probe"));
        }
        if matches(self.name, "entry") {
            self.add(module, image, called, "entry", &beginnings);
        }
        let returns = function.address != image.entry
            && !function.names.iter().any(|name| NEVER_RETURN.iter().any(|glob| matches(glob, name)));
        if matches(self.name, "return") && returns {
            self.add(module, image, called, "return", &beginnings);
        }
        if function.chosen {
            self.bad_place.get_or_insert_with(|| {
                format!(
                    "the code of `{called}` is chosen when it is loaded: only its entry and return are known"
                )
            });
            return;
        }
        let code = image.code(function.address, function.size);
        if is_open(self.name) {
            for offset in places(code) {
                let name = format!("{offset:x}");
                if matches(self.name, &name) {
                    self.add(module, image, called, &name, &[function.address + offset]);
                }
            }
        } else if let Ok(offset) = u64::from_str_radix(self.name, 16) {
            if places(code).any(|at| at == offset) {
                self.add(module, image, called, &format!("{offset:x}"), &[function.address + offset]);
            } else {
                let size = function.size;
                self.bad_place = Some(match offset < size {
                    true => format!("at {offset:x} in `{called}` begins no instruction that can be probed"),
                    false => format!("`{called}` has no offset {offset:x}: it is {size:x} bytes long"),
                });
            }
        }
    }

    /// A place in the program by its address, which is a place in a function.
    fn address(&mut self, module: &Module, image: &Image) -> Result<(), OfProcess> {
        let help = "write pid$target:a.out:-:ADDRESS, with an address as `nm` shows it";
        if module.name != PROGRAM {
            let why = "only the program itself, a.out, has places by their addresses (`-`)";
            return Err(OfProcess::new(Tag::D_PROC_LIB, why.to_owned(), help));
        }
        let function = |&address: &u64| image.function_at(address).filter(|function| function.size > 0);
        let address = u64::from_str_radix(self.name, 16).ok();
        let Some((address, function)) = address.and_then(|address| Some((address, function(&address)?)))
        else {
            let why = match address {
                Some(_) => format!("at `{}` is no function of the program", self.name),
                None => format!("`{}` is no address", self.name),
            };
            return Err(OfProcess::new(Tag::D_PROC_NAME, why, help));
        };
        let code = image.code(function.address, function.size);
        if places(code).any(|at| function.address + at == address) {
            self.add(module, image, function.name(), self.name, &[address]);
        } else {
            self.bad_place = Some(format!("at {address:x} in `{}` begins no instruction", function.name()));
        }
        Ok(())
    }

    /// Adds a probe that is at these addresses; none where there are none.
    fn add(&mut self, module: &Module, image: &Image, function: &str, name: &str, addresses: &[u64]) {
        let place = |offset| Place {
            file: module.file.clone(),
            offset,
            semaphore: 0,
            process: self.process,
            pid: self.pid,
            spec: 0,
        };
        let places: Vec<Place> =
            addresses.iter().filter_map(|&address| image.place(address).map(place)).collect();
        if places.is_empty() {
            return;
        }
        match self.made.entry([module.file_name.as_str(), function, name].map(str::to_owned)) {
            Entry::Occupied(made) => return self.found[*made.get()].places.extend(places),
            Entry::Vacant(new) => new.insert(self.found.len()),
        };
        let (program, args, doc) = match name {
            "return" => (&RETURN, RETURN_ARGS, "Fires when the function has returned."),
            "entry" => (&ENTRY, ENTRY_ARGS, "Fires when the function is called."),
            _ => (
                &ENTRY,
                ENTRY_ARGS,
                "Fires before the instruction there; its arguments are the registers of a call.",
            ),
        };
        self.found.push(Found {
            provider: format!("{PID}{}", self.pid),
            module: module.file_name.clone(),
            function: function.to_owned(),
            name: name.to_owned(),
            program,
            args,
            doc,
            places,
        });
    }
}
