//! What the probe knows: fields of its record, and tables of what its family's probes do not share.
//!
//! Invariant: every field that is read has its want bit set, and all fields of a struct whose address is taken.

use std::mem::offset_of;

use probes_common::abi::{SLOT_FAULT, SLOT_RECORD, Slot};
use probes_common::probe::Attach;
use probes_common::schema::{Described as _, Field, Kind, StructDef};
use probes_common::types::CpuInfo;
use probes_common::types_net::{Ipv4Info, Ipv6Info};

use super::clause::Clause;
use super::data::STRINGS;
use super::helper;
use super::place::Spot;
use super::text::Text;
use crate::check::typed::{Builtin, Expr, ExprKind, Subroutine};
use crate::diagnostic::Span;
use crate::ir::{BinaryOp, Condition, Memory, Operand, Size, VReg};

/// A field at a known place of the slot.
#[derive(Clone, Copy)]
pub(super) struct SlotField {
    /// Bytes from the beginning of the slot.
    offset: usize,
    /// Its want bit.
    bit: u32,
    /// What it holds.
    kind: Kind,
    /// The built-in variable that points to where it is; none for the firing's record.
    of: Option<Builtin>,
}

impl SlotField {
    /// The struct that the built-in variable points to.
    pub(super) fn current(offset: usize, of: &'static StructDef, builtin: Builtin) -> SlotField {
        SlotField { offset, bit: 0, kind: Kind::Struct(of), of: Some(builtin) }
    }

    /// A field of the struct that begins here.
    fn member(self, field: &Field) -> SlotField {
        let bit = self.bit + u32::from(field.bit);
        SlotField { offset: self.offset + field.offset, bit, kind: field.kind, ..self }
    }

    /// The field that is zero where there is no such thing as the struct that begins here: a packet has one of two headers.
    fn told_by(self) -> Option<SlotField> {
        let version = match self.kind {
            Kind::Struct(of) if of == &Ipv4Info::DEF => Ipv4Info::DEF.field("ipv4_ver"),
            Kind::Struct(of) if of == &Ipv6Info::DEF => Ipv6Info::DEF.field("ipv6_ver"),
            _ => None,
        };
        version.map(|version| self.member(version))
    }
}

/// The want bits of all fields of a struct whose own begin at `bit`.
fn all_bits(of: &StructDef, bit: u32) -> u64 {
    let bits = |field: &Field| match field.kind {
        Kind::Struct(inner) => all_bits(inner, bit + u32::from(field.bit)),
        _ => 1_u64.wrapping_shl(bit + u32::from(field.bit)),
    };
    of.fields.iter().map(bits).fold(0, |all, bits| all | bits)
}

impl Clause<'_> {
    /// The record's field of that name.
    pub(super) fn record_field(&self, name: &str) -> Option<SlotField> {
        let program = self.unit.info().program;
        let base = if program.attach == Attach::Called { SLOT_FAULT } else { SLOT_RECORD };
        let record = SlotField { offset: base, bit: 0, kind: Kind::Struct(program.record), of: None };
        program.record.field(name).map(|field| record.member(field))
    }

    /// The record's field that is `args[index]`.
    fn arg_field(&self, index: u8) -> Option<SlotField> {
        self.record_field(self.unit.arg(index)?.field)
    }

    /// The struct of the record that the expression points to, where that is known.
    fn pointee(&self, pointer: &Expr) -> Option<SlotField> {
        let field = match &pointer.kind {
            ExprKind::Args(index) => self.arg_field(*index),
            ExprKind::Builtin(builtin) => self.current(*builtin),
            ExprKind::Member(base, field) => self.pointee(base).map(|base| base.member(field)),
            ExprKind::Cast(inner) if inner.ty == pointer.ty => self.pointee(inner),
            _ => None,
        };
        field.filter(|field| matches!(field.kind, Kind::Struct(_)))
    }

    /// The value of a field as a word: a struct's is its address.
    pub(super) fn field_int(&mut self, field: SlotField) -> Operand {
        let at: Memory = (self.slot, field.offset as i32).into();
        match field.kind {
            Kind::Int { bytes, signed } => {
                self.want(field, 1 << field.bit);
                self.load_int(at, bytes, signed).into()
            }
            Kind::Struct(of) => {
                self.want(field, all_bits(of, field.bit));
                let address = self.address(at);
                self.number_of(address).into()
            }
            Kind::Str(_) | Kind::Ip => Operand::Imm(0),
        }
    }

    /// Has fields filled in: of the record by the trampoline, else here.
    fn want(&mut self, field: SlotField, bits: u64) {
        match field.of {
            None => self.wants |= bits,
            Some(builtin) => self.fill_current(builtin, bits),
        }
    }

    fn field_text(&mut self, field: SlotField) -> Text {
        self.want(field, 1 << field.bit);
        let size = match field.kind {
            Kind::Str(size) => u32::from(size),
            _ => 16,
        };
        Text { at: (self.slot, field.offset as i32).into(), size }
    }

    pub(super) fn load_int(&mut self, at: Memory, bytes: u8, signed: bool) -> VReg {
        let size = Size::of_bytes(bytes.into()).unwrap_or(Size::B8);
        match signed {
            true => self.b.load_signed(size, at),
            false => self.b.load(size, at),
        }
    }

    /// `argN`: the record's own field of that name, where the kernel's idea of an argument is another than D's.
    pub(super) fn raw_arg(&mut self, index: u8) -> Operand {
        let own = self.unit.arg(index).and_then(|_| self.record_field(&format!("arg{index}")));
        match own {
            Some(field) => self.field_int(field),
            None => match self.arg_field(index).and_then(|field| field.told_by()) {
                Some(told) => self.arg_if(index, told),
                None => self.arg(index),
            },
        }
    }

    /// `argN`, NULL where the field is zero.
    fn arg_if(&mut self, index: u8, field: SlotField) -> Operand {
        let (address, told, there) = (self.arg(index), self.field_int(field), self.b.label());
        let (address, told) = (self.b.copy(address), self.b.copy(told));
        self.b.branch(Condition::Ne, told, 0, there);
        self.b.set(address, 0);
        self.b.place(there);
        address.into()
    }

    /// `args[N]`, an integer or an address.
    pub(super) fn arg(&mut self, index: u8) -> Operand {
        match self.arg_field(index) {
            Some(field) => self.field_int(field),
            None => Operand::Imm(0),
        }
    }

    /// `args[N]`, a string.
    pub(super) fn arg_text(&mut self, index: u8) -> Text {
        match self.arg_field(index) {
            Some(field) => self.field_text(field),
            None => self.empty_text(),
        }
    }

    /// `base->field`, an integer or an address.
    pub(super) fn member(&mut self, base: &Expr, field: &Field, span: Span) -> Operand {
        if let ExprKind::Builtin(Builtin::Curcpu) = base.kind {
            let cpu = self.builtin(Builtin::Cpu);
            return self.cpu_member(field, cpu);
        }
        if let Some(record) = self.pointee(base) {
            if record.kind == Kind::Struct(&CpuInfo::DEF) {
                let cpu = self.field_int(record.member(&CpuInfo::DEF.fields[0]));
                return self.cpu_member(field, cpu);
            }
            return self.field_int(record.member(field));
        }
        if let ExprKind::Call(Subroutine::File, arguments) = &base.kind {
            return self.file_int(&arguments[0], field);
        }
        let base = self.int(base);
        let address = self.b.add(base, field.offset as i64);
        let Kind::Int { bytes, signed } = field.kind else { return address.into() };
        let word = self.word();
        self.read((word, 0).into(), address, bytes.into(), span);
        self.load_int((word, 0).into(), bytes, signed).into()
    }

    /// `base->field`, a string.
    pub(super) fn member_text(&mut self, base: &Expr, field: &Field, span: Span) -> Text {
        if let Some(record) = self.pointee(base) {
            return self.field_text(record.member(field));
        }
        if let ExprKind::Call(Subroutine::File, arguments) = &base.kind {
            return self.file_text(&arguments[0], field);
        }
        let size = match field.kind {
            Kind::Str(size) => u32::from(size),
            _ => 16,
        };
        let base = self.int(base);
        let address = self.b.add(base, field.offset as i64);
        let at = self.temporary(size);
        self.read(at, address, size, span);
        Text { at, size }
    }

    /// Reads from wherever the program says, or leaves the clause.
    pub(super) fn read(&mut self, to: Memory, address: impl Into<Operand>, size: u32, span: Span) {
        let (to, address) = (self.address(to), address.into());
        let args: [Operand; 3] = [to.into(), Operand::Imm(size.into()), address];
        let status = self.b.helper(helper::PROBE_READ_KERNEL, &args);
        self.check_read(status, address, span);
    }

    /// Reads from where a place lies, or leaves the clause. The addresses of processes are the lower half of all, which as signed
    /// numbers are not negative.
    pub(super) fn read_spot(&mut self, to: Memory, from: Spot, size: u32, span: Span) {
        let address = match from {
            Spot::Own(memory) => return self.copy(to, memory, size),
            Spot::Foreign(address) => return self.read(to, address, size, span),
            Spot::Either(address) => address,
        };
        self.read_either([helper::PROBE_READ_KERNEL, helper::PROBE_READ_USER], to, address, size, span);
    }

    /// Reads with the helper for the kernel or that for the process, as the address says.
    pub(super) fn read_either(
        &mut self,
        [kernel, process]: [u32; 2],
        to: Memory,
        address: Operand,
        size: u32,
        span: Span,
    ) {
        let to = self.address(to);
        let args: [Operand; 3] = [to.into(), Operand::Imm(size.into()), address];
        let (status, of_process, done) = (self.b.vreg(), self.b.label(), self.b.label());
        let at = self.b.copy(address);
        self.b.branch(Condition::Sge, at, 0, of_process);
        let read = self.b.helper(kernel, &args);
        self.b.set(status, read);
        self.b.jump(done);
        self.b.place(of_process);
        let read = self.b.helper(process, &args);
        self.b.set(status, read);
        self.b.place(done);
        self.check_read(status, address, span);
    }

    /// Which of its family's probes fires.
    pub(super) fn discriminator(&mut self) -> VReg {
        self.b.load(Size::B4, (self.slot, offset_of!(Slot, discriminator) as i32))
    }

    /// The row of the firing probe in a table of rows of one size, by discriminator; zeros where it has none.
    pub(super) fn probe_row<const N: usize>(&mut self, rows: Vec<(u16, [u8; N])>) -> Memory {
        let rows: Vec<_> = rows.iter().map(|(discriminator, row)| (*discriminator, row.as_slice())).collect();
        self.probe_row_of(N, &rows)
    }

    /// [`Clause::probe_row`] for rows of a size known only now.
    pub(super) fn probe_row_of(&mut self, size: usize, rows: &[(u16, &[u8])]) -> Memory {
        let count = rows.iter().map(|(discriminator, _)| usize::from(*discriminator) + 1).max().unwrap_or(0);
        // The last row is that of a probe that is not in the table.
        let mut table = vec![0; size * (count + 1)];
        for (discriminator, row) in rows {
            table[size * usize::from(*discriminator)..][..row.len()].copy_from_slice(row);
        }
        let table = self.data.bytes(&table);
        let index = self.discriminator();
        let inside = self.b.label();
        self.b.branch(Condition::Lt, index, count as i64, inside);
        self.b.set(index, count as i64);
        self.b.place(inside);
        let offset = self.b.binary(BinaryOp::Mul, index, size as i64);
        let base = self.b.data_addr(STRINGS, table as i32);
        (self.b.add(base, offset), 0).into()
    }
}
