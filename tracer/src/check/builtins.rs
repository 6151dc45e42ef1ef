//! The built-in variables: a table that the checker, `explain` and the reference read.
//!
//! Invariant: each name stands once. `args[]` and `arg0` to `arg9` depend on the probe and are handled with it.

use probes_common::schema::{Described as _, StructDef};
use probes_common::types::{CpuInfo, LwpsInfo, PsInfo};

use super::standing::{Standing, optional};
use super::typed::{Builtin, IntType, ProbePart, Text, Type};
use super::types::{INT, UINT64, named};
use crate::stability::KERNEL_DATA;

/// A built-in variable.
#[derive(Debug)]
pub struct Row {
    /// As a program writes it.
    pub name: &'static str,
    /// What the code generator knows it by.
    pub builtin: Builtin,
    /// Its type.
    pub ty: Kind,
    /// What it holds, in one line.
    pub doc: &'static str,
    /// Its stability, and since when there is it.
    pub standing: Standing,
}

/// The types that built-in variables have.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `int`
    Int,
    /// `uint64_t`
    Nanoseconds,
    /// An integer type by its name.
    Named(&'static str),
    /// The name of a thread, 16 bytes.
    Comm,
    /// A part of the probe's name.
    Probe(ProbePart),
    /// A string of so many bytes.
    Text(u32),
    /// A pointer to the kernel's structure of that tag; `void *` where it is not known.
    Kernel(&'static str),
    /// A pointer to a structure of the probe tables.
    Record(&'static StructDef),
    /// A path.
    Path,
}

impl Row {
    /// Its type, as far as it is known without a kernel.
    pub fn ty(&self) -> Type {
        let int = |ty: IntType| Type::Int(ty);
        match self.ty {
            Kind::Int => int(INT),
            Kind::Nanoseconds => int(UINT64),
            Kind::Named(name) => int(named(name).unwrap_or(INT)),
            Kind::Text(size) => Type::String(Text::Buffer(size)),
            Kind::Comm => Type::String(Text::Buffer(16)),
            Kind::Probe(part) => Type::String(Text::Probe(part)),
            Kind::Kernel(_) => Type::Pointer(Box::new(Type::Void)),
            Kind::Record(def) => Type::Pointer(Box::new(Type::Struct(def))),
            Kind::Path => Type::String(Text::Buffer(256)),
        }
    }
}

/// The built-in variable of this name.
pub fn find(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

macro_rules! table {
    ($($name:literal, $builtin:expr, $ty:expr, $doc:literal $(: $attributes:ident)? $(since $version:literal)?;)*) => {
        /// Every built-in variable but `args[]` and `argN`.
        pub static TABLE: &[Row] = &[$(Row {
            name: $name,
            builtin: $builtin,
            ty: $ty,
            doc: $doc,
            standing: Standing::of(optional!($($attributes)?), optional!($($version)?)),
        },)*];
    };
}

// name, builtin, type, doc: attributes where they are not those of D itself, since a version that is not the first

table! {
    "pid", Builtin::Pid, Kind::Named("pid_t"), "process id of the current thread";
    "tid", Builtin::Tid, Kind::Named("id_t"), "id of the current thread";
    "ppid", Builtin::Ppid, Kind::Named("pid_t"), "process id of the current process's parent";
    "uid", Builtin::Uid, Kind::Named("uid_t"), "real user id of the current process";
    "gid", Builtin::Gid, Kind::Named("gid_t"), "real group id of the current process";
    "execname", Builtin::Execname, Kind::Comm, "name of the program that the current thread runs, as the kernel keeps it";
    "execargs", Builtin::Execargs, Kind::Text(256), "what the current process's program was started with, its arguments with spaces between" since "2.0";
    "probeprov", Builtin::ProbePart(ProbePart::Provider), Kind::Probe(ProbePart::Provider), "provider of the firing probe";
    "probemod", Builtin::ProbePart(ProbePart::Module), Kind::Probe(ProbePart::Module), "module of the firing probe";
    "probefunc", Builtin::ProbePart(ProbePart::Function), Kind::Probe(ProbePart::Function), "function of the firing probe";
    "probename", Builtin::ProbePart(ProbePart::Name), Kind::Probe(ProbePart::Name), "name of the firing probe";
    "timestamp", Builtin::Timestamp, Kind::Nanoseconds, "nanoseconds of a clock that never goes back; the same all through a clause";
    "walltimestamp", Builtin::Walltimestamp, Kind::Nanoseconds, "nanoseconds since 1970-01-01 00:00 UTC";
    "vtimestamp", Builtin::Vtimestamp, Kind::Nanoseconds, "nanoseconds that the current thread has run on a CPU";
    "ipl", Builtin::Ipl, Kind::Named("uint_t"), "interrupt priority level; always 0: Linux has none";
    "jid", Builtin::Jid, Kind::Int, "number of the current process's jail; always 0: Linux has none" since "1.13";
    "jailname", Builtin::Jailname, Kind::Text(2), "name of the current process's jail; always 0: Linux has none" since "1.13";
    "zonename", Builtin::Zonename, Kind::Text(7), "name of the current process's zone; always global: Linux has but one";
    "cpu", Builtin::Cpu, Kind::Named("processorid_t"), "number of the current CPU";
    "errno", Builtin::Errno, Kind::Int, "error of the system call that is returning; 0 where there is none";
    "id", Builtin::Id, Kind::Named("uint_t"), "id of the firing probe, as -l shows it";
    "epid", Builtin::Epid, Kind::Named("uint_t"), "enabled probe id: which clause on which probe this is";
    "curpsinfo", Builtin::Curpsinfo, Kind::Record(&PsInfo::DEF), "the current process: pr_pid, pr_psargs and so on";
    "curcpu", Builtin::Curcpu, Kind::Record(&CpuInfo::DEF), "the current CPU: cpu_id, cpu_chip and so on";
    "curlwpsinfo", Builtin::Curlwpsinfo, Kind::Record(&LwpsInfo::DEF), "the current thread: pr_lwpid, pr_state and so on";
    "cwd", Builtin::Cwd, Kind::Path, "the current directory of the current process";
    "root", Builtin::Root, Kind::Path, "the root directory of the current process";
    "caller", Builtin::Caller, Kind::Named("uintptr_t"), "the address in the kernel that the function which fires was called from";
    "stackdepth", Builtin::Stackdepth, Kind::Named("uint32_t"), "number of frames of the kernel's call stack";
    "ucaller", Builtin::Ucaller, Kind::Named("uintptr_t"), "the address that the process was come to this place from" since "1.2";
    "ustackdepth", Builtin::Ustackdepth, Kind::Named("uint32_t"), "number of frames of the process's call stack" since "1.2";
    "curthread", Builtin::Curthread, Kind::Kernel("task_struct"), "the current thread in the kernel: curthread->comm and so on": KERNEL_DATA;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_name_is_known() {
        for row in TABLE {
            if let Kind::Named(name) = row.ty {
                assert!(named(name).is_some(), "{name}");
            }
            assert_eq!(TABLE.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        }
    }
}
