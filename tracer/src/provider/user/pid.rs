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
use crate::user::{Function, Image, Module};

/// The function that stands for a whole file: places in it are addresses.
const WHOLE: &str = "-";

/// Bytes of an instruction at most.
const LONGEST: u64 = 15;

/// Functions whose returns have no probe. To probe a return the kernel puts an address of its own in the place of the one that
/// is returned to: these keep that address for later, or have been come to by no call.
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
];

/// The probes that a description describes.
pub(super) fn find(processes: &mut Processes, pid: u32, pattern: &Pattern) -> Result<Vec<Found>, OfProcess> {
    let (process, modules) = processes.modules(pid, &pattern.module)?;
    let mut search = Search {
        pid,
        process,
        name: &pattern.name,
        found: Vec::new(),
        made: HashMap::new(),
        bad_place: None,
    };
    let mut near: Vec<&str> = Vec::new();
    let mut any_function = pattern.function == WHOLE;
    for (module, image) in &modules {
        if pattern.function == WHOLE {
            search.address(module, image);
            continue;
        }
        for function in &image.functions {
            let named = function.names.iter().find(|name| matches(&pattern.function, name));
            match named {
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
        _ if !any_function => no_function(pattern, near),
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

fn no_function(pattern: &Pattern, near: Vec<&str>) -> OfProcess {
    let function = &pattern.function;
    let place = match pattern.module.as_str() {
        "" => "in the program and its libraries".to_owned(),
        module => format!("in `{module}`"),
    };
    if near.is_empty() {
        let help =
            "functions are found by symbols, and these have been stripped; install the debugging symbols";
        return OfProcess::new(Tag::D_PROC_FUNC, format!("there are no functions {place}"), help);
    }
    let help = match nearest(function, near).filter(|_| !is_glob(function)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`tracer -l -n 'pid$target:MODULE::entry' -p PID` lists the functions".to_owned(),
    };
    OfProcess::new(Tag::D_PROC_FUNC, format!("there is no function `{function}` {place}"), help)
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
    fn is_glob(&self) -> bool {
        self.name.is_empty() || is_glob(self.name)
    }

    /// The probes of a function, by the name by which it was asked for.
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
            && !function.names.iter().any(|name| NEVER_RETURN.contains(&name.as_str()));
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
        if self.is_glob() {
            for offset in places(code) {
                let name = format!("{offset:x}");
                if matches(self.name, &name) {
                    self.add(module, image, called, &name, &[function.address + offset]);
                }
            }
        } else if let Ok(offset) = u64::from_str_radix(self.name, 16) {
            if places(code).any(|at| at == offset) {
                self.add(module, image, called, self.name, &[function.address + offset]);
            } else {
                let size = function.size;
                self.bad_place = Some(match offset < size {
                    true => format!("at {offset:x} in `{called}` begins no instruction that can be probed"),
                    false => format!("`{called}` has no offset {offset:x}: it is {size:x} bytes long"),
                });
            }
        }
    }

    /// A place in a file by its address.
    fn address(&mut self, module: &Module, image: &Image) {
        let Ok(address) = u64::from_str_radix(self.name, 16) else {
            self.bad_place = Some(format!("`{}` is no address", self.name));
            return;
        };
        let function = image.function_at(address);
        let inside = function.is_none_or(|function| {
            let code = image.code(function.address, function.size);
            places(code).any(|at| function.address + at == address)
        });
        if inside && image.place(address).is_some() {
            self.add(module, image, WHOLE, self.name, &[address]);
        } else {
            self.bad_place = Some(format!("at {address:x} in `{}` begins no instruction", module.name));
        }
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
        match self.made.entry([module.name.as_str(), function, name].map(str::to_owned)) {
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
            module: module.name.clone(),
            function: function.to_owned(),
            name: name.to_owned(),
            program,
            args,
            doc,
            places,
        });
    }
}
