//! Places in memory: members, elements, what pointers lead to, addresses.
//!
//! An expression that is a place is a [`ExprKind::Load`] of it, whatever its type; [`Checker::operand`] makes of an array
//! the address of its first element, as C does where a value is wanted, and of an enumeration its integer.

use std::rc::Rc;

use probes_common::schema::{Kind, StructDef};

use super::ctype::{Composite, NameKind, Text, Type};
use super::current::FILES;
use super::names::{STATE_NAMES, integer};
use super::operators::into_buffer;
use super::typed::{BinaryOp, Builtin, Expr, ExprKind, Index, Part, Place, Subroutine};
use super::types::{INT, LONG, UINT64, ULONG, named, of_field, spelled};
use super::variables::Known;
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Scope, UnOp};

/// Whether there is a structure where a pointer to one leads: what fds[] and curcpu give is asked for member by member.
fn has_address(pointer: &Expr) -> bool {
    !matches!(pointer.kind, ExprKind::Call(Subroutine::File, _) | ExprKind::Builtin(Builtin::Curcpu))
}

impl Checker<'_> {
    /// An expression as the operand of an operator.
    pub(super) fn operand(&mut self, expr: &ast::Expr) -> Result<Expr, Refused> {
        Ok(decayed(self.expr(expr)?))
    }

    /// `*pointer`
    pub(super) fn deref(&mut self, pointer: Expr, span: Span) -> Result<Expr, Refused> {
        if let (ExprKind::Load(place), Type::Array(of, _)) = (&pointer.kind, &pointer.ty) {
            return Ok(Expr {
                kind: ExprKind::Load(place.clone().part(Part::default())),
                ty: (**of).clone(),
                span,
            });
        }
        if pointer.ty.as_text().is_some() {
            let first = integer(0, INT, span);
            let characters = self.characters(pointer);
            return self.array_element(characters, first, span);
        }
        let to = match &pointer.ty {
            Type::Pointer(to) => (**to).clone(),
            ty => {
                let message = format!("{ty:#} is no pointer");
                let diagnostic = Diagnostic::error(Tag::D_DEREF_NONPTR, pointer.span, message);
                return Err(self.refuse(diagnostic.help("cast it to a pointer first, as in `*(int *)arg0`")));
            }
        };
        let (tag, message, help) = match to {
            Type::Void => (
                Tag::D_DEREF_VOID,
                format!("{:#} leads to something of unknown type", pointer.ty),
                "cast it to a pointer to what lies there, as in `*(int *)p`",
            ),
            Type::Function(_) => (
                Tag::D_DEREF_FUNC,
                format!("{:#} leads to a function, which is no value", pointer.ty),
                "leave the `*` out: a pointer to a function can be compared and printed",
            ),
            Type::Struct(_) => (
                Tag::D_CG_DYN,
                format!("{:#} leads into the probe's record, which is no value as a whole", pointer.ty),
                "name a member: `->`",
            ),
            to => return Ok(Expr { kind: ExprKind::Load(pointed(pointer)), ty: to, span }),
        };
        Err(self.refuse(Diagnostic::error(tag, pointer.span, message).help(help)))
    }

    /// `base[keys]`: an argument, an array's element, or what a pointer leads to.
    pub(super) fn index(
        &mut self,
        base: &ast::Expr,
        keys: &[ast::Expr],
        span: Span,
    ) -> Result<Expr, Refused> {
        if let ast::ExprKind::Var(scope, name) = &base.kind {
            match (scope, name.name.as_str()) {
                (Scope::Global, "uregs") => return self.register(keys, span),
                (Scope::Global, "args") => return self.argument(keys, span),
                (Scope::Global, STATE_NAMES) => return self.state_name(keys, span),
                (Scope::Global, FILES) if self.is_reserved(FILES) => return self.file(keys, span),
                _ => {}
            }
            if self.parameter(*scope, &name.name).is_none()
                && let Some(Known::Macro(inline)) = self.variables.get(*scope, &name.name)
            {
                return self.expand_macro(&Rc::clone(inline), keys, span);
            }
            if self.is_associative(*scope, name) {
                return self.element(*scope, name, keys, span);
            }
        }
        let (base, keys) = (self.expr(base), self.keys(keys));
        let (base, mut keys) = (base?, keys?);
        let single = keys.len() == 1;
        match (keys.pop(), single) {
            (Some(key), true) if matches!(base.ty, Type::Array(..)) => self.array_element(base, key, span),
            (Some(key), true) if base.ty.as_text().is_some() => {
                let characters = self.characters(base);
                self.array_element(characters, key, span)
            }
            (Some(key), true) if base.ty.is_address() => {
                let sum = self.binary(ast::BinOp::Add, base, key, span)?;
                self.deref(sum, span)
            }
            (_, single) => {
                let (tag, message) = match base.ty {
                    Type::Array(..) | Type::Pointer(_) if !single => {
                        (Tag::D_ARR_BADREF, "an array or a pointer takes one subscript".to_owned())
                    }
                    _ if single => (Tag::D_DEREF_NONPTR, format!("{:#} has no elements", base.ty)),
                    _ => (Tag::D_ARR_BADREF, format!("{:#} has no elements", base.ty)),
                };
                let diagnostic = Diagnostic::error(tag, base.span, message);
                Err(self.refuse(
                    diagnostic.help("only associative arrays, arrays, pointers and args[] take a subscript"),
                ))
            }
        }
    }

    /// A string as the characters that it is made of, for a subscript to choose from.
    fn characters(&mut self, text: Expr) -> Expr {
        let (text, setup) = self.placed(into_buffer(text));
        let character = Type::Int(spelled(ast::IntWidth::Char, None));
        let ty = Type::Array(Box::new(character), text.ty.size().unwrap_or(0));
        after(setup, Expr { ty, ..text })
    }

    /// An element of an array. In the program's own memory it is looked after that the array has it.
    fn array_element(&mut self, array: Expr, key: Expr, span: Span) -> Result<Expr, Refused> {
        let (array, setup) = self.placed(array);
        let (Some(place), Type::Array(of, count)) = (array.place(), &array.ty) else { return Err(Refused) };
        let ty = (**of).clone();
        if key.ty.as_int().is_none() {
            let message = format!("a subscript of {:#} is an integer, not {:#}", array.ty, key.ty);
            let diagnostic = Diagnostic::error(Tag::D_OP_INT, key.span, message);
            return Err(self.refuse(diagnostic.help("use a number")));
        }
        let size = ty.size().unwrap_or(0);
        let own = !matches!(place.whole(), Place::Memory(_));
        let part = match fold::constant(&key) {
            Some(number) if own && !(0..i64::from(*count)).contains(&number) => {
                let message = format!("{:#} has no element {number}", array.ty);
                let diagnostic = Diagnostic::error(Tag::D_ARR_BOUNDS, key.span, message);
                return Err(self
                    .refuse(diagnostic.help(format!("its elements are 0 to {}", count.saturating_sub(1)))));
            }
            Some(number) if (0..i64::from(u32::MAX >> 4)).contains(&(number.saturating_mul(size.into()))) => {
                Part { offset: number as u32 * size, ..Part::default() }
            }
            _ => {
                let index = Index { value: key.to_int(LONG), size, count: own.then_some(*count) };
                Part { indexes: vec![index], ..Part::default() }
            }
        };
        Ok(after(setup, Expr { kind: ExprKind::Load(place.clone().part(part)), ty, span }))
    }

    /// `base->member`, `base.member`
    pub(super) fn member(
        &mut self,
        base: &ast::Expr,
        arrow: bool,
        member: &ast::Ident,
        span: Span,
    ) -> Result<Expr, Refused> {
        if let Some(Known::Value(Expr { kind: ExprKind::Int(value), .. }, since)) =
            self.variables.get(Scope::Global, &member.name)
        {
            let (value, since) = (*value, *since);
            let message = format!("`{}` is the constant {value}, not a member's name here", member.name);
            let diagnostic = Diagnostic::error(Tag::D_OP_IDENT, member.span, message);
            return Err(self.refuse(
                diagnostic.related(since, "defined here").help("give the inline or enumerator another name"),
            ));
        }
        if let Some(base) = self.translated(base)? {
            return self.translated_member(&base, arrow, member, span);
        }
        let (base, arrow) = match &base.kind {
            // `(*pointer).member`: of a probe's record, only this is an expression.
            ast::ExprKind::Unary { op: UnOp::Deref, expr } if !arrow => (self.operand(expr)?, true),
            _ if arrow || self.is_file(base) => (decayed(self.value_for(base, Tag::D_OP_PTR)?), true),
            _ => (self.value_for(base, Tag::D_OP_SOU)?, false),
        };
        match (&base.ty, arrow) {
            (Type::Pointer(to), true) => match &**to {
                Type::Struct(def) => self.record_member(base.clone(), def, member, span),
                Type::Composite(composite) => {
                    let composite = composite.clone();
                    self.composite_member(pointed(base), &composite, member, span)
                }
                _ => self.no_structure(&base, arrow),
            },
            (Type::Composite(composite), false) => {
                let composite = composite.clone();
                let (base, setup) = self.placed(base);
                let place = base.place().cloned().ok_or(Refused)?;
                Ok(after(setup, self.composite_member(place, &composite, member, span)?))
            }
            _ => self.no_structure(&base, arrow),
        }
    }

    fn no_structure(&mut self, base: &Expr, arrow: bool) -> Result<Expr, Refused> {
        let (tag, message, help) = if arrow {
            let help = match (&base.kind, &base.ty) {
                (ExprKind::Arg(number), _) => format!("args[{number}] has the argument with its type"),
                (_, Type::Composite(_)) => "it is a structure itself: write `.`".to_owned(),
                (_, Type::Pointer(_)) => "cast it to a pointer to the structure that lies there".to_owned(),
                _ => "only pointers to structures have members".to_owned(),
            };
            let tag = if base.ty.is_address() { Tag::D_OP_SOU } else { Tag::D_OP_PTR };
            (tag, format!("{:#} is no pointer to a structure", base.ty), help)
        } else {
            let pointer =
                matches!(&base.ty, Type::Pointer(to) if matches!(**to, Type::Struct(_) | Type::Composite(_)));
            let help =
                if pointer { "it is a pointer to one: write `->`" } else { "only structures have members" };
            (Tag::D_OP_SOU, format!("{:#} is no structure", base.ty), help.to_owned())
        };
        Err(self.refuse(Diagnostic::error(tag, base.span, message).help(help)))
    }

    /// A member of a struct of the probe tables.
    fn record_member(
        &mut self,
        base: Expr,
        def: &'static StructDef,
        member: &ast::Ident,
        span: Span,
    ) -> Result<Expr, Refused> {
        match def.field(&member.name) {
            Some(field) => {
                let ty = self.of_kernel(of_field(field), field.ctype);
                Ok(Expr { kind: ExprKind::Member(Box::new(base), field), ty, span })
            }
            None => {
                let names = def.fields.iter().map(|field| field.name).collect();
                Err(self.no_member(Tag::D_XLATE_NOCONV, def.name, member, names))
            }
        }
    }

    pub(super) fn composite_member(
        &mut self,
        place: Place,
        composite: &Composite,
        member: &ast::Ident,
        span: Span,
    ) -> Result<Expr, Refused> {
        self.check_complete(composite, span)?;
        let Some(found) = composite.member(&member.name) else {
            let names = composite.member_names();
            return Err(self.no_member(Tag::D_TYPE_MEMBER, &composite.name(), member, names));
        };
        let part = Part { offset: found.offset, indexes: Vec::new(), bits: found.bits };
        Ok(Expr { kind: ExprKind::Load(place.part(part)), ty: found.ty, span })
    }

    fn check_complete(&mut self, composite: &Composite, span: Span) -> Result<(), Refused> {
        if composite.body().is_some() {
            return Ok(());
        }
        let message = format!("{} is only declared: its members are not known", composite.name());
        let diagnostic = Diagnostic::error(Tag::D_OP_INCOMPLETE, span, message);
        Err(self.refuse(diagnostic.help("define it: `struct name { type member; };`")))
    }

    fn no_member(&mut self, tag: Tag, name: &str, member: &ast::Ident, names: Vec<&'static str>) -> Refused {
        const SHOWN: usize = 20;
        let message = format!("{name} has no member `{}`", member.name);
        let diagnostic =
            Diagnostic::error(tag, member.span, message).did_you_mean(&member.name, names.iter().copied());
        self.refuse(match diagnostic.help {
            Some(_) => diagnostic,
            None if names.len() > SHOWN => {
                diagnostic.help(format!("its members are {}, ...", names[..SHOWN].join(", ")))
            }
            None => diagnostic.help(format!("its members are {}", names.join(", "))),
        })
    }

    /// `&place`
    pub(super) fn address_of(&mut self, inner: &ast::Expr, span: Span) -> Result<Expr, Refused> {
        let expr = self.value_for(inner, Tag::D_ADDROF_VAR)?;
        if self.is_variable(inner) {
            let message = "a variable of D has no address of its own";
            let diagnostic = Diagnostic::error(Tag::D_ADDROF_VAR, inner.span, message);
            return Err(self.refuse(
                diagnostic.help("take the address of a member or an element, or of memory of alloca()"),
            ));
        }
        if matches!(inner.kind, ast::ExprKind::Symbol { .. })
            && (expr.place().is_none() || matches!(expr.ty, Type::Array(..)))
        {
            // A function or an array stands for its address already.
            return Ok(Expr { span, ..decayed(expr) });
        }
        if let Type::Array(..) = expr.ty {
            let message = format!("{:#} stands for its address already", expr.ty);
            let diagnostic = Diagnostic::error(Tag::D_ADDROF_LVAL, expr.span, message);
            return Err(self.refuse(diagnostic.help("leave the `&` out")));
        }
        let pointer = Type::Pointer(Box::new(expr.ty.clone()));
        // A number in a record: inet_ntoa() wants its address.
        if let ExprKind::Member(base, field) = &expr.kind
            && matches!(field.kind, Kind::Int { .. })
            && has_address(base)
        {
            let word = Type::Int(UINT64);
            let offset = Expr { kind: ExprKind::Int(field.offset as i64), ty: word.clone(), span };
            let base = (**base).clone().converted(&word);
            let sum = ExprKind::Binary(BinaryOp::Add, Box::new(base), Box::new(offset));
            return Ok(Expr { kind: sum, ty: word, span }.converted(&pointer));
        }
        let Some(place) = expr.place() else {
            let message = "this is no place in memory: it has no address";
            let diagnostic = Diagnostic::error(Tag::D_ADDROF_LVAL, expr.span, message);
            return Err(
                self.refuse(diagnostic.help("take the address of a variable, a member or an element"))
            );
        };
        let kind = match place {
            Place::Memory(address) => return Ok(Expr { span, ..(**address).clone().converted(&pointer) }),
            Place::Part(_, Part { bits: Some(_), .. }) => {
                let diagnostic =
                    Diagnostic::error(Tag::D_ADDROF_BITFIELD, expr.span, "a bit-field has no address");
                return Err(self.refuse(diagnostic.help("use its value, or the address of the structure")));
            }
            place => ExprKind::AddressOf(place.clone()),
        };
        Ok(Expr { kind, ty: pointer, span })
    }

    /// Whether the expression is a variable, or an element of an associative one, rather than a part of one.
    fn is_variable(&self, expr: &ast::Expr) -> bool {
        match &expr.kind {
            ast::ExprKind::Var(scope, name) => {
                self.parameter(*scope, &name.name).is_none()
                    && match self.variables.get(*scope, &name.name) {
                        Some(Known::Value(..)) => false,
                        Some(_) => true,
                        None => super::constants::find(&name.name).is_none(),
                    }
            }
            ast::ExprKind::Index { base, .. } => match &base.kind {
                ast::ExprKind::Var(Scope::Global, name) if self.is_reserved(&name.name) => true,
                ast::ExprKind::Var(scope, name) => self.is_associative(*scope, name),
                _ => false,
            },
            _ => false,
        }
    }

    /// `sizeof expr`, where a bare name may be a type's.
    pub(super) fn sizeof(&mut self, inner: &ast::Expr, span: Span) -> Result<Expr, Refused> {
        if let ast::ExprKind::Var(Scope::Global, name) = &inner.kind
            && self.variables.get(Scope::Global, &name.name).is_none()
            && let Some(ty) = self.known_type(&name.name)
        {
            return self.size(&ty, span);
        }
        let expr = self.value_for(inner, Tag::D_SIZEOF_TYPE)?;
        if let Some(Place::Part(_, Part { bits: Some(_), .. })) = expr.place() {
            let diagnostic =
                Diagnostic::error(Tag::D_SIZEOF_BITFIELD, span, "a bit-field has no size in bytes");
            return Err(self.refuse(diagnostic.help("ask for the size of the structure")));
        }
        self.size(&expr.ty, span)
    }

    /// The size of a type.
    pub(super) fn size(&mut self, ty: &Type, span: Span) -> Result<Expr, Refused> {
        let size = match ty {
            // A buffer may have room for more than a string is long.
            Type::String(Text::Buffer(size)) => Some((*size).min(self.options.strsize as u32)),
            Type::String(_) => Some(self.options.strsize as u32),
            ty => ty.size(),
        };
        match size {
            Some(size) => Ok(integer(i64::from(size), named("size_t").unwrap_or(ULONG), span)),
            None => {
                let diagnostic = Diagnostic::error(Tag::D_SIZEOF_TYPE, span, format!("{ty} has no size"));
                let lack = if matches!(ty, Type::Composite(_)) { self.traced.lack() } else { None };
                let diagnostic = match (ty, lack) {
                    (Type::Composite(_), Some(lack)) => diagnostic.help(format!(
                        "the traced program does not tell of its types: {lack}; {}",
                        lack.help()
                    )),
                    (Type::Composite(of), None) => {
                        let kind = NameKind::Composite(of.kind);
                        let names = self.types.names(kind).into_iter().map(str::to_owned).collect::<Vec<_>>();
                        let (name, tag) = (of.name(), of.kind.word());
                        let bare = name.strip_prefix(tag).map_or(name.as_str(), str::trim_start);
                        let others = names.iter().map(String::as_str).filter(|name| *name != bare);
                        diagnostic.did_you_mean(bare, others)
                    }
                    _ => diagnostic,
                };
                Err(self.refuse(match diagnostic.help {
                    Some(_) => diagnostic,
                    None => diagnostic.help("ask for the size of a number, a pointer or a string"),
                }))
            }
        }
    }

    /// `offsetof(type, member)`
    pub(super) fn offset_of(
        &mut self,
        ty: &ast::TypeName,
        member: &ast::Ident,
        span: Span,
    ) -> Result<Expr, Refused> {
        let of = self.type_name(ty)?;
        let offset = match &of {
            Type::Struct(def) => match def.field(&member.name) {
                Some(field) => field.offset as u32,
                None => {
                    let names = def.fields.iter().map(|field| field.name).collect();
                    return Err(self.no_member(Tag::D_UNKNOWN, def.name, member, names));
                }
            },
            Type::Composite(composite) => {
                if composite.body().is_none() {
                    let message = format!("{} is only declared: its members are not known", composite.name());
                    let diagnostic = Diagnostic::error(Tag::D_OFFSETOF_TYPE, ty.span, message);
                    return Err(self.refuse(diagnostic.help("define it: `struct name { type member; };`")));
                }
                match composite.member(&member.name) {
                    Some(found) if found.bits.is_some() => {
                        let message = format!("`{}` is a bit-field: it has no offset in bytes", member.name);
                        let diagnostic = Diagnostic::error(Tag::D_OFFSETOF_BITFIELD, member.span, message);
                        return Err(self.refuse(diagnostic.help("ask for a member that is no bit-field")));
                    }
                    Some(found) => found.offset,
                    None => {
                        let names = composite.member_names();
                        return Err(self.no_member(Tag::D_UNKNOWN, &composite.name(), member, names));
                    }
                }
            }
            of => {
                let diagnostic =
                    Diagnostic::error(Tag::D_OFFSETOF_TYPE, ty.span, format!("{of:#} has no members"));
                return Err(self.refuse(diagnostic.help("name a structure or a union")));
            }
        };
        Ok(integer(i64::from(offset), named("size_t").unwrap_or(ULONG), span))
    }

    /// An array or structure as a place: where it is none (`(a = b).x`), it is kept in a variable that has no name, by
    /// the assignment that comes with it.
    fn placed(&mut self, expr: Expr) -> (Expr, Option<Expr>) {
        if expr.place().is_some() {
            return (expr, None);
        }
        let (ty, span) = (expr.ty.clone(), expr.span);
        let place = self.variables.add_hidden(ty.clone());
        let kind = ExprKind::Assign(place.clone(), Box::new(expr));
        let setup = Expr { kind, ty: ty.clone(), span };
        (Expr { kind: ExprKind::Load(place), ty, span }, Some(setup))
    }
}

impl Expr {
    /// The place that it is, where it is one.
    pub fn place(&self) -> Option<&Place> {
        match &self.kind {
            ExprKind::Load(place) => Some(place),
            _ => None,
        }
    }
}

impl Place {
    /// What it is a part of, or itself.
    pub fn whole(&self) -> &Place {
        match self {
            Place::Part(of, _) => of,
            whole => whole,
        }
    }
}

/// What the pointer leads to.
pub(super) fn pointed(pointer: Expr) -> Place {
    Place::Memory(Box::new(pointer))
}

/// The value, once `setup` has been done.
pub(super) fn after(setup: Option<Expr>, value: Expr) -> Expr {
    let Some(setup) = setup else { return value };
    let (ty, span) = (value.ty.clone(), value.span);
    Expr { kind: ExprKind::Comma(Box::new(setup), Box::new(value)), ty, span }
}

/// The value as [`decayed`], but an array as it is.
pub(super) fn enumerated(expr: Expr) -> Expr {
    if matches!(expr.ty, Type::Array(..)) { expr } else { decayed(expr) }
}

/// The value as operators take it: an array as the address of its first element, an enumeration as its integer, a
/// bit-field that an int can hold as an int.
pub(super) fn decayed(expr: Expr) -> Expr {
    let span = expr.span;
    match (&expr.kind, &expr.ty) {
        (ExprKind::Load(place), Type::Array(of, _)) => {
            let ty = Type::Pointer(of.clone());
            Expr { kind: ExprKind::AddressOf(place.clone()), ty, span }
        }
        (ExprKind::Comma(setup, value), Type::Array(..)) => {
            after(Some((**setup).clone()), decayed((**value).clone()))
        }
        (_, Type::Enum(of)) => Expr { ty: Type::Int(of.int), ..expr },
        (ExprKind::Load(Place::Part(_, Part { bits: Some(bits), .. })), Type::Int(int))
            if !int.signed && bits.width < 32 =>
        {
            expr.to_int(INT)
        }
        _ => expr,
    }
}
