//! The program's variables: what they are called, where they live, and since when they have their type.
//!
//! Invariant: a name has one shape and one type in each scope, given by its declaration or its first assignment; a name
//! whose first assignment was refused is known too, so that it is complained about once.

use std::collections::HashMap;
use std::rc::Rc;

use super::inline::Macro;
use super::translator::Translated;
use super::typed::{Dynamic, Expr, Place, Text, Type, Variable};
use super::types::text_size;
use crate::diagnostic::Span;
use crate::syntax::ast::Scope;

/// All variables.
#[derive(Debug, Default, Clone)]
pub(super) struct Variables {
    known: HashMap<(Scope, String), Known>,
    /// Names that were used before they were known: index of the diagnostic.
    pub(super) early: HashMap<(Scope, String), usize>,
    pub(super) globals: Vec<Variable>,
    pub(super) locals: Vec<Variable>,
    pub(super) dynamics: Vec<Dynamic>,
}

/// What is known of a name.
#[derive(Debug, Clone)]
pub(super) enum Known {
    /// A variable.
    Entry(Entry),
    /// A value that the name stands for, and where it was defined.
    Value(Expr, Span),
    /// An inline with parameters.
    Macro(Rc<Macro>),
    /// An inline that stands for what is to be translated, and where it was defined.
    Translated(Translated, Span),
    /// Its first use was refused.
    Refused,
}

impl Known {
    /// Where it became known.
    pub(super) fn since(&self) -> Option<Span> {
        match self {
            Known::Entry(entry) => Some(entry.span),
            Known::Value(_, span) | Known::Translated(_, span) => Some(*span),
            Known::Macro(inline) => Some(inline.span),
            Known::Refused => None,
        }
    }
}

/// A variable.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) shape: Shape,
    pub(super) ty: Type,
    /// Whether its type was declared rather than taken from its first assignment.
    pub(super) declared: bool,
    /// Where that happened.
    pub(super) span: Span,
}

/// Whether a variable has subscripts.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// One value.
    Scalar(Place),
    /// An associative array: its index among the dynamic variables.
    Array(usize),
}

/// How a name is written.
pub(super) fn spelled(scope: Scope, name: &str) -> String {
    match scope {
        Scope::Global => name.to_owned(),
        Scope::Thread => format!("self->{name}"),
        Scope::Clause => format!("this->{name}"),
    }
}

impl Variables {
    /// What is known of a name.
    pub(super) fn get(&self, scope: Scope, name: &str) -> Option<&Known> {
        self.known.get(&(scope, name.to_owned()))
    }

    /// The names of a scope, sorted.
    pub(super) fn names(&self, scope: Scope) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.known.keys().filter(|key| key.0 == scope).map(|key| key.1.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// Makes a variable; `keys` are those of an array. A clause has no arrays of its own.
    pub(super) fn add(
        &mut self,
        scope: Scope,
        name: &str,
        keys: Option<Vec<Type>>,
        ty: Type,
        declared: bool,
        span: Span,
    ) -> Entry {
        let variable = Variable { name: name.to_owned(), ty: ty.clone() };
        let shape = match (scope, keys) {
            (Scope::Global, None) => {
                self.globals.push(variable);
                Shape::Scalar(Place::Global(self.globals.len() - 1))
            }
            (Scope::Clause, _) => {
                self.locals.push(variable);
                Shape::Scalar(Place::This(self.locals.len() - 1))
            }
            (_, keys) => {
                let index = self.dynamics.len();
                let shape = if keys.is_some() {
                    Shape::Array(index)
                } else {
                    Shape::Scalar(Place::Dynamic(index, Vec::new()))
                };
                self.dynamics.push(Dynamic {
                    name: spelled(scope, name),
                    thread_local: scope == Scope::Thread,
                    keys: keys.unwrap_or_default(),
                    ty: ty.clone(),
                });
                shape
            }
        };
        let entry = Entry { shape, ty, declared, span };
        self.known.insert((scope, name.to_owned()), Known::Entry(entry.clone()));
        entry
    }

    /// A variable of the clause that no program can name.
    pub(super) fn add_hidden(&mut self, ty: Type) -> Place {
        self.locals.push(Variable { name: String::new(), ty });
        Place::This(self.locals.len() - 1)
    }

    /// Gives a value a name.
    pub(super) fn add_value(&mut self, name: &str, value: Expr, span: Span) {
        self.known.insert((Scope::Global, name.to_owned()), Known::Value(value, span));
    }

    /// Gives an inline a name.
    pub(super) fn add_known(&mut self, name: &str, known: Known) {
        self.known.insert((Scope::Global, name.to_owned()), known);
    }

    /// Remembers that the first use of a name was refused.
    pub(super) fn add_refused(&mut self, scope: Scope, name: &str) {
        self.known.entry((scope, name.to_owned())).or_insert(Known::Refused);
    }
}

/// The type of a part of a key in which values of both types can be told apart.
pub(super) fn joined(a: &Type, b: &Type) -> Type {
    match (a, b) {
        (Type::Int(x), Type::Int(y)) if y.bytes > x.bytes => b.clone(),
        (Type::String(x), Type::String(y)) if x != y => {
            Type::String(Text::Buffer(text_size(*x).max(text_size(*y))))
        }
        _ => a.clone(),
    }
}

/// Makes the parts of a key's type wide enough for one more key.
pub(super) fn widen(types: &mut [Type], keys: &[Expr]) {
    for (ty, key) in types.iter_mut().zip(keys) {
        *ty = joined(ty, &key.ty);
    }
}
