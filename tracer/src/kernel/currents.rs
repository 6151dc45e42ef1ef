//! Where each CPU keeps which thread it runs, so that programs read it there instead of calling bpf_get_current_task_btf: where
//! the processor guards its returns, the call takes longer than all else that a simple clause does.
//!
//! The variable `current_task` has a place in each CPU's memory; the kernel's BTF says how far behind the beginning, and a
//! program that runs on the CPU finds the beginning by the run queue that its thread is in, another such variable.
//! Invariant: an address is taken only where the thread that is found there is the one that the kernel names.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use super::arch::{Machine, X86_64};
use super::btf::{Btf, Kind};
use super::features::Release;
use super::sys::{self, ProgramAttr};
use crate::bpf::Insn;
use crate::bpf::insn::{FRAME, alu, jmp, size};

/// Since this release the kernel puts the number of the CPU in the place of the call that asks for it (on x86-64; `bpf_get_smp_processor_id`
/// in kernel/bpf/verifier.c), and has `bpf_rdonly_cast` (6.2).
const SINCE: Release = Release(6, 10);

/// Helpers of the finder, and the function that it leaves by.
const GET_CURRENT_TASK_BTF: u32 = 158;
const PROBE_READ_KERNEL: u32 = 113;

/// What programs need to read the current thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currents {
    /// What they have to know of the kernel's types.
    pub types: Types,
    /// Where each CPU keeps the address of its current thread; 0 where that is not known.
    pub addresses: Vec<u64>,
}

/// Numbers in the kernel's BTF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Types {
    /// The function `bpf_rdonly_cast(address, type)`, which makes no call: from then on the verifier takes the address for a pointer
    /// to the type, and loads through it give 0 where there is nothing.
    pub cast: u32,
    /// A structure that begins with a pointer.
    pub pointer: u32,
    /// `struct task_struct`
    pub task: u32,
    /// `struct pt_regs`
    pub registers: u32,
}

/// How the finder gets from a thread to the variable.
struct Way {
    /// Of the queue in a thread, and of the run queue in that.
    queue: u32,
    run_queue: u32,
    /// From the run queue to the variable.
    distance: i32,
}

impl Currents {
    /// Those of this system; `None` where programs should call the helper.
    pub fn find(machine: &Machine, release: &str, btf: &Btf, cpus: u32) -> Option<Currents> {
        let here = std::ptr::eq(machine, &raw const X86_64) && Release::parse(release)? >= SINCE;
        let types = here.then(|| Types::find(btf))??;
        let finder = Finder::load(&types, &Way::find(btf)?).ok()?;
        let addresses: Vec<u64> = (0..cpus).map(|cpu| finder.run(cpu).unwrap_or(0)).collect();
        addresses.iter().any(|&address| address != 0).then_some(Currents { types, addresses })
    }
}

impl Types {
    fn find(btf: &Btf) -> Option<Types> {
        let structure = |name| Some(btf.find(Kind::Struct, name)?.0);
        Some(Types {
            cast: btf.find_alone(Kind::Func, "bpf_rdonly_cast")?.0,
            pointer: structure("list_head")?,
            task: structure("task_struct")?,
            registers: structure("pt_regs")?,
        })
    }
}

impl Way {
    fn find(btf: &Btf) -> Option<Way> {
        // A part of `pcpu_hot` until Linux 6.14 (arch/x86/include/asm/current.h).
        let current = btf.per_cpu("current_task").or_else(|| {
            let within = btf.field("pcpu_hot", "current_task")?.offset;
            Some(btf.per_cpu("pcpu_hot")? + within)
        });
        Some(Way {
            queue: btf.field("task_struct", "se.cfs_rq")?.offset,
            run_queue: btf.field("cfs_rq", "rq")?.offset,
            distance: (i64::from(current?) - i64::from(btf.per_cpu("runqueues")?)).try_into().ok()?,
        })
    }
}

/// A program that tells where its CPU keeps its thread: the address, shifted right by its argument.
struct Finder(OwnedFd);

impl Finder {
    fn load(types: &Types, way: &Way) -> io::Result<Finder> {
        const CONTEXT: u8 = 6;
        const TASK: u8 = 7;
        const PLACE: u8 = 8;
        let mut code = vec![
            Insn::alu_reg(alu::MOV, CONTEXT, 1),
            Insn::call_helper(GET_CURRENT_TASK_BTF),
            Insn::alu_reg(alu::MOV, TASK, 0),
            Insn::load(size::DW, 3, TASK, way.queue as i16),
            Insn::alu_imm(alu::ADD, 3, way.run_queue as i32),
            Insn::alu_imm(alu::MOV, 2, 8),
            Insn::alu_reg(alu::MOV, 1, FRAME),
            Insn::alu_imm(alu::ADD, 1, -8),
            Insn::call_helper(PROBE_READ_KERNEL),
            Insn::load(size::DW, PLACE, FRAME, -8),
            Insn::alu_imm(alu::ADD, PLACE, way.distance),
            Insn::alu_reg(alu::MOV, 1, PLACE),
            Insn::alu_imm(alu::MOV, 2, types.pointer as i32),
            Insn::call_kernel(types.cast),
            Insn::load(size::DW, 1, 0, 0),
            Insn::alu_imm(alu::MOV, 0, 0),
        ];
        let tell = [
            Insn::alu_reg(alu::MOV, 0, PLACE),
            Insn::load(size::DW, 1, CONTEXT, 0),
            Insn::alu_reg(alu::RSH, 0, 1),
        ];
        code.push(Insn { offset: tell.len() as i16, ..Insn::branch_reg(jmp::JNE, 1, TASK) });
        code.extend(tell);
        code.push(Insn::exit());
        let code: Vec<u64> = code.into_iter().map(|insn| u64::from_ne_bytes(insn.encode())).collect();
        let attr = ProgramAttr { kind: sys::RAW_TRACEPOINT, ..ProgramAttr::default() };
        sys::load_code(&code, attr).map(Finder)
    }

    /// The address on that CPU, in two halves, since a program returns no more.
    fn run(&self, cpu: u32) -> io::Result<u64> {
        let half = |shift: u64| sys::test_run_on(self.0.as_fd(), cpu, &[shift]).map(u64::from);
        Ok(half(32)? << 32 | half(0)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Target;

    #[test]
    fn addresses_are_of_the_kernel() {
        let Ok(target) = Target::probe() else { return eprintln!("skipped: no privileges") };
        let Some(types) = &target.types else { return };
        let btf = types.kernel();
        let Some(currents) = Currents::find(target.machine, &target.release, btf, target.cpus) else {
            return eprintln!("skipped: this kernel is asked by a call");
        };
        let mut known: Vec<u64> =
            currents.addresses.iter().copied().filter(|&address| address != 0).collect();
        assert!(known.iter().all(|&address| (address as i64) <= -(1 << 32)), "{known:x?}");
        known.dedup();
        assert_eq!(known.len(), currents.addresses.iter().filter(|&&address| address != 0).count());
        assert_eq!(Currents::find(target.machine, "6.9.1", btf, target.cpus), None);
    }
}
