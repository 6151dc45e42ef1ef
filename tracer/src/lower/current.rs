//! The current process, thread, files and directories: curpsinfo, curlwpsinfo, fds[], cwd and root.
//!
//! Routines of the probes object fill in what is asked for. A process's or thread's members are filled in once a clause,
//! in memory that the firing keeps; a path is written anew each time it is named, beside what finding it takes.

use probes_common::schema::{Described as _, Field, Kind, StructDef};
use probes_common::types::{LwpsInfo, PsInfo};

use super::clause::Clause;
use super::record::SlotField;
use super::text::Text;
use crate::check::typed::{Builtin, Expr};
use crate::ir::Operand;

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
            let routine = if builtin == Builtin::Curpsinfo { "current_process" } else { "current_thread" };
            self.b.call_void(routine, &[to.into(), Operand::Imm(missing as i64)]);
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
        let descriptor = self.int(descriptor);
        self.b.call("file_of", &[descriptor]).into()
    }

    /// The path of a directory of the current process.
    pub(super) fn directory(&mut self, builtin: Builtin) -> Text {
        let work = self.temporary(WORK);
        let to = self.address(work);
        let routine = if builtin == Builtin::Cwd { "current_directory" } else { "root_directory" };
        self.b.call_void(routine, &[to.into()]);
        Text { at: super::memory::shift(work, PATH_AT), size: PATH }
    }
}
