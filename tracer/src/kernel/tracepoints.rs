//! Which raw tracepoints the kernel has.
//!
//! The kernel declares `typedef void (*btf_trace_NAME)(void *__data, ...)` for each of its tracepoints
//! (include/trace/bpf_probe.h, Linux 6.18), so its BTF answers, and tracefs need not be mounted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use super::btf::{Btf, Kind, TypeId};

/// The prefix of the typedefs.
const PREFIX: &str = "btf_trace_";

/// Where tracefs shows its events: by itself, and in debugfs.
const EVENTS: [&str; 2] = ["/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events"];

/// The raw tracepoints of a kernel.
#[derive(Clone, Debug)]
pub enum Tracepoints {
    /// Those that a kernel's BTF declares.
    Declared(Arc<Btf>),
    /// All but these: a made-up kernel.
    AllBut(BTreeSet<&'static str>),
}

impl Tracepoints {
    /// Whether there is a raw tracepoint called `name`.
    pub fn has(&self, name: &str) -> bool {
        match self {
            Tracepoints::Declared(btf) => btf.find(Kind::Typedef, &format!("{PREFIX}{name}")).is_some(),
            Tracepoints::AllBut(gone) => !gone.contains(name),
        }
    }

    /// The types of its arguments, where the kernel says.
    pub fn params(&self, name: &str) -> Option<Vec<String>> {
        let Tracepoints::Declared(btf) = self else { return None };
        // The first parameter, `void *__data`, is the kernel's own.
        let params = btf.func_proto_params(&format!("{PREFIX}{name}"))?;
        Some(params.iter().skip(1).map(|param| btf.display(param.ty)).collect())
    }

    /// Those that are events of tracefs, each with its subsystem, sorted; none where tracefs is not mounted.
    pub fn events(&self) -> Vec<(String, &str)> {
        let names: BTreeSet<&str> = self.names().into_iter().collect();
        let directory = |path: &Path| {
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<String>>()
        };
        let root = EVENTS.map(Path::new).into_iter().find(|root| root.exists());
        let mut events: Vec<(String, &str)> = Vec::new();
        for (root, subsystem) in
            root.iter().flat_map(|root| directory(root).into_iter().map(move |of| (root, of)))
        {
            let of = directory(&root.join(&subsystem));
            events.extend(of.iter().filter_map(|name| Some((subsystem.clone(), *names.get(name.as_str())?))));
        }
        events.sort_unstable();
        // A few events of one name are of several subsystems: the tracepoint is one.
        let mut seen = BTreeSet::new();
        events.retain(|event| seen.insert(event.1));
        events
    }

    /// How many arguments it has, where the kernel says.
    pub fn param_count(&self, name: &str) -> usize {
        let Tracepoints::Declared(btf) = self else { return 0 };
        btf.func_proto_params(&format!("{PREFIX}{name}")).map_or(0, |params| params.len().saturating_sub(1))
    }

    /// The type of its argument, where the kernel says.
    pub fn param(&self, name: &str, number: usize) -> Option<TypeId> {
        let Tracepoints::Declared(btf) = self else { return None };
        let params = btf.func_proto_params(&format!("{PREFIX}{name}"))?;
        Some(params.get(number + 1)?.ty)
    }

    /// The names of all tracepoints, sorted, where the kernel says.
    pub fn names(&self) -> Vec<&str> {
        let Tracepoints::Declared(btf) = self else { return Vec::new() };
        let names = btf.names_with_prefix(Kind::Typedef, PREFIX);
        let names: BTreeSet<&str> = names.filter_map(|(name, _)| name.strip_prefix(PREFIX)).collect();
        names.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::btf::tests::{running, sample};

    #[test]
    fn they_are_the_typedefs_of_the_btf() {
        let tracepoints = Tracepoints::Declared(Arc::new(sample()));
        assert!(tracepoints.has("paint") && !tracepoints.has("pain") && !tracepoints.has(""));
        assert_eq!(tracepoints.names(), ["paint"]);
        assert_eq!(
            tracepoints.params("paint"),
            Some(vec!["const struct point *".to_owned(), "int".to_owned()])
        );
        assert_eq!(tracepoints.params("pain"), None);
    }

    #[test]
    fn a_made_up_kernel_lacks_what_it_is_told_to() {
        let tracepoints = Tracepoints::AllBut(["sys_enter"].into());
        assert!(!tracepoints.has("sys_enter") && tracepoints.has("sys_exit"));
    }

    #[test]
    fn the_running_kernel_has_what_every_kernel_has() {
        let Some(btf) = running() else { return };
        let tracepoints = Tracepoints::Declared(Arc::new(btf));
        for name in ["sys_enter", "sched_switch", "signal_generate", "inet_sock_set_state"] {
            assert!(tracepoints.has(name), "{name}");
        }
        let params = tracepoints.params("sys_enter").expect("it is declared");
        assert!(
            params.len() == 2 && params[0] == "struct pt_regs *" && params[1].starts_with("long"),
            "{params:?}"
        );
    }
}
