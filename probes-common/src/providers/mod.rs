//! The probes, one file a provider: its records and its table of probes.

pub mod counts;
pub mod cpc;
pub mod dtrace;
pub mod fbt;
pub mod io;
pub mod ip;
pub mod lockstat;
pub mod pid;
pub mod pipe;
pub mod proc;
pub mod profile;
pub mod rawtp;
pub mod sched;
pub mod sdt;
pub mod socket;
pub mod syscall;
pub mod tcp;
pub mod udp;
pub mod usdt;

use crate::probe::{Probe, Program};

/// Every probe that is named in advance, those of one event in the order in which they fire.
pub const PROVIDERS: &[&[Probe]] = &[
    dtrace::PROBES,
    proc::PROBES,
    pipe::PROBES,
    socket::PROBES,
    tcp::PROBES,
    sched::PROBES,
    io::PROBES,
    udp::PROBES,
    ip::PROBES,
    lockstat::PROBES,
    counts::PROBES,
];

/// What the probes are made like that are not named in advance: from the running kernel's system calls, from the rates that a
/// program names, from the kernel's tracepoints and functions.
pub const MADE: &[&[Probe]] =
    &[syscall::PROBES, profile::PROBES, cpc::PROBES, rawtp::PROBES, sdt::PROBES, fbt::PROBES];

/// Programs, each with one that stands in for it where the kernel lacks what it hangs on.
pub const STAND_INS: &[(&Program, &Program)] = &[(&sched::ON_CPU, &sched::ON_CPU_SWITCH)];

/// Where a program of that name stands: what hangs on the same event fires in this order.
pub fn place(name: &str) -> usize {
    let name = STAND_INS.iter().find(|(_, stand_in)| stand_in.name == name).map_or(name, |(of, _)| of.name);
    let mut programs = PROVIDERS.iter().copied().flatten().map(|probe| probe.program.name);
    programs.position(|program| program == name).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::collections::{HashMap, HashSet};
    use std::vec::Vec;

    use super::{MADE, PROVIDERS, STAND_INS, pid, usdt};
    use crate::probe::{Arg, Probe, Program};
    use crate::schema::{Field, Kind, StructDef};

    fn probes() -> impl Iterator<Item = &'static Probe> {
        PROVIDERS.iter().flat_map(|table| table.iter())
    }

    /// Every program and the arguments of its probes.
    fn programs() -> Vec<(&'static Program, &'static [Arg])> {
        let made = MADE.iter().copied().flatten().map(|probe| (probe.program, probe.args));
        let of_processes =
            [(&pid::ENTRY, pid::ENTRY_ARGS), (&pid::RETURN, pid::RETURN_ARGS), (&usdt::USDT, usdt::ARGS)];
        let stand_ins = STAND_INS.iter().map(|(_, program)| (*program, &[][..]));
        probes()
            .map(|probe| (probe.program, probe.args))
            .chain(made)
            .chain(of_processes)
            .chain(stand_ins)
            .collect()
    }

    #[test]
    fn every_argument_is_a_field_of_the_record() {
        for (program, args) in programs() {
            for arg in args.iter().filter(|arg| !arg.field.is_empty()) {
                let field = program.record.field(arg.field);
                let field = field.unwrap_or_else(|| panic!("{}: no field {}", program.name, arg.field));
                // A pointer to what the kernel has is its address.
                let word = matches!(field.kind, Kind::Int { bytes: 8, signed: false });
                match arg.ctype.ends_with('*') {
                    true => assert!(
                        matches!(field.kind, Kind::Struct(_)) || word,
                        "{} {}",
                        program.name,
                        arg.field
                    ),
                    false => {
                        assert!(!matches!(field.kind, Kind::Struct(_)), "{} {}", program.name, arg.field)
                    }
                }
            }
        }
    }

    #[test]
    fn a_program_has_one_name_and_a_probe_one_discriminator() {
        let mut by_name: HashMap<&str, &Program> = HashMap::new();
        let mut seen = HashSet::new();
        for probe in probes() {
            assert_eq!(*by_name.entry(probe.program.name).or_insert(probe.program), probe.program);
            assert!(
                seen.insert((probe.program.name, probe.discriminator)),
                "{} {}",
                probe.function,
                probe.name
            );
            assert!(probe.program.family || probe.discriminator == 0, "{}", probe.program.name);
        }
    }

    /// The fields of a struct and of those inside, with the bit that each stands for.
    fn leaves(def: &'static StructDef, base: u32) -> Vec<(u32, &'static Field)> {
        let leaf = |field: &'static Field| match field.kind {
            Kind::Struct(inner) => leaves(inner, base + u32::from(field.bit)),
            _ => [(base + u32::from(field.bit), field)].into(),
        };
        def.fields.iter().flat_map(leaf).collect()
    }

    #[test]
    fn want_bits_fit_a_word_and_parts_do_not_share_them() {
        for (program, _) in programs() {
            let mut owner: HashMap<u32, &str> = HashMap::new();
            for field in program.record.fields {
                let bits: HashSet<u32> = match field.kind {
                    Kind::Struct(inner) => {
                        leaves(inner, field.bit.into()).iter().map(|leaf| leaf.0).collect()
                    }
                    _ => continue,
                };
                for bit in bits {
                    assert!(bit < 64, "{} {}", program.name, field.name);
                    let other = owner.insert(bit, field.name);
                    assert_eq!(other, None, "{}: {} shares bit {bit}", program.name, field.name);
                }
            }
            for field in program.record.fields.iter().filter(|field| !matches!(field.kind, Kind::Struct(_))) {
                let part = owner.get(&field.bit.into());
                assert_eq!(part, None, "{}: {} shares bit {}", program.name, field.name, field.bit);
            }
        }
    }

    #[test]
    fn records_have_no_gaps() {
        for (program, _) in programs() {
            let mut end = 0;
            for field in program.record.fields {
                assert_eq!(field.offset, end, "{} before {}", program.name, field.name);
                end += match field.kind {
                    Kind::Int { bytes, .. } => bytes.into(),
                    Kind::Str(size) => size.into(),
                    Kind::Ip => 16,
                    Kind::Struct(inner) => inner.size,
                };
            }
            assert_eq!(program.record.size, end, "{} at its end", program.name);
        }
    }
}
