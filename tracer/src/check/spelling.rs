//! Types as a C program writes them.

use std::fmt;

use super::ctype::{Composite, Type};

impl Type {
    /// The declaration of a name of this type: `int *x[4]`.
    pub fn declaration(&self, name: &str) -> String {
        self.around(name.to_owned())
    }

    /// The type around what stands for its declarator.
    fn around(&self, inner: String) -> String {
        let base = match self {
            Type::Pointer(to) if matches!(**to, Type::Array(..) | Type::Function(_)) => {
                return to.around(format!("(*{inner})"));
            }
            Type::Pointer(to) => return to.around(format!("*{inner}")),
            Type::Array(of, 0) => return of.around(format!("{inner}[]")),
            Type::Array(of, count) => return of.around(format!("{inner}[{count}]")),
            Type::Function(signature) => {
                let mut params: Vec<String> = signature.params.iter().map(Type::to_string).collect();
                if signature.variadic {
                    params.push("...".to_owned());
                }
                let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
                return signature.result.around(format!("{inner}({params})"));
            }
            Type::Void => "void".to_owned(),
            Type::Int(ty) => ty.name.to_owned(),
            Type::Enum(of) => of.name.map_or("enum {...}".to_owned(), str::to_owned),
            Type::Float(ty) => ty.name().to_owned(),
            Type::String(_) => "string".to_owned(),
            Type::Struct(def) => def.name.to_owned(),
            Type::Composite(of) => Composite::name(of),
            Type::Stack(stack) => format!("{}stack({})", if stack.user { "u" } else { "" }, stack.frames),
            Type::Symbol(_) => "symbol".to_owned(),
        };
        if inner.is_empty() { base } else { format!("{base} {inner}") }
    }
}

impl fmt::Display for Type {
    /// As a D program would write it; the alternate form with an article, for messages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.around(String::new());
        let vowel = name.starts_with(['a', 'e', 'i', 'o']) || name.starts_with("un");
        match (f.alternate(), vowel && !name.starts_with("union")) {
            (false, _) => f.write_str(&name),
            (true, true) => write!(f, "an {name}"),
            (true, false) => write!(f, "a {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::ctype::{CompositeKind, Signature};
    use super::super::types::INT;
    use super::*;

    #[test]
    fn declarators_wind_around_the_name() {
        let int = Type::Int(INT);
        let pointer = |to: &Type| Type::Pointer(Box::new(to.clone()));
        let row = Type::Array(Box::new(int.clone()), 4);
        assert_eq!(pointer(&pointer(&int)).to_string(), "int **");
        assert_eq!(row.to_string(), "int [4]");
        assert_eq!(Type::Array(Box::new(row.clone()), 3).declaration("m"), "int m[3][4]");
        assert_eq!(pointer(&row).declaration("p"), "int (*p)[4]");
        assert_eq!(Type::Array(Box::new(pointer(&int)), 0).declaration("a"), "int *a[]");
        let signature = Signature { result: Type::Void, params: vec![int, pointer(&row)], variadic: true };
        let function = pointer(&Type::Function(Rc::new(signature)));
        assert_eq!(function.declaration("f"), "void (*f)(int, int (*)[4], ...)");
        let union = Type::Composite(Rc::new(Composite::declared(CompositeKind::Union, Some("u"))));
        assert_eq!(format!("{union:#}"), "a union u");
    }
}
