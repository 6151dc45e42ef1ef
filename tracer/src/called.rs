//! The name that the tracer was called by. As dtrace it says who speaks by it, so that a link named `dtrace` speaks as
//! scripts expect of dtrace.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::sync::OnceLock;

static NAME: OnceLock<String> = OnceLock::new();

/// Learns the name from the first word of the command line.
pub fn learn(first: Option<&OsString>) {
    let name = first.and_then(|first| Path::new(first).file_name()).map(OsStr::to_string_lossy);
    if let Some(name) = name {
        // Who starts a second time in the same process has the name of the first.
        let _ = NAME.set(name.into_owned());
    }
}

/// What messages begin with.
pub fn name() -> &'static str {
    NAME.get().map_or("tracer", String::as_str)
}
