//! The current process, thread, CPU, files and directories: curpsinfo, curlwpsinfo, curcpu, fds[], cwd and root; d_path().
//!
//! Routines of the probes object fill in what is asked for. A process's or thread's members are filled in once a clause,
//! in memory that the firing keeps; a path is written anew each time it is named, beside what finding it takes.

use probes_common::schema::{Described as _, Field, Kind, StructDef};
use probes_common::types::{LwpsInfo, PsInfo};

use super::clause::Clause;
use super::data::STRINGS;
use super::helper;
use super::record::SlotField;
use super::text::Text;
use crate::check::typed::{Builtin, Expr};
use crate::diagnostic::Span;
use crate::ir::{BinaryOp, Condition, Operand, Size};

/// Bytes that finding a path takes, and the path in them: `Work` of the probes' runtime/dentries.rs.
const WORK: u32 = PATH_AT + 2 * PATH + 8 * 7;
const PATH_AT: u32 = 8 * 32;
const PATH: u32 = 256;

impl Clause<'_> {
    /// The structure that curpsinfo or curlwpsinfo points to.
    pub(super) fn current(&self, builtin: Builtin) -> Option<SlotField> {
        let (of, at) = self.place_of(builtin)?;
        Some(SlotField::current(at as usize, of, builtin))
    }

    fn place_of(&self, builtin: Builtin) -> Option<(&'static StructDef, u32)> {
        match builtin {
            Builtin::Curpsinfo => Some((&PsInfo::DEF, self.context.storage.process)),
            Builtin::Curlwpsinfo => Some((&LwpsInfo::DEF, self.context.storage.thread)),
            _ => None,
        }
    }

    /// Its address as a number, all of it filled in.
    pub(super) fn current_address(&mut self, builtin: Builtin) -> Operand {
        match self.current(builtin) {
            Some(whole) => self.field_int(whole),
            None => Operand::Imm(0),
        }
    }

    /// Has these fields filled in, by their want bits.
    pub(super) fn fill_current(&mut self, builtin: Builtin, bits: u64) {
        let Some((_, at)) = self.place_of(builtin) else { return };
        let missing = self.unknown_fields(builtin, bits);
        if missing != 0 {
            let to = self.address((self.slot, at as i32).into());
            let missing = Operand::Imm(missing as i64);
            let process = builtin == Builtin::Curpsinfo;
            if self.is_given() {
                let task = self.given();
                let routine = if process { "process_of" } else { "thread_of" };
                return self.b.call_void(routine, &[to.into(), missing, task.into()]);
            }
            let routine = if process { "current_process" } else { "current_thread" };
            self.b.call_void(routine, &[to.into(), missing]);
        }
    }

    /// `fds[n].member`, an integer.
    pub(super) fn file_int(&mut self, descriptor: &Expr, field: &Field) -> Operand {
        let file = self.file(descriptor);
        let routine = if field.name == "fi_offset" { "file_offset" } else { "file_flags" };
        self.b.call(routine, &[file]).into()
    }

    /// `fds[n].member`, a string.
    pub(super) fn file_text(&mut self, descriptor: &Expr, field: &Field) -> Text {
        let file = self.file(descriptor);
        let work = self.temporary(WORK);
        let to = self.address(work);
        // See runtime/dentries.rs for the parts of a path.
        let part = match field.name {
            "fi_pathname" => Some(0),
            "fi_name" => Some(1),
            "fi_dirname" => Some(2),
            "fi_mount" => Some(3),
            _ => None,
        };
        match part {
            Some(part) => self.b.call_void("file_path", &[to.into(), file, Operand::Imm(part)]),
            None => self.b.call_void("file_system", &[to.into(), file]),
        }
        let size = match field.kind {
            Kind::Str(size) => u32::from(size),
            _ => PATH,
        };
        Text { at: super::memory::shift(work, PATH_AT), size }
    }

    /// The address of the kernel's `struct file` for a descriptor.
    fn file(&mut self, descriptor: &Expr) -> Operand {
        self.needs_current(descriptor.span);
        let descriptor = self.int(descriptor);
        self.b.call("file_of", &[descriptor]).into()
    }

    /// d_path(): the path that a `struct path` of the kernel's names: a mount and an entry.
    pub(super) fn path_of(&mut self, path: &Expr, span: Span) -> Text {
        let path = self.int(path);
        let pair = self.temporary(16);
        let to = self.address(pair);
        let status = self.b.helper(helper::PROBE_READ_KERNEL, &[to.into(), Operand::Imm(16), path]);
        self.check_read(status, path, span);
        let mount = self.b.load(Size::B8, pair);
        let entry = self.b.load(Size::B8, super::memory::shift(pair, 8));
        let work = self.temporary(WORK);
        let to = self.address(work);
        let whole = Operand::Imm(0);
        self.b.call_void("path_text", &[to.into(), mount.into(), entry.into(), whole]);
        Text { at: super::memory::shift(work, PATH_AT), size: PATH }
    }

    /// A member of a CPU's cpuinfo_t: what it is, the tracer has found out.
    pub(super) fn cpu_member(&mut self, field: &Field, cpu: Operand) -> Operand {
        let column = match field.name {
            "cpu_id" => return cpu,
            "cpu_chip" => 0,
            "cpu_lgrp" => 1,
            _ => return Operand::Imm(0),
        };
        let cpus: Vec<i32> = self.context.options.topology.iter().map(|row| row[column]).collect();
        let Some(last) = cpus.len().checked_sub(1) else { return Operand::Imm(0) };
        let bytes: Vec<u8> = cpus.iter().flat_map(|value| value.to_le_bytes()).collect();
        let table = self.data.bytes(&bytes);
        let cpu = self.b.copy(cpu);
        let inside = self.b.label();
        self.b.branch(Condition::Le, cpu, last as i64, inside);
        self.b.set(cpu, last as i64);
        self.b.place(inside);
        let offset = self.b.binary(BinaryOp::Mul, cpu, 4);
        let base = self.b.data_addr(STRINGS, table as i32);
        let row = self.b.add(base, offset);
        self.b.load_signed(Size::B4, (row, 0)).into()
    }

    /// The path of a directory of the current process.
    pub(super) fn directory(&mut self, builtin: Builtin, span: Span) -> Text {
        self.needs_current(span);
        let work = self.temporary(WORK);
        let to = self.address(work);
        let routine = if builtin == Builtin::Cwd { "current_directory" } else { "root_directory" };
        self.b.call_void(routine, &[to.into()]);
        Text { at: super::memory::shift(work, PATH_AT), size: PATH }
    }
}
