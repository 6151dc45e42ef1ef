//! Declared variables, and type names.

use std::rc::Rc;

use probes_common::providers::PROVIDERS;
use probes_common::schema::{Kind, StructDef};

use super::composite;
use super::ctype::{FloatType, NameKind, Signature, Text, Type};
use super::prototype::Prototype;
use super::types::{NAMED, ULONG, is_of_the_language, named, spelled as int_spelled};
use super::variables::{Known, Shape, spelled};
use super::{Checker, Refused, fold};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{
    BaseKind, BaseType, Declaration, Declarator, Derived, Expr, Ident, IntWidth, Param, Scope, Storage,
    TypeName,
};

/// The most bytes of a clause's variable: all of them are set to zero at each firing.
const LARGEST_LOCAL: u32 = 4096;
/// The most bytes of any other variable.
pub(super) const LARGEST_VARIABLE: u32 = 32 << 10;

impl Checker<'_> {
    /// `int x; self int y; string a[int, string];`
    pub(super) fn declaration(&mut self, declaration: &Declaration) {
        let scope = match declaration.storage {
            None => Ok(Scope::Global),
            Some(Storage::Thread) => Ok(Scope::Thread),
            Some(Storage::Clause) => Ok(Scope::Clause),
            Some(Storage::Typedef) => Ok(Scope::Global),
            Some(Storage::Extern) => Ok(Scope::Global),
            Some(Storage::Static) if declaration.declarators.iter().all(is_function) => Ok(Scope::Global),
            Some(Storage::Static | Storage::Auto | Storage::Register) => {
                let message = "D variables have no storage class but `self` and `this`";
                let diagnostic = Diagnostic::error(Tag::D_DECL_BADCLASS, declaration.span, message);
                Err(self.refuse(diagnostic.help("leave it out: the variable is global")))
            }
        };
        let base = match scope {
            Ok(_) => self.base_type(&declaration.base),
            Err(refused) => Err(refused),
        };
        for declarator in &declaration.declarators {
            let Some(name) = &declarator.name else { continue };
            let scope = scope.unwrap_or(Scope::Global);
            let declared = match &base {
                Ok(base) if declaration.storage == Some(Storage::Typedef) => {
                    self.typedef(name, base.clone(), declarator)
                }
                Ok(base)
                    if scope == Scope::Global
                        && (declaration.storage == Some(Storage::Extern) || is_function(declarator)) =>
                {
                    // What is defined elsewhere takes no room, and nothing is known of it but its type.
                    if let Err(Refused) = self.external(name, base.clone(), declarator) {
                        self.variables.add_refused(scope, &name.name);
                    }
                    continue;
                }
                Ok(base) => self.declare(scope, name, base.clone(), declarator),
                Err(refused) => Err(*refused),
            };
            if declared.is_err() {
                self.variables.add_refused(scope, &name.name);
            }
        }
    }

    /// `extern int x;`, `int f(int);`: of what is defined elsewhere, the type.
    fn external(&mut self, name: &Ident, base: Type, declarator: &Declarator) -> Result<(), Refused> {
        let ty = self.derive(base, &declarator.derived, declarator.span)?;
        match self.externals.get(&name.name) {
            Some((before, since)) if !before.same(&ty) => {
                let since = *since;
                let message = format!("`{}` is declared again, differently", name.name);
                let diagnostic = Diagnostic::error(Tag::D_DECL_IDRED, name.span, message);
                Err(self.refuse(diagnostic.related(since, "declared here first").help("declare it once")))
            }
            Some(_) => Ok(()),
            None => {
                self.externals.insert(name.name.clone(), (ty, name.span));
                Ok(())
            }
        }
    }

    fn declare(
        &mut self,
        scope: Scope,
        name: &Ident,
        base: Type,
        declarator: &Declarator,
    ) -> Result<(), Refused> {
        let spelling = spelled(scope, &name.name);
        let (keys, derived) = match declarator.derived.split_first() {
            Some((Derived::Assoc(params), rest)) => (Some(self.prototype(params, Prototype::Key)?), rest),
            _ => (None, declarator.derived.as_slice()),
        };
        let ty = self.derive(base, derived, declarator.span)?;
        if scope == Scope::Clause && keys.is_some() {
            return Err(self.local_array(Tag::D_DECL_LOCASSC, &spelling, declarator.span));
        }
        let own = self.types.own(NameKind::Typedef, &name.name).map(|known| known.1);
        if own.is_some() || is_of_the_language(&name.name) {
            let message = format!("`{}` is a type's name", name.name);
            let diagnostic =
                Diagnostic::error(Tag::D_DECL_IDRED, name.span, message).since(own, "defined here");
            return Err(self.refuse(diagnostic.help("choose another name")));
        }
        if scope == Scope::Global && self.is_reserved(&name.name) {
            let message = format!("`{spelling}` is a name of the language");
            let diagnostic = Diagnostic::error(Tag::D_DECL_IDRED, name.span, message);
            return Err(self.refuse(diagnostic.help("choose another name")));
        }
        let mut keys = keys;
        for part in keys.iter_mut().flatten() {
            if let Some(int) = part.as_int() {
                *part = Type::Int(int);
            } else if part.is_address() {
                *part = Type::Int(ULONG);
            } else if part.as_text().is_none() {
                let message = format!("{part:#} cannot be a part of a key");
                let diagnostic = Diagnostic::error(Tag::D_KEY_TYPE, declarator.span, message);
                return Err(self.refuse(diagnostic.help("use numbers and strings")));
            }
        }
        self.check_object(scope, &ty, declarator.span)?;
        match self.variables.get(scope, &name.name) {
            None => {
                self.variables.add(scope, &name.name, keys, ty, true, name.span);
                Ok(())
            }
            Some(Known::Refused) => Err(Refused),
            Some(known @ (Known::Value(..) | Known::Macro(_) | Known::Translated(..))) => {
                let since = known.since().unwrap_or(name.span);
                let message = format!("`{spelling}` is declared again, differently");
                let diagnostic = Diagnostic::error(Tag::D_DECL_IDRED, name.span, message);
                Err(self
                    .refuse(diagnostic.related(since, "a constant since here").help("choose another name")))
            }
            Some(Known::Entry(before)) => {
                let before = before.clone();
                let same_keys = match (&before.shape, &keys) {
                    (Shape::Scalar(_), None) => true,
                    (Shape::Array(index), Some(keys)) => {
                        let known = &self.variables.dynamics[*index].keys;
                        known.len() == keys.len() && known.iter().zip(keys).all(|(a, b)| a.same(b))
                    }
                    _ => false,
                };
                if same_keys && before.ty.same(&ty) {
                    return Ok(());
                }
                let message = format!("`{spelling}` is declared again, differently");
                let diagnostic = Diagnostic::error(Tag::D_DECL_IDRED, name.span, message);
                let diagnostic = diagnostic.related(before.span, format!("{:#} since here", before.ty));
                Err(self.refuse(diagnostic.help("choose another name, or declare it once")))
            }
        }
    }

    /// Whether a variable can be of this type.
    fn check_object(&mut self, scope: Scope, ty: &Type, span: Span) -> Result<(), Refused> {
        if matches!(ty, Type::Struct(_)) || ty.is_record() {
            let message = format!("a variable cannot be of type {ty}");
            let diagnostic = Diagnostic::error(Tag::D_DECL_VOIDOBJ, span, message);
            return Err(self.refuse(diagnostic.help("declare a number, a pointer to a number or a string")));
        }
        if let Type::Float(_) = ty {
            let message = "D does not calculate with floating-point numbers: a variable cannot be one";
            let diagnostic = Diagnostic::error(Tag::D_OP_ARITH, span, message);
            return Err(self.refuse(diagnostic.help("count in smaller units, in integers")));
        }
        if let Type::Array(_, 0) = ty {
            let diagnostic =
                Diagnostic::error(Tag::D_DECL_ARRNULL, span, "this array has no number of elements");
            return Err(self.refuse(diagnostic.help("write it in the brackets, as in `int a[10]`")));
        }
        let size = self.object_size(ty, span)?;
        let most = if scope == Scope::Clause { LARGEST_LOCAL } else { LARGEST_VARIABLE };
        if size > most && ty.is_aggregate() {
            let message = format!("this takes {size} bytes; here a variable may take {most}");
            let diagnostic = Diagnostic::error(Tag::D_LIMIT, span, message);
            return Err(self.refuse(diagnostic.help("make it smaller, or an associative array")));
        }
        Ok(())
    }

    /// A type without a name declared.
    pub(super) fn type_name(&mut self, name: &TypeName) -> Result<Type, Refused> {
        let base = self.base_type(&name.base)?;
        self.derive(base, &name.derived, name.span)
    }

    /// The derivations stand from the outside inwards.
    pub(super) fn derive(&mut self, base: Type, derived: &[Derived], span: Span) -> Result<Type, Refused> {
        derived.iter().rev().try_fold(base, |ty, step| match step {
            Derived::Pointer(_) => Ok(Type::Pointer(Box::new(ty))),
            Derived::Array(count) => self.array(ty, count.as_deref(), span),
            Derived::Function { params, variadic } => self.function(ty, params, *variadic, span),
            Derived::Assoc(_) => {
                let message = "an associative array cannot be a part of another type";
                let diagnostic = Diagnostic::error(Tag::D_DECL_DYNOBJ, span, message);
                Err(self.refuse(diagnostic.help("put all parts of the key into one pair of brackets")))
            }
        })
    }

    /// So many elements.
    fn array(&mut self, of: Type, count: Option<&Expr>, span: Span) -> Result<Type, Refused> {
        let size = self.object_size(&of, span)?;
        let Some(count) = count else { return Ok(Type::Array(Box::new(of), 0)) };
        let value = self.expr(count)?;
        let Some(number) = fold::constant(&value).filter(|number| *number > 0) else {
            let message = "an array's size is a positive integer constant";
            let diagnostic = Diagnostic::error(Tag::D_DECL_ARRSUB, count.span, message);
            return Err(
                self.refuse(diagnostic.help("an associative array has types in its brackets: `int a[int]`"))
            );
        };
        match u32::try_from(number).ok().filter(|n| n.saturating_mul(size.max(1)) <= composite::LARGEST) {
            Some(number) => Ok(Type::Array(Box::new(of), number)),
            None => {
                let message = format!("an array may take {} bytes", composite::LARGEST);
                let diagnostic = Diagnostic::error(Tag::D_DECL_ARRBIG, count.span, message);
                Err(self.refuse(diagnostic.help("make it smaller")))
            }
        }
    }

    /// A function, which is only ever pointed to.
    fn function(
        &mut self,
        result: Type,
        params: &[Param],
        variadic: bool,
        span: Span,
    ) -> Result<Type, Refused> {
        if matches!(result, Type::Array(..) | Type::Function(_)) {
            let diagnostic =
                Diagnostic::error(Tag::D_DECL_FUNCRET, span, format!("a function cannot return {result}"));
            return Err(self.refuse(diagnostic.help("it can return a pointer: `*`")));
        }
        let types = self.prototype(params, Prototype::Function)?.into_iter().map(|ty| match ty {
            Type::Array(of, _) => Type::Pointer(of),
            function @ Type::Function(_) => Type::Pointer(Box::new(function)),
            ty => ty,
        });
        Ok(Type::Function(Rc::new(Signature { result, params: types.collect(), variadic })))
    }

    pub(super) fn base_type(&mut self, base: &BaseType) -> Result<Type, Refused> {
        match &base.kind {
            BaseKind::Void => Ok(Type::Void),
            BaseKind::String => Ok(self.string()),
            BaseKind::Int { width, sign } => Ok(Type::Int(int_spelled(*width, *sign))),
            BaseKind::Float => Ok(Type::Float(FloatType::Float)),
            BaseKind::Double => Ok(Type::Float(FloatType::Double)),
            BaseKind::LongDouble => Ok(Type::Float(FloatType::LongDouble)),
            BaseKind::Named { module: Some(module), name } => {
                self.type_of_module(NameKind::Typedef, module, &name.name, base.span)
            }
            BaseKind::Named { module: None, name } if base.quals.userland => {
                match self.types.of_process(NameKind::Typedef, &name.name) {
                    Some(ty) => Ok(ty),
                    None => self.named_type(name),
                }
            }
            BaseKind::Named { module: None, name } => self.named_type(name),
            BaseKind::Record(record) => self.record(record, base.quals.userland, base.span),
            BaseKind::Enum(list) => self.enumeration(list, base.span),
        }
    }

    /// The type of that name of one word: the program's own, the language's, then what the sources know.
    pub(super) fn known_type(&self, name: &str) -> Option<Type> {
        let own = self.types.own(NameKind::Typedef, name).map(|known| known.0.clone());
        let fixed = || match name {
            "caddr_t" => Some(Type::Pointer(Box::new(Type::Int(int_spelled(IntWidth::Char, None))))),
            _ => named(name).map(Type::Int),
        };
        own.or_else(fixed).or_else(|| self.types.find(NameKind::Typedef, name))
    }

    /// Whether a type has that name of one word.
    pub(super) fn is_type(&self, name: &str) -> bool {
        self.known_type(name).is_some() || probe_struct(name).is_some()
    }

    fn named_type(&mut self, name: &Ident) -> Result<Type, Refused> {
        if let Some(ty) = self.known_type(&name.name) {
            return Ok(ty);
        }
        if let Some(def) = probe_struct(&name.name) {
            return Ok(Type::Struct(def));
        }
        let own = self.types.names(NameKind::Typedef);
        let names: Vec<&str> =
            NAMED.iter().map(|row| row.0).chain(["int", "char", "long", "string"]).chain(own).collect();
        let diagnostic =
            Diagnostic::error(Tag::D_SYNTAX, name.span, format!("there is no type `{}`", name.name));
        let diagnostic = diagnostic.did_you_mean(&name.name, names);
        Err(self.refuse(match diagnostic.help {
            Some(_) => diagnostic,
            None => diagnostic.help("use one of C's integer types, `string`, or a pointer"),
        }))
    }

    /// The type of string variables.
    pub(super) fn string(&self) -> Type {
        Type::String(Text::Buffer(self.options.string_buffer()))
    }
}

/// Whether a declarator makes a function of its name.
fn is_function(declarator: &Declarator) -> bool {
    matches!(declarator.derived.first(), Some(Derived::Function { .. }))
}

/// The structure of the probe tables that has this name.
pub(super) fn probe_struct(name: &str) -> Option<&'static StructDef> {
    let records = PROVIDERS.iter().copied().flatten().map(|probe| probe.program.record);
    records.flat_map(|record| record.fields).find_map(|field| match field.kind {
        Kind::Struct(def) if def.name == name => Some(def),
        _ => None,
    })
}
