//! Attaching to functions of the kernel: by one link for all of them where the kernel has such links, else by a perf event for each.
//!
//! Invariant: a function that cannot be traced costs the others nothing; which they were is told.

use std::collections::HashMap;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use crate::kernel::addresses::Addresses;
use crate::kernel::functions::Means;
use crate::kernel::sys;
use crate::lower::FunctionAt;

/// The most functions that get a perf event each: the kernel takes some hundredth of a second to let go of one.
const MOST_EVENTS: usize = 1000;

/// What has been attached.
#[derive(Default)]
pub(super) struct Attached {
    pub(super) links: Vec<OwnedFd>,
    /// The names of the functions that could not be traced.
    pub(super) refused: Vec<String>,
    error: Option<io::Error>,
}

/// A place to attach to.
struct Place<'a> {
    function: &'a FunctionAt,
    name: CString,
    /// Where it is, if the name does not say.
    at: Option<u64>,
}

/// Attaches a program to functions: an error where none of them can be traced.
pub(super) fn attach(
    program: BorrowedFd<'_>,
    returns: bool,
    functions: &[FunctionAt],
    means: Means,
    addresses: &Addresses,
) -> io::Result<Attached> {
    let places = places(functions, addresses)?;
    let (named, numbered): (Vec<_>, Vec<_>) = places.iter().partition(|place| place.at.is_none());
    let mut attached = Attached::default();
    match means {
        Means::Multi => {
            [named, numbered].iter().for_each(|places| attached.together(program, returns, places));
        }
        Means::Perf(_) if functions.len() > MOST_EVENTS => {
            return Err(io::Error::other(format!(
                "this kernel (without CONFIG_FPROBE) takes a probe for each of {} functions, and {MOST_EVENTS} are the most that are made",
                functions.len()
            )));
        }
        Means::Perf(kind) => {
            for place in &places {
                attached.alone(program, returns, place, kind);
            }
        }
    }
    match attached.error.take() {
        Some(error) if attached.links.is_empty() => Err(error),
        _ => Ok(attached),
    }
}

/// Where the functions are: one whose name is also others' by its addresses, if the kernel tells them.
fn places<'a>(functions: &'a [FunctionAt], addresses: &Addresses) -> io::Result<Vec<Place<'a>>> {
    let mut wanted: HashMap<&str, Vec<(&str, u64)>> = HashMap::new();
    if functions.iter().any(|function| function.ambiguous) {
        wanted
            .extend(functions.iter().filter(|one| one.ambiguous).map(|one| (one.name.as_str(), Vec::new())));
        for (module, name, at) in addresses.functions() {
            if let Some(known) = wanted.get_mut(name) {
                known.push((module, at));
            }
        }
    }
    let mut places = Vec::new();
    for function in functions {
        let known = wanted.get(function.name.as_str()).into_iter().flatten();
        let known =
            known.filter(|(module, at)| *module == function.module && *at != 0).map(|known| Some(known.1));
        let mut known: Vec<Option<u64>> = known.collect();
        if known.is_empty() {
            known.push(None);
        }
        for at in known {
            let name = CString::new(function.name.as_str()).map_err(io::Error::from)?;
            places.push(Place { function, name, at });
        }
    }
    Ok(places)
}

impl Attached {
    /// One link for all; where the kernel refuses that, one for each half, down to the functions that it means.
    fn together(&mut self, program: BorrowedFd<'_>, returns: bool, places: &[&Place<'_>]) {
        if places.is_empty() {
            return;
        }
        let cookies: Vec<u64> = places.iter().map(|place| place.function.cookie).collect();
        let names: Vec<_> = places.iter().map(|place| place.name.as_c_str()).collect();
        let at: Option<Vec<u64>> = places.iter().map(|place| place.at).collect();
        let functions = at.as_deref().map_or(sys::Functions::Names(&names), sys::Functions::Addresses);
        match sys::link_functions(program, returns, functions, &cookies) {
            Ok(link) => self.links.push(link),
            Err(error) if places.len() == 1 => self.refuse(places[0], error),
            Err(_) => {
                let (first, second) = places.split_at(places.len() / 2);
                self.together(program, returns, first);
                self.together(program, returns, second);
            }
        }
    }

    /// A perf event for one.
    fn alone(&mut self, program: BorrowedFd<'_>, returns: bool, place: &Place<'_>, kind: u32) {
        let function = place.at.map_or(Ok(place.name.as_c_str()), Err);
        let event = sys::open_kprobe(kind, returns, function);
        match event.and_then(|event| sys::link_event(event.as_fd(), program, place.function.cookie)) {
            Ok(link) => self.links.push(link),
            Err(error) => self.refuse(place, error),
        }
    }

    fn refuse(&mut self, place: &Place<'_>, error: io::Error) {
        self.refused.push(place.function.name.clone());
        self.error.get_or_insert(error);
    }
}
