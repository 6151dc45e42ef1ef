//! From the tree back to text.
//!
//! Invariant: parsing what is printed gives the same tree, places aside, for every tree that the parser can
//! give without a diagnostic.

mod types;

use super::ast::*;
use super::parser::UNARY;
use std::fmt::Write;

/// A program as text, one item a line.
pub fn print(program: &Program) -> String {
    let mut printer = Printer::default();
    for pragma in &program.pragmas {
        printer.pragma(pragma);
    }
    for item in &program.items {
        printer.item(item);
    }
    printer.text
}

/// An expression as text, with no more parentheses than needed.
pub fn print_expr(expr: &Expr) -> String {
    let mut printer = Printer::default();
    printer.expr(expr, COMMA);
    printer.text
}

/// A type as text.
pub fn print_type(ty: &TypeName) -> String {
    let mut printer = Printer::default();
    printer.type_name(ty);
    printer.text
}

/// Levels of binding; those of operators between operands are [`BinOp::level`].
const COMMA: u8 = 1;
const ASSIGN: u8 = 2;
const COND: u8 = 3;
const POSTFIX: u8 = UNARY + 1;

#[derive(Default)]
struct Printer {
    text: String,
    indent: usize,
}

impl Printer {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn line(&mut self) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("    ", self.indent));
    }

    /// Each of a list, with commas between.
    fn list<T>(&mut self, list: &[T], mut print: impl FnMut(&mut Self, &T)) {
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                self.put(", ");
            }
            print(self, item);
        }
    }

    fn pragma(&mut self, pragma: &Pragma) {
        let text = match &pragma.kind {
            PragmaKind::Option { name, value: None } => format!("D option {}", name.name),
            PragmaKind::Option { name, value: Some(value) } => {
                format!("D option {}={}", name.name, value.name)
            }
            PragmaKind::Attributes { stability, target } => {
                let words: Vec<&str> = target.iter().map(|word| word.name.as_str()).collect();
                format!("D attributes {} {}", stability.name, words.join(" "))
            }
            PragmaKind::Binding { version, name } => format!("D binding \"{}\" {}", version.name, name.name),
            PragmaKind::DependsOn { class, name } => format!("D depends_on {} {}", class.name, name.name),
            PragmaKind::Error(text) => format!("error {text}"),
        };
        self.put(&format!("#pragma {text}\n"));
    }

    fn item(&mut self, item: &Item) {
        match &item.kind {
            ItemKind::Clause(clause) => self.clause(clause),
            ItemKind::Declaration(declaration) => {
                self.declaration(declaration);
                self.put(";");
            }
            ItemKind::Inline(inline) => {
                self.put("inline ");
                self.base(&inline.base);
                self.declarator(&inline.declarator);
                self.put(" = ");
                self.expr(&inline.value, ASSIGN);
                self.put(";");
            }
            ItemKind::Translator(translator) => {
                self.put("translator ");
                self.type_name(&translator.output);
                self.put(" < ");
                self.param(&translator.input);
                self.put(" > {");
                self.indent += 1;
                for (name, value) in &translator.members {
                    self.line();
                    self.put(&name.name);
                    self.put(" = ");
                    self.expr(value, ASSIGN);
                    self.put(";");
                }
                self.indent -= 1;
                self.line();
                self.put("};");
            }
            ItemKind::Provider(provider) => self.provider(provider),
        }
        self.put("\n");
    }

    fn provider(&mut self, provider: &Provider) {
        self.put(&format!("provider {} {{", provider.name.name));
        self.indent += 1;
        for ProbeDecl { name, native, translated } in &provider.probes {
            self.line();
            self.put(&format!("probe {}", name.name));
            for (params, before) in [Some(native), translated.as_ref()].into_iter().flatten().zip(["", " : "])
            {
                self.put(before);
                self.put("(");
                for (index, param) in params.iter().enumerate() {
                    self.put(if index > 0 { ", " } else { "" });
                    self.param(param);
                }
                self.put(")");
            }
            self.put(";");
        }
        self.indent -= 1;
        self.line();
        self.put("};");
    }

    fn clause(&mut self, clause: &Clause) {
        for (index, probe) in clause.probes.iter().enumerate() {
            self.put(if index > 0 { ",\n" } else { "" });
            self.probe(probe);
        }
        if let Some(predicate) = &clause.predicate {
            self.put("\n/ ");
            self.expr(predicate, COMMA);
            self.put(" /");
        }
        if let Some(body) = &clause.body {
            self.put("\n");
            self.block(body);
        }
    }

    fn probe(&mut self, probe: &ProbeDesc) {
        match &probe.kind {
            ProbeDescKind::Id(id) => self.put(&id.to_string()),
            ProbeDescKind::Parts { provider, module, function, name } => {
                let alone = [provider, module, function].iter().all(|part| part.name.is_empty());
                // A name alone could be a keyword, a number, or nothing.
                let plain = name.name.chars().any(|c| c.is_ascii_uppercase());
                if !(alone && plain) {
                    for part in [provider, module, function] {
                        self.put(&part.name);
                        self.put(":");
                    }
                }
                self.put(&name.name);
            }
        }
    }

    fn block(&mut self, body: &[Stmt]) {
        self.put("{");
        self.indent += 1;
        for stmt in body {
            self.line();
            self.stmt(stmt);
        }
        self.indent -= 1;
        self.line();
        self.put("}");
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match &stmt.kind {
            StmtKind::Expr(expr) => {
                self.expr(expr, COMMA);
                self.put(";");
            }
            StmtKind::Aggregate { agg, func, args } => {
                self.agg(agg);
                self.put(" = ");
                self.call(func, args);
                self.put(";");
            }
            StmtKind::If { cond, then, otherwise } => {
                self.put("if (");
                self.expr(cond, COMMA);
                self.put(") ");
                self.block(then);
                match &otherwise[..] {
                    [] => {}
                    [stmt] if matches!(stmt.kind, StmtKind::If { .. }) => {
                        self.put(" else ");
                        self.stmt(stmt);
                    }
                    otherwise => {
                        self.put(" else ");
                        self.block(otherwise);
                    }
                }
            }
        }
    }

    fn agg(&mut self, agg: &AggRef) {
        self.put("@");
        self.put(&agg.name);
        if !agg.keys.is_empty() {
            self.put("[");
            self.list(&agg.keys, |printer, key| printer.expr(key, ASSIGN));
            self.put("]");
        }
    }

    fn call(&mut self, func: &Ident, args: &[Expr]) {
        self.put(&func.name);
        self.put("(");
        self.list(args, |printer, arg| printer.expr(arg, ASSIGN));
        self.put(")");
    }

    /// An expression at a place where only what binds at least as tightly as `min` needs no parentheses.
    fn expr(&mut self, expr: &Expr, min: u8) {
        let bare = level(expr) >= min;
        self.put(if bare { "" } else { "(" });
        self.bare(expr);
        self.put(if bare { "" } else { ")" });
    }

    fn bare(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Int(int) => self.int(int),
            ExprKind::Char(value) => self.character(*value),
            ExprKind::Float(FloatLit { value, kind }) => {
                let suffix = match kind {
                    FloatKind::Float => "f",
                    FloatKind::Double => "",
                    FloatKind::LongDouble => "l",
                };
                self.put(&format!("{value:?}{suffix}"));
            }
            ExprKind::Str(bytes) => self.quoted(bytes, '"'),
            ExprKind::Var(scope, name) => {
                self.put(match scope {
                    Scope::Global => "",
                    Scope::Thread => "self->",
                    Scope::Clause => "this->",
                });
                self.put(&name.name);
            }
            ExprKind::Symbol { module, name } => self.symbol(module, name),
            ExprKind::Macro(MacroArg { name, string }) => {
                self.put(if *string { "$$" } else { "$" });
                self.put(name);
            }
            ExprKind::Agg(agg) => self.agg(agg),
            ExprKind::Call { func, args } => self.call(func, args),
            ExprKind::Index { base, keys } => {
                self.expr(base, POSTFIX);
                self.put("[");
                self.list(keys, |printer, key| printer.expr(key, ASSIGN));
                self.put("]");
            }
            ExprKind::Member { base, arrow, member } => {
                // A number would take the dot for its own.
                let number = matches!(base.kind, ExprKind::Int(_) | ExprKind::Float(_));
                self.expr(base, if number { u8::MAX } else { POSTFIX });
                self.put(if *arrow { "->" } else { "." });
                self.put(&member.name);
            }
            ExprKind::Unary { op, expr } => self.unary(*op, expr),
            ExprKind::Binary { op, left, right } => {
                self.expr(left, op.level());
                let _ = match op {
                    BinOp::Comma => write!(self.text, ", "),
                    op => write!(self.text, " {} ", op.sign()),
                };
                self.expr(right, op.level() + 1);
            }
            ExprKind::Assign { op, place, value } => {
                self.expr(place, if matches!(place.kind, ExprKind::Cast { .. }) { u8::MAX } else { UNARY });
                self.put(" ");
                self.put(op.map_or("", BinOp::sign));
                self.put("= ");
                self.expr(value, ASSIGN);
            }
            ExprKind::Cond { cond, then, otherwise } => {
                self.expr(cond, COND + 1);
                self.put(" ? ");
                self.expr(then, COMMA);
                self.put(" : ");
                self.expr(otherwise, COND);
            }
            ExprKind::Cast { ty, expr } => {
                self.put("(");
                self.type_name(ty);
                self.put(")");
                // `(name)-x` could be a subtraction: whatever is no operand by itself gets parentheses.
                self.expr(expr, POSTFIX);
            }
            ExprKind::SizeofType(ty) => {
                self.put("sizeof (");
                self.type_name(ty);
                self.put(")");
            }
            ExprKind::Offsetof { ty, member } => {
                self.put("offsetof(");
                self.type_name(ty);
                self.put(", ");
                self.put(&member.name);
                self.put(")");
            }
            ExprKind::Xlate { ty, expr } => {
                self.put("xlate<");
                self.type_name(ty);
                self.put(">(");
                self.expr(expr, COMMA);
                self.put(")");
            }
            ExprKind::Error => self.put("0 /* error */"),
        }
    }

    fn unary(&mut self, op: UnOp, expr: &Expr) {
        match op {
            UnOp::PostInc | UnOp::PostDec => {
                self.expr(expr, POSTFIX);
                self.put(op.sign());
            }
            UnOp::Sizeof | UnOp::Stringof => {
                self.put(op.sign());
                self.put(" ");
                self.expr(expr, POSTFIX);
            }
            _ => {
                self.put(op.sign());
                // `- -x` and `& &x` are not `--x` and `&&x`.
                let prefix = matches!(&expr.kind, ExprKind::Unary { op, .. } if !matches!(op, UnOp::PostInc | UnOp::PostDec));
                self.put(if prefix { " " } else { "" });
                self.expr(expr, UNARY);
            }
        }
    }

    fn int(&mut self, int: &IntLit) {
        let _ = match int.radix {
            Radix::Decimal => write!(self.text, "{}", int.value),
            Radix::Octal => write!(self.text, "0{:o}", int.value),
            Radix::Hex => write!(self.text, "{:#x}", int.value),
        };
        self.put(if int.unsigned { "u" } else { "" });
        self.put(["", "l", "ll"][usize::from(int.longs.min(2))]);
    }

    fn character(&mut self, value: u64) {
        let bytes = value.to_be_bytes();
        let first = bytes.iter().position(|&byte| byte != 0).unwrap_or(bytes.len() - 1);
        self.quoted(&bytes[first..], '\'');
    }

    /// Bytes between quotes: text as it is, the rest as octal escapes.
    fn quoted(&mut self, bytes: &[u8], quote: char) {
        self.text.push(quote);
        for chunk in bytes.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\n' => self.put("\\n"),
                    '\t' => self.put("\\t"),
                    c if c == quote || c == '\\' => self.text.extend(['\\', c]),
                    c if c.is_control() => {
                        let mut buffer = [0; 4];
                        for byte in c.encode_utf8(&mut buffer).bytes() {
                            self.octal(byte);
                        }
                    }
                    c => self.text.push(c),
                }
            }
            for &byte in chunk.invalid() {
                self.octal(byte);
            }
        }
        self.text.push(quote);
    }

    fn octal(&mut self, byte: u8) {
        let _ = write!(self.text, "\\{byte:03o}");
    }

    fn symbol(&mut self, module: &Option<Ident>, name: &Ident) {
        self.put(module.as_ref().map_or("", |module| &module.name));
        self.put("`");
        self.put(&name.name);
    }
}

/// How tightly an expression binds.
fn level(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Binary { op, .. } => op.level(),
        ExprKind::Assign { .. } => ASSIGN,
        ExprKind::Cond { .. } => COND,
        ExprKind::Unary { op: UnOp::PostInc | UnOp::PostDec, .. } => POSTFIX,
        ExprKind::Unary { .. } | ExprKind::Cast { .. } | ExprKind::SizeofType(_) => UNARY,
        _ => POSTFIX,
    }
}

impl UnOp {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            UnOp::Plus => "+",
            UnOp::Neg => "-",
            UnOp::Not => "!",
            UnOp::BitNot => "~",
            UnOp::Deref => "*",
            UnOp::Addr => "&",
            UnOp::PreInc | UnOp::PostInc => "++",
            UnOp::PreDec | UnOp::PostDec => "--",
            UnOp::Sizeof => "sizeof",
            UnOp::Stringof => "stringof",
        }
    }
}

impl BinOp {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            BinOp::Mul => "*",
            BinOp::Div => "/",
            BinOp::Rem => "%",
            BinOp::Add => "+",
            BinOp::Sub => "-",
            BinOp::Shl => "<<",
            BinOp::Shr => ">>",
            BinOp::Lt => "<",
            BinOp::Le => "<=",
            BinOp::Gt => ">",
            BinOp::Ge => ">=",
            BinOp::Eq => "==",
            BinOp::Ne => "!=",
            BinOp::And => "&",
            BinOp::Xor => "^",
            BinOp::Or => "|",
            BinOp::LogAnd => "&&",
            BinOp::LogXor => "^^",
            BinOp::LogOr => "||",
            BinOp::Comma => ",",
        }
    }
}
