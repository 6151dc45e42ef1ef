//! Places in memory: elements, what pointers lead to, and what a place is as a value.
//!
//! An expression that is a place is a [`ExprKind::Load`] of it, whatever its type; [`Checker::operand`] makes of an array
//! the address of its first element, as C does where a value is wanted, and of an enumeration its integer.

use std::rc::Rc;

use super::ctype::Type;
use super::current::FILES;
use super::names::{STATE_NAMES, integer};
use super::operators::into_buffer;
use super::typed::{Expr, ExprKind, Index, Part, Place};
use super::types::{INT, LONG, spelled};
use super::variables::Known;
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{self, Scope};

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

    /// An array or structure as a place: where it is none (`(a = b).x`), it is kept in a variable that has no name, by
    /// the assignment that comes with it.
    pub(super) fn placed(&mut self, expr: Expr) -> (Expr, Option<Expr>) {
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
