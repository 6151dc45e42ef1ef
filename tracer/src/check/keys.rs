//! Keys of associative arrays and aggregations: what can be a part of one, and whether it is like those before it.

use super::place::decayed;
use super::typed::{Expr, Type};
use super::{Checker, Refused, are, counted};
use crate::diagnostic::{Diagnostic, Span, Tag};
use crate::syntax::ast;

impl Checker<'_> {
    /// The values of a key: integers, addresses and strings.
    pub(super) fn keys(&mut self, keys: &[ast::Expr]) -> Result<Vec<Expr>, Refused> {
        let values: Vec<_> = keys
            .iter()
            .map(|key| self.value_for(key, Tag::D_KEY_TYPE).and_then(|key| self.key(key)))
            .collect();
        values.into_iter().collect()
    }

    /// The values of an aggregation's key, call stacks and symbols among them.
    pub(super) fn recordable_keys(&mut self, keys: &[ast::Expr]) -> Result<Vec<Expr>, Refused> {
        let part = |key: &ast::Expr| {
            let value = self.recordable(key, Tag::D_KEY_TYPE)?;
            if matches!(value.ty, Type::Stack(_) | Type::Symbol(_)) { Ok(value) } else { self.key(value) }
        };
        let values: Vec<_> = keys.iter().map(part).collect();
        values.into_iter().collect()
    }

    fn key(&mut self, key: Expr) -> Result<Expr, Refused> {
        let key = match key.ty {
            Type::Array(..) => self.as_string(key)?,
            _ => decayed(key),
        };
        match key.ty {
            Type::Int(_) | Type::String(_) => Ok(key),
            Type::Pointer(_) if key.ty.is_address() => Ok(key.condition()),
            _ => {
                let message = format!("{:#} cannot be a part of a key", key.ty);
                let help =
                    if key.ty.is_record() { "name a member: `->`" } else { "use a number or a string" };
                Err(self.refuse(Diagnostic::error(Tag::D_KEY_TYPE, key.span, message).help(help)))
            }
        }
    }

    /// Compares a key with those of the array or aggregation before it.
    pub(super) fn check_keys(
        &mut self,
        name: &str,
        keys: &[Expr],
        types: &[Type],
        since: Span,
        span: Span,
    ) -> Result<(), Refused> {
        let shown = || types.iter().map(|ty| ty.to_string()).collect::<Vec<_>>().join(", ");
        if keys.len() != types.len() {
            let message = format!(
                "`{name}` has a key of {}, here {} {}",
                counted(types.len(), "part"),
                are(keys.len()),
                keys.len()
            );
            return Err(self.refuse(
                Diagnostic::error(Tag::D_PROTO_LEN, span, message)
                    .related(since, "its first use")
                    .help(format!("its key is [{}]", shown())),
            ));
        }
        let alike = |key: &Expr, ty: &Type| match (&key.ty, ty) {
            (Type::Int(_), Type::Int(_)) | (Type::String(_), Type::String(_)) => true,
            (Type::Stack(_) | Type::Symbol(_), ty) => key.ty == *ty,
            _ => false,
        };
        for (number, (key, ty)) in keys.iter().zip(types).enumerate() {
            if !alike(key, ty) {
                let message =
                    format!("part {} of the key of `{name}` is {ty:#}, this is {:#}", number + 1, key.ty);
                return Err(self.refuse(
                    Diagnostic::error(Tag::D_PROTO_ARG, key.span, message)
                        .related(since, "its first use")
                        .help(format!("its key is [{}]", shown())),
                ));
            }
        }
        Ok(())
    }
}
