//! Declared variables, and type names.

use probes_common::providers::PROVIDERS;
use probes_common::schema::{Kind, StructDef};

use super::typed::Type;
use super::types::{NAMED, named, spelled as int_spelled};
use super::unsupported::Construct;
use super::variables::{Known, Shape, spelled};
use super::{Checker, Refused};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast::{
    BaseKind, BaseType, Declaration, Declarator, Derived, Ident, Scope, Storage, TypeName,
};

impl Checker<'_> {
    /// `int x; self int y; string a[int, string];`
    pub(super) fn declaration(&mut self, declaration: &Declaration) {
        let scope = match declaration.storage {
            None => Ok(Scope::Global),
            Some(Storage::Thread) => Ok(Scope::Thread),
            Some(Storage::Clause) => Ok(Scope::Clause),
            Some(Storage::Typedef) => Ok(Scope::Global),
            Some(Storage::Extern) => Err(self.unsupported(Construct::Symbol, declaration.span)),
            Some(Storage::Static | Storage::Auto | Storage::Register) => {
                let message = "D variables have no storage class but `self` and `this`";
                let diagnostic = Diagnostic::error(Tag::D_DECL_CLASS, declaration.span, message);
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
                Ok(base) => self.declare(scope, name, base.clone(), declarator),
                Err(refused) => Err(*refused),
            };
            if declared.is_err() {
                self.variables.add_refused(scope, &name.name);
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
            Some((Derived::Assoc(params), rest)) => {
                let keys: Vec<_> = params.iter().map(|param| self.type_name(&param.ty)).collect();
                (Some(keys.into_iter().collect::<Result<Vec<Type>, Refused>>()?), rest)
            }
            _ => (None, declarator.derived.as_slice()),
        };
        let ty = self.derive(base, derived, declarator.span)?;
        if scope == Scope::Clause && keys.is_some() {
            return Err(self.local_array(&spelling, declarator.span));
        }
        if scope == Scope::Global && Self::is_reserved(&name.name) {
            let message = format!("`{spelling}` is a name of the language");
            let diagnostic = Diagnostic::error(Tag::D_DECL_IDRED, name.span, message);
            return Err(self.refuse(diagnostic.help("choose another name")));
        }
        for part in keys.iter().flatten() {
            if !matches!(part, Type::Int(_) | Type::String(_)) && !part.is_address() {
                let message = format!("{part:#} cannot be a part of a key");
                let diagnostic = Diagnostic::error(Tag::D_KEY_TYPE, declarator.span, message);
                return Err(self.refuse(diagnostic.help("use numbers and strings")));
            }
        }
        if matches!(ty, Type::Void | Type::Struct(_)) || ty.is_record() {
            let message = format!("a variable cannot be of type {ty}");
            let diagnostic = Diagnostic::error(Tag::D_DECL_VOIDOBJ, declarator.span, message);
            return Err(self.refuse(diagnostic.help("declare a number, a pointer to a number or a string")));
        }
        match self.variables.get(scope, &name.name) {
            None => {
                self.variables.add(scope, &name.name, keys, ty, true, name.span);
                Ok(())
            }
            Some(Known::Refused) => Err(Refused),
            Some(known @ (Known::Value(..) | Known::Macro(_))) => {
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
                    (Shape::Array(index), Some(keys)) => self.variables.dynamics[*index].keys == *keys,
                    _ => false,
                };
                if same_keys && before.ty == ty {
                    return Ok(());
                }
                let message = format!("`{spelling}` is declared again, differently");
                let diagnostic = Diagnostic::error(Tag::D_DECL_IDRED, name.span, message);
                let diagnostic = diagnostic.related(before.span, format!("{:#} since here", before.ty));
                Err(self.refuse(diagnostic.help("choose another name, or declare it once")))
            }
        }
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
            Derived::Array(_) => Err(self.unsupported(Construct::CArray, span)),
            Derived::Function { .. } => Err(self.unsupported(Construct::FunctionType, span)),
            Derived::Assoc(_) => {
                let message = "an associative array cannot be a part of another type";
                let diagnostic = Diagnostic::error(Tag::D_DECL_DYNOBJ, span, message);
                Err(self.refuse(diagnostic.help("put all parts of the key into one pair of brackets")))
            }
        })
    }

    pub(super) fn base_type(&mut self, base: &BaseType) -> Result<Type, Refused> {
        match &base.kind {
            BaseKind::Void => Ok(Type::Void),
            BaseKind::String => Ok(self.string()),
            BaseKind::Int { width, sign } => Ok(Type::Int(int_spelled(*width, *sign))),
            BaseKind::Float | BaseKind::Double | BaseKind::LongDouble => {
                Err(self.unsupported(Construct::Float, base.span))
            }
            BaseKind::Named { module: Some(_), .. } => Err(self.unsupported(Construct::Symbol, base.span)),
            BaseKind::Named { module: None, name } => self.named_type(name),
            BaseKind::Record(_) => Err(self.unsupported(Construct::Record, base.span)),
            BaseKind::Enum(list) => self.enumeration(list, base.span),
        }
    }

    fn named_type(&mut self, name: &Ident) -> Result<Type, Refused> {
        if let Some((ty, _)) = self.typedefs.get(&name.name) {
            return Ok(ty.clone());
        }
        if let Some(ty) = named(&name.name) {
            return Ok(Type::Int(ty));
        }
        if name.name == "caddr_t" {
            return Ok(Type::Pointer(Box::new(Type::Int(int_spelled(
                crate::syntax::ast::IntWidth::Char,
                None,
            )))));
        }
        if let Some(def) = probe_struct(&name.name) {
            return Ok(Type::Struct(def));
        }
        let own = self.typedefs.keys().map(String::as_str);
        let names: Vec<&str> =
            NAMED.iter().map(|row| row.0).chain(["int", "char", "long", "string"]).chain(own).collect();
        let diagnostic =
            Diagnostic::error(Tag::D_TYPE_ERR, name.span, format!("there is no type `{}`", name.name));
        let diagnostic = diagnostic.did_you_mean(&name.name, names);
        Err(self.refuse(match diagnostic.help {
            Some(_) => diagnostic,
            None => diagnostic.help("use one of C's integer types, `string`, or a pointer"),
        }))
    }
}

/// The structure of the probe tables that has this name.
fn probe_struct(name: &str) -> Option<&'static StructDef> {
    let records = PROVIDERS.iter().copied().flatten().map(|probe| probe.program.record);
    records.flat_map(|record| record.fields).find_map(|field| match field.kind {
        Kind::Struct(def) if def.name == name => Some(def),
        _ => None,
    })
}
