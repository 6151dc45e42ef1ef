//! Types and declarations as text.
//!
//! Invariant: a declarator is printed from its name outwards, with the fewest parentheses that C allows.

use super::super::ast::*;
use super::super::token::Word;
use super::{COND, Printer};

impl Printer {
    /// A type's name, of a module or not.
    fn scoped(&mut self, module: &Option<Ident>, name: &Ident) {
        match module {
            Some(_) => self.symbol(module, name),
            None => self.put(&name.name),
        }
    }

    fn tag(&mut self, module: &Option<Ident>, tag: &Option<Ident>) {
        if let Some(tag) = tag {
            self.put(" ");
            self.scoped(module, tag);
        }
    }

    pub(super) fn type_name(&mut self, ty: &TypeName) {
        self.base(&ty.base);
        self.derived("", &ty.derived);
    }

    pub(super) fn param(&mut self, param: &Param) {
        self.base(&param.ty.base);
        self.derived(param.name.as_ref().map_or("", |name| &name.name), &param.ty.derived);
    }

    pub(super) fn declaration(&mut self, declaration: &Declaration) {
        if let Some(storage) = declaration.storage {
            let word = match storage {
                Storage::Thread => Word::Thread,
                Storage::Clause => Word::Clause,
                Storage::Typedef => Word::Typedef,
                Storage::Extern => Word::Extern,
                Storage::Static => Word::Static,
                Storage::Auto => Word::Auto,
                Storage::Register => Word::Register,
            };
            self.put(word.text());
            self.put(" ");
        }
        self.base(&declaration.base);
        for (index, declarator) in declaration.declarators.iter().enumerate() {
            self.put(if index > 0 { "," } else { "" });
            self.declarator(declarator);
        }
    }

    pub(super) fn declarator(&mut self, declarator: &Declarator) {
        self.derived(declarator.name.as_ref().map_or("", |name| &name.name), &declarator.derived);
        if let Some(bits) = &declarator.bits {
            self.put(":");
            self.expr(bits, COND);
        }
    }

    pub(super) fn base(&mut self, base: &BaseType) {
        self.quals(base.quals);
        match &base.kind {
            BaseKind::Void => self.put("void"),
            BaseKind::String => self.put("string"),
            BaseKind::Float => self.put("float"),
            BaseKind::Double => self.put("double"),
            BaseKind::LongDouble => self.put("long double"),
            BaseKind::Int { width, sign } => {
                self.put(match sign {
                    None => "",
                    Some(Sign::Signed) => "signed ",
                    Some(Sign::Unsigned) => "unsigned ",
                });
                self.put(match width {
                    IntWidth::Char => "char",
                    IntWidth::Short => "short",
                    IntWidth::Int => "int",
                    IntWidth::Long => "long",
                    IntWidth::LongLong => "long long",
                });
            }
            BaseKind::Named { module, name } => self.scoped(module, name),
            BaseKind::Record(record) => {
                self.put(if record.union { "union" } else { "struct" });
                self.tag(&record.module, &record.tag);
                if let Some(members) = &record.members {
                    self.put(" { ");
                    for member in members {
                        self.declaration(member);
                        self.put("; ");
                    }
                    self.put("}");
                }
            }
            BaseKind::Enum(enumeration) => {
                self.put("enum");
                self.tag(&enumeration.module, &enumeration.tag);
                if let Some(values) = &enumeration.values {
                    self.put(" { ");
                    self.list(values, |printer, (name, value)| {
                        printer.put(&name.name);
                        if let Some(value) = value {
                            printer.put(" = ");
                            printer.expr(value, COND);
                        }
                    });
                    self.put(" }");
                }
            }
        }
    }

    fn quals(&mut self, quals: Quals) {
        let words = [
            (quals.constant, Word::Const),
            (quals.volatile, Word::Volatile),
            (quals.restrict, Word::Restrict),
            (quals.userland, Word::Userland),
        ];
        for (_, word) in words.iter().filter(|(given, _)| *given) {
            self.put(word.text());
            self.put(" ");
        }
    }

    /// A declarator, with a blank before its name or pointer. Pointers go before the name and the rest behind it, so what is in front is collected first.
    fn derived(&mut self, name: &str, derived: &[Derived]) {
        let mut front = Vec::new();
        let mut back = Printer { indent: self.indent, ..Printer::default() };
        let mut pointer = false;
        for step in derived {
            if let Derived::Pointer(quals) = step {
                let mut star = Printer::default();
                star.put("*");
                star.quals(*quals);
                front.push(star.text);
                pointer = true;
                continue;
            }
            if pointer {
                front.push("(".to_owned());
                back.put(")");
                pointer = false;
            }
            match step {
                Derived::Array(size) => {
                    back.put("[");
                    if let Some(size) = size {
                        back.expr(size, COND);
                    }
                    back.put("]");
                }
                Derived::Assoc(keys) => {
                    back.put("[");
                    back.list(keys, Self::param);
                    back.put("]");
                }
                Derived::Function { params, variadic } => {
                    back.put("(");
                    back.list(params, Self::param);
                    back.put(match (params.is_empty(), variadic) {
                        (_, false) => "",
                        (true, true) => "...",
                        (false, true) => ", ...",
                    });
                    back.put(")");
                }
                Derived::Pointer(_) => {}
            }
        }
        self.put(if name.is_empty() && front.is_empty() { "" } else { " " });
        front.iter().rev().for_each(|text| self.put(text));
        self.put(name);
        self.put(&back.text);
    }
}
