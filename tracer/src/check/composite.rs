//! Structures and unions that the program defines: their members, and where each lies.
//!
//! Invariant: the layout is that of a C compiler for x86_64 and arm64 (System V): members at multiples of their
//! alignment, a bit-field in the next bits of its type's unit that hold it whole.

use std::rc::Rc;

use super::ctype::{Bits, Body, Composite, CompositeKind, Member, NameKind, Type, interned};
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{BaseKind, Declaration, Declarator, Record};

/// The most bytes of a type.
pub(super) const LARGEST: u32 = 1 << 20;

/// A structure that is being laid out.
struct Layout {
    kind: CompositeKind,
    /// Bits used so far; of a union, by the member at hand.
    end: u64,
    /// Bits of the largest member of a union.
    largest: u64,
    align: u32,
    members: Vec<Member>,
}

impl Layout {
    /// The next free bit for a member that begins at a multiple of so many bytes.
    fn aligned(&mut self, align: u32) -> u64 {
        self.start().next_multiple_of(u64::from(align) * 8)
    }

    fn start(&self) -> u64 {
        if self.kind == CompositeKind::Union { 0 } else { self.end }
    }

    fn take(&mut self, start: u64, bits: u64) {
        self.end = start + bits;
        self.largest = self.largest.max(self.end);
    }

    /// A member that is no bit-field.
    fn add(&mut self, name: Option<&'static str>, ty: Type, size: u32) {
        let align = ty.align().max(1);
        let start = self.aligned(align);
        self.align = self.align.max(align);
        self.take(start, u64::from(size) * 8);
        self.members.push(Member { name, ty, offset: (start / 8) as u32, bits: None });
    }

    /// A bit-field of a type of so many bytes; without a name it only takes room, of no width it ends the unit.
    fn add_bits(&mut self, name: Option<&'static str>, ty: Type, bytes: u8, width: u8) {
        let unit = u64::from(bytes) * 8;
        let mut start = self.start();
        if width == 0 || start / unit != (start + u64::from(width) - 1) / unit {
            start = start.next_multiple_of(unit);
        }
        self.take(start, u64::from(width));
        if name.is_some() {
            self.align = self.align.max(u32::from(bytes));
            let bits = Some(Bits { unit: bytes, shift: (start % unit) as u8, width });
            let offset = (start / unit) as u32 * u32::from(bytes);
            self.members.push(Member { name, ty, offset, bits });
        }
    }

    fn finish(self) -> Body {
        let size = self.largest.div_ceil(8).next_multiple_of(u64::from(self.align));
        Body { size: size as u32, align: self.align, members: self.members }
    }
}

impl Checker<'_> {
    /// `struct tag`, `struct tag { members }`, `struct { members }`; a tag of `userland` is the traced program's first.
    pub(super) fn record(&mut self, record: &Record, userland: bool, span: Span) -> Result<Type, Refused> {
        let kind = if record.union { CompositeKind::Union } else { CompositeKind::Struct };
        if let (Some(module), Some(tag)) = (&record.module, &record.tag) {
            return self.type_of_module(NameKind::Composite(kind), module, &tag.name, span);
        }
        match (&record.tag, &record.members) {
            (Some(tag), None) => {
                let kind_of_name = NameKind::Composite(kind);
                let known = match userland {
                    true => self.types.of_process(kind_of_name, &tag.name),
                    false => self.types.find(kind_of_name, &tag.name),
                };
                if let Some(known) = known {
                    return Ok(known);
                }
                Ok(Type::Composite(self.types.declared(kind, &tag.name, tag.span)))
            }
            (Some(tag), Some(members)) => {
                let composite = self.types.declared(kind, &tag.name, tag.span);
                let body = self.body(kind, members)?;
                if composite.define(body) {
                    return Ok(Type::Composite(composite));
                }
                let message = format!("`{} {}` is defined again", kind.word(), tag.name);
                let since = self.types.own(NameKind::Composite(kind), &tag.name).map(|known| known.1);
                let diagnostic = Diagnostic::error(Tag::D_DECL_TYPERED, tag.span, message)
                    .since(since, "named here first");
                Err(self.refuse(diagnostic.help("choose another name")))
            }
            (None, members) => {
                let composite = Composite::declared(kind, None);
                composite.define(self.body(kind, members.as_deref().unwrap_or_default())?);
                Ok(Type::Composite(Rc::new(composite)))
            }
        }
    }

    fn body(&mut self, kind: CompositeKind, declarations: &[Declaration]) -> Result<Body, Refused> {
        let mut layout = Layout { kind, end: 0, largest: 0, align: 1, members: Vec::new() };
        let mut refused = Ok(());
        for declaration in declarations {
            if let Err(error) = self.members(&mut layout, declaration) {
                refused = Err(error);
            }
        }
        refused.map(|()| layout.finish())
    }

    fn members(&mut self, layout: &mut Layout, declaration: &Declaration) -> Result<(), Refused> {
        let base = self.base_type(&declaration.base)?;
        if declaration.declarators.is_empty() {
            let anonymous =
                matches!(&declaration.base.kind, BaseKind::Record(record) if record.tag.is_none());
            if let (true, Some(size)) = (anonymous, base.size()) {
                let Type::Composite(inner) = &base else { return Ok(()) };
                for name in inner.member_names() {
                    self.check_member_name(layout, name, declaration.span)?;
                }
                layout.add(None, base, size);
            }
            return Ok(());
        }
        for declarator in &declaration.declarators {
            let ty = self.derive(base.clone(), &declarator.derived, declarator.span)?;
            let name = declarator.name.as_ref().map(|name| interned(&name.name));
            if let Some(name) = name {
                self.check_member_name(layout, name, declarator.span)?;
            }
            if declarator.bits.is_some() {
                self.bit_field(layout, name, ty, declarator)?;
                continue;
            }
            let size = self.object_size(&ty, declarator.span)?;
            if layout.largest / 8 + u64::from(size) > u64::from(LARGEST) {
                let message = format!("a type may take {LARGEST} bytes");
                let diagnostic = Diagnostic::error(Tag::D_LIMIT, declarator.span, message);
                return Err(self.refuse(diagnostic.help("make its arrays smaller")));
            }
            layout.add(name, ty, size);
        }
        Ok(())
    }

    fn check_member_name(&mut self, layout: &Layout, name: &str, span: Span) -> Result<(), Refused> {
        let taken = layout.members.iter().any(|member| match (&member.name, &member.ty) {
            (Some(taken), _) => *taken == name,
            (None, Type::Composite(inner)) => inner.member(name).is_some(),
            _ => false,
        });
        if !taken {
            return Ok(());
        }
        let diagnostic =
            Diagnostic::error(Tag::D_UNKNOWN, span, format!("a second member is called `{name}`"));
        Err(self.refuse(diagnostic.help("choose another name")))
    }

    /// `type name : bits`
    fn bit_field(
        &mut self,
        layout: &mut Layout,
        name: Option<&'static str>,
        ty: Type,
        declarator: &Declarator,
    ) -> Result<(), Refused> {
        let Some(bits) = &declarator.bits else { return Ok(()) };
        if ty == Type::Void {
            return self.object_size(&ty, declarator.span).map(drop);
        }
        let Some(int) = ty.as_int().filter(|_| matches!(ty, Type::Int(_))) else {
            let message = format!("a bit-field is an integer, not {ty:#}");
            let diagnostic = Diagnostic::error(Tag::D_DECL_BFTYPE, declarator.span, message);
            return Err(self.refuse(diagnostic.help("declare it as `unsigned int name : bits`")));
        };
        let least = i64::from(name.is_some());
        let width = self.expr(bits)?;
        let Some(width) = fold::constant(&width).filter(|width| *width >= least) else {
            let message = "a bit-field's size is a positive integer constant";
            let diagnostic = Diagnostic::error(Tag::D_DECL_BFCONST, bits.span, message);
            return Err(self.refuse(diagnostic.help("write the number of bits")));
        };
        let most = 8 * i64::from(int.bytes);
        if width > most {
            let message = format!("{width} bits do not fit in {ty:#}, which has {most}");
            let diagnostic = Diagnostic::error(Tag::D_DECL_BFSIZE, bits.span, message);
            return Err(self.refuse(diagnostic.help("give it a wider type or fewer bits")));
        }
        layout.add_bits(name, ty, int.bytes, width as u8);
        Ok(())
    }

    /// The size of something that is to lie in memory; an array of unknown length takes none.
    pub(super) fn object_size(&mut self, ty: &Type, span: Span) -> Result<u32, Refused> {
        if let Some(size) = ty.size() {
            return Ok(size);
        }
        let (tag, message) = match ty {
            Type::Void => (Tag::D_DECL_VOIDOBJ, "void is no value: nothing can be of this type".to_owned()),
            Type::Function(_) => (Tag::D_DECL_INCOMPLETE, format!("{ty} is a function, not a value")),
            _ => (Tag::D_DECL_INCOMPLETE, format!("{ty} is not defined: its size is not known")),
        };
        Err(self.refuse(Diagnostic::error(tag, span, message).help("make it a pointer: `*`")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::types::{INT, plain, spelled};
    use super::*;
    use crate::syntax::ast::IntWidth;

    fn layout(kind: CompositeKind) -> Layout {
        Layout { kind, end: 0, largest: 0, align: 1, members: Vec::new() }
    }

    fn place(body: &Body, name: &str) -> (u32, Option<(u8, u8)>) {
        let member = body.members.iter().find(|member| member.name == Some(name)).expect("it was added");
        (member.offset, member.bits.map(|bits| (bits.shift, bits.width)))
    }

    #[test]
    fn members_lie_where_a_c_compiler_puts_them() {
        let char_type = Type::Int(spelled(IntWidth::Char, None));
        let mut s = layout(CompositeKind::Struct);
        s.add(Some("a"), char_type.clone(), 1);
        s.add(Some("b"), Type::Int(INT), 4);
        s.add(Some("c"), Type::Array(Box::new(char_type), 3), 3);
        s.add(Some("d"), Type::Int(plain(8, false)), 8);
        let body = s.finish();
        assert_eq!((body.size, body.align), (24, 8));
        assert_eq!((place(&body, "b").0, place(&body, "c").0, place(&body, "d").0), (4, 8, 16));
    }

    #[test]
    fn bit_fields_share_units_and_do_not_straddle_them() {
        let unsigned = Type::Int(plain(4, false));
        let mut s = layout(CompositeKind::Struct);
        s.add_bits(Some("a"), unsigned.clone(), 4, 3);
        s.add_bits(Some("b"), unsigned.clone(), 4, 30);
        s.add_bits(None, unsigned.clone(), 4, 0);
        s.add_bits(Some("c"), unsigned.clone(), 4, 1);
        s.add(Some("d"), Type::Int(plain(1, false)), 1);
        s.add_bits(Some("e"), unsigned, 4, 4);
        let body = s.finish();
        assert_eq!(place(&body, "a"), (0, Some((0, 3))));
        assert_eq!(place(&body, "b"), (4, Some((0, 30))));
        assert_eq!(place(&body, "c"), (8, Some((0, 1))));
        assert_eq!(place(&body, "d"), (9, None));
        assert_eq!(place(&body, "e"), (8, Some((16, 4))));
        assert_eq!((body.size, body.align), (12, 4));
    }

    #[test]
    fn a_union_is_as_large_as_its_largest_member() {
        let mut u = layout(CompositeKind::Union);
        u.add(Some("a"), Type::Int(plain(8, true)), 8);
        u.add(Some("b"), Type::Array(Box::new(Type::Int(plain(2, true))), 5), 10);
        u.add_bits(Some("c"), Type::Int(INT), 4, 7);
        let body = u.finish();
        assert_eq!((body.size, body.align), (16, 8));
        assert_eq!((place(&body, "b").0, place(&body, "c").0), (0, 0));
    }
}
