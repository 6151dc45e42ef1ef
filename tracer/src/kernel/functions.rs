//! The kernel's functions that can be traced, and by what means.
//!
//! Invariant: nothing is read before the first function is asked for; then the list stays as it is, so that a function's place in
//! it can be a probe's number.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::trial;

/// Where ftrace lists what it can trace: in tracefs by itself, and in debugfs.
const LISTS: [&str; 2] = [
    "/sys/kernel/tracing/available_filter_functions",
    "/sys/kernel/debug/tracing/available_filter_functions",
];

/// The kind of perf events that are kprobes: where there are any, the kernel has them.
const PERF_KIND: &str = "/sys/bus/event_source/devices/kprobe/type";

/// By what means functions are traced: the first that this kernel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// One link for all (Linux 5.18, with CONFIG_FPROBE).
    Multi,
    /// A perf event of this kind for each.
    Perf(u32),
}

impl Means {
    /// What this kernel has, or why it has nothing.
    pub fn here() -> Result<Means, String> {
        let kind = fs::read_to_string(PERF_KIND).ok().and_then(|kind| kind.trim().parse().ok());
        match (trial::kprobe_multi(), kind) {
            (Ok(()), _) => Ok(Means::Multi),
            (Err(_), Some(kind)) => Ok(Means::Perf(kind)),
            (Err(error), None) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(format!("the kernel does not let us trace its functions: {error}"))
            }
            (Err(_), None) => {
                Err("this kernel is built without kprobes (CONFIG_KPROBES): its functions cannot be traced"
                    .to_owned())
            }
        }
    }
}

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its module; empty for the kernel itself.
    pub module: &'static str,
    /// Whether several functions have this name, of its module or of others.
    pub several: bool,
}

/// The functions of a kernel.
#[derive(Clone, Debug, Default)]
pub struct Functions {
    listed: Arc<OnceLock<Result<Vec<Function>, String>>>,
}

impl Functions {
    /// Those that a list such as ftrace's names: a made-up kernel.
    pub fn these(text: &'static str) -> Functions {
        Functions { listed: Arc::new(OnceLock::from(Ok(parse(text)))) }
    }

    /// None at all, for this reason.
    pub fn none(reason: &str) -> Functions {
        Functions { listed: Arc::new(OnceLock::from(Err(reason.to_owned()))) }
    }

    /// All of them, or why they cannot be traced.
    pub fn all(&self) -> Result<&[Function], &str> {
        let listed = self.listed.get_or_init(|| Means::here().and_then(|_| read()));
        listed.as_deref().map_err(String::as_str)
    }
}

/// Reads ftrace's list, or where there is no tracefs, that of all symbols.
fn read() -> Result<Vec<Function>, String> {
    let list = LISTS.iter().find(|path| Path::new(path).exists());
    let text = match list.map(fs::read_to_string) {
        Some(Ok(text)) => text,
        _ => symbols(&fs::read_to_string("/proc/kallsyms").unwrap_or_default()),
    };
    match parse(Box::leak(text.into_boxed_str())) {
        functions if functions.is_empty() => Err("the kernel does not list its functions".to_owned()),
        functions => Ok(functions),
    }
}

/// The functions in the text of a /proc/kallsyms, as ftrace would list them; some of them it could not trace.
fn symbols(text: &str) -> String {
    let line = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (kind, name, module) = (words.next()?, words.next()?, words.next().unwrap_or_default());
        let ours = module == "[bpf]" || name.starts_with("__pfx_") || name.starts_with("__cfi_");
        (matches!(kind, "t" | "T") && !ours).then(|| format!("{name} {module}\n"))
    };
    text.lines().filter_map(line).collect()
}

/// Lines of `function` or `function [module]`; a function of which a module has several stands where its first does.
fn parse(text: &'static str) -> Vec<Function> {
    let line = |line: &'static str| {
        let mut words = line.split_ascii_whitespace();
        let name = words.next().filter(|name| !name.starts_with("__ftrace_invalid_address"))?;
        Some((name, words.next().map_or("", |module| module.trim_matches(['[', ']']))))
    };
    let mut counts: HashMap<&str, u32> = HashMap::new();
    let lines: Vec<_> = text.lines().filter_map(line).collect();
    lines.iter().for_each(|(name, _)| *counts.entry(name).or_default() += 1);
    let mut seen = HashSet::new();
    let first = |line: &&(&'static str, &'static str)| counts[line.0] == 1 || seen.insert(**line);
    lines
        .iter()
        .filter(first)
        .map(|&(name, module)| Function { name, module, several: counts[name] > 1 })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_stands_once_in_the_list() {
        let functions =
            parse("vfs_read\nshow [a]\nshow [b]\n__ftrace_invalid_address___12\nshow [a]\ntcp_ack\n");
        let function = |name, module, several| Function { name, module, several };
        let truth = [
            function("vfs_read", "", false),
            function("show", "a", true),
            function("show", "b", true),
            function("tcp_ack", "", false),
        ];
        assert_eq!(functions, truth);
    }

    #[test]
    fn symbols_of_code_are_functions() {
        let text = "ffffffff81000110 T do_work\nffffffff81000120 t __pfx_do_work\nffffffff81000200 D some_data\n\
            ffffffffc0000040 t ext4_read\t[ext4]\nffffffffc0000080 t bpf_prog_1_x\t[bpf]\n";
        assert_eq!(symbols(text), "do_work \next4_read [ext4]\n");
    }
}
