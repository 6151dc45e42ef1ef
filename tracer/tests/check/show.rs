//! The typed program as text: one line a statement, each expression with its type where that is not obvious.

use tracer::check::typed::{
    Action, Expr, ExprKind, Function, LogicalOp, NULL_TEXT, Place, ProbePart, Program, Stmt, Text, Type,
    UnaryOp,
};
use tracer::provider::Catalog;

/// The whole program.
pub(crate) fn program(program: &Program, catalog: &Catalog) -> String {
    let mut lines = Vec::new();
    for variable in &program.globals {
        lines.push(format!("global {}: {}", variable.name, ty(&variable.ty)));
    }
    for variable in &program.locals {
        lines.push(format!("this->{}: {}", variable.name, ty(&variable.ty)));
    }
    for variable in &program.dynamics {
        let keys =
            if variable.keys.is_empty() { String::new() } else { format!("[{}]", types(&variable.keys)) };
        lines.push(format!("dynamic {}{keys}: {}", variable.name, ty(&variable.ty)));
    }
    for aggregation in &program.aggregations {
        let function = match aggregation.function {
            Function::Lquantize { low, high, step } => format!("lquantize({low}, {high}, {step})"),
            Function::Llquantize { factor, low, high, steps } => {
                format!("llquantize({factor}, {low}, {high}, {steps})")
            }
            function => function.name().to_owned(),
        };
        lines.push(format!("@{}[{}] = {function}", aggregation.name, types(&aggregation.keys)));
    }
    let show = Show(program);
    for clause in &program.clauses {
        let names: Vec<String> =
            clause.probes.iter().filter_map(|&id| catalog.get(id)).map(|p| p.to_string()).collect();
        lines.push(match names.as_slice() {
            [first, .., last] if names.len() > 3 => format!("{first} ... {last} ({} probes)", names.len()),
            names => names.join(", "),
        });
        if let Some(predicate) = &clause.predicate {
            lines.push(format!("  / {} /", show.expr(predicate)));
        }
        lines.extend(show.statements(&clause.statements, "  "));
    }
    lines.join("\n") + "\n"
}

fn types(list: &[Type]) -> String {
    list.iter().map(ty).collect::<Vec<_>>().join(", ")
}

/// `pid_t/4`, `str/16`: name and size.
fn ty(ty: &Type) -> String {
    match ty {
        Type::Int(int) => format!("{}/{}{}", int.name, if int.signed { "i" } else { "u" }, 8 * int.bytes),
        Type::String(Text::Buffer(size)) => format!("str{size}"),
        Type::String(Text::Ip) => "ip".to_owned(),
        Type::String(Text::Probe(part)) => probe_part(*part).to_owned(),
        other => other.to_string(),
    }
}

fn probe_part(part: ProbePart) -> &'static str {
    part.name()
}

struct Show<'a>(&'a Program);

impl Show<'_> {
    fn statements(&self, statements: &[Stmt], indent: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let deeper = format!("{indent}  ");
        for statement in statements {
            lines.push(format!("{indent}{}", self.statement(statement)));
            if let Stmt::If { then, otherwise, .. } = statement {
                lines.extend(self.statements(then, &deeper));
                if !otherwise.is_empty() {
                    lines.push(format!("{indent}else"));
                    lines.extend(self.statements(otherwise, &deeper));
                }
            }
        }
        lines
    }

    fn statement(&self, statement: &Stmt) -> String {
        match statement {
            Stmt::If { cond, .. } => format!("if {}", self.expr(cond)),
            Stmt::Expr(expr) => self.expr(expr),
            Stmt::Aggregate { aggregation, keys, value, weight, .. } => {
                let parts: Vec<String> = value.iter().chain(weight).map(|expr| self.expr(expr)).collect();
                format!("@{}[{}] <- ({})", self.name(*aggregation), self.list(keys), parts.join(", "))
            }
            Stmt::Action(action, _) => match action {
                Action::Trace(expr) => format!("trace {}", self.expr(expr)),
                Action::Printf(format, args) => {
                    format!("printf {} pieces ({})", format.pieces.len(), self.list(args))
                }
                Action::Printa(format, ids) => {
                    let names: Vec<String> = ids.iter().map(|&id| format!("@{}", self.name(id))).collect();
                    let format = format
                        .as_ref()
                        .map_or(String::new(), |format| format!(" {} pieces", format.pieces.len()));
                    format!("printa{format} {}", names.join(", "))
                }
                Action::Clear(id) => format!("clear @{}", self.name(*id)),
                Action::Trunc(id, count) => {
                    let count = count.as_ref().map_or("all".to_owned(), |count| self.expr(count));
                    format!("trunc @{} {count}", self.name(*id))
                }
                Action::Normalize(id, by) => format!("normalize @{} {}", self.name(*id), self.expr(by)),
                Action::Denormalize(id) => format!("denormalize @{}", self.name(*id)),
                Action::Speculate(id) => format!("speculate {}", self.expr(id)),
                Action::Commit(id) => format!("commit {}", self.expr(id)),
                Action::Discard(id) => format!("discard {}", self.expr(id)),
                Action::Print(value, shape) => format!("print {}:{}", self.expr(value), shape.name),
                Action::Tracemem(bytes, size) => {
                    let size = size.as_ref().map_or(String::new(), |size| format!(" {}", self.expr(size)));
                    format!("tracemem {}:{}{size}", self.expr(bytes), ty(&bytes.ty))
                }
                Action::Pcap(parts) => format!("pcap {}", self.list(parts)),
                Action::System(format, args) => {
                    format!("system {} pieces ({})", format.pieces.len(), self.list(args))
                }
                Action::Freopen(format, args) => {
                    let pieces = format.as_ref().map_or(0, |format| format.pieces.len());
                    format!("freopen {pieces} pieces ({})", self.list(args))
                }
                Action::Ftruncate => "ftruncate".to_owned(),
                Action::Setopt(name, value) => format!("setopt {name} {value:?}"),
                Action::Signal(signal) => format!("signal {}", self.expr(signal)),
                Action::Exit(status) => format!("exit {}", self.expr(status)),
            },
        }
    }

    fn name(&self, id: usize) -> &str {
        &self.0.aggregations[id].name
    }

    fn list(&self, list: &[Expr]) -> String {
        list.iter().map(|expr| self.expr(expr)).collect::<Vec<_>>().join(", ")
    }

    fn expr(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Int(value) => format!("{value}:{}", ty(&expr.ty)),
            ExprKind::Float(value) => format!("{value:?}:{}", ty(&expr.ty)),
            ExprKind::Str(bytes) if bytes == NULL_TEXT => "NULL".to_owned(),
            ExprKind::Str(bytes) => format!("{:?}:{}", String::from_utf8_lossy(bytes), ty(&expr.ty)),
            ExprKind::Ip(bytes) => format!("ip({})", std::net::Ipv6Addr::from(*bytes)),
            ExprKind::Builtin(builtin) => format!("{builtin:?}").to_lowercase(),
            ExprKind::Arg(number) => format!("arg{number}"),
            ExprKind::Stack | ExprKind::Symbol(_) => recorded(expr, |inner| self.expr(inner)),
            ExprKind::Args(number) => format!("args[{number}]"),
            ExprKind::AddressOf(place) => format!("&{}:{}", self.place(place), ty(&expr.ty)),
            ExprKind::Member(base, field) => format!("{}->{}", self.expr(base), field.name),
            ExprKind::Load(place @ (Place::Memory(_) | Place::Part(..))) => {
                format!("{}:{}", self.place(place), ty(&expr.ty))
            }
            ExprKind::Load(place) => self.place(place),
            ExprKind::Unary(UnaryOp::Neg, inner) => format!("(-{})", self.expr(inner)),
            ExprKind::Unary(UnaryOp::BitNot, inner) => format!("(~{})", self.expr(inner)),
            ExprKind::Binary(op, left, right) => {
                format!("({} {} {}):{}", self.expr(left), op.text(), self.expr(right), ty(&expr.ty))
            }
            ExprKind::Compare(op, left, right) => {
                format!("({} {} {})", self.expr(left), op.text(), self.expr(right))
            }
            ExprKind::CompareText(op, left, right) => {
                format!("({} str{} {})", self.expr(left), op.text(), self.expr(right))
            }
            ExprKind::Not(inner) => format!("!{}", self.expr(inner)),
            ExprKind::Logical(op, left, right) => {
                let op = match op {
                    LogicalOp::And => "&&",
                    LogicalOp::Or => "||",
                    LogicalOp::Xor => "^^",
                };
                format!("({} {op} {})", self.expr(left), self.expr(right))
            }
            ExprKind::Conditional(cond, then, otherwise) => format!(
                "({} ? {} : {}):{}",
                self.expr(cond),
                self.expr(then),
                self.expr(otherwise),
                ty(&expr.ty)
            ),
            ExprKind::Assign(place, value) => format!("{} = {}", self.place(place), self.expr(value)),
            ExprKind::PostAdd(place, by) => format!("{} post+= {by}", self.place(place)),
            ExprKind::Comma(left, right) => format!("({}, {})", self.expr(left), self.expr(right)),
            ExprKind::Cast(inner) => format!("({}){}", ty(&expr.ty), self.expr(inner)),
            ExprKind::OfProcess(inner) => format!("userland {}", self.expr(inner)),
            ExprKind::Call(subroutine, args) => {
                format!("{}({}):{}", format!("{subroutine:?}").to_lowercase(), self.list(args), ty(&expr.ty))
            }
        }
    }

    fn place(&self, place: &Place) -> String {
        match place {
            Place::Global(index) => self.0.globals[*index].name.clone(),
            Place::This(index) => format!("this->{}", self.0.locals[*index].name),
            Place::Dynamic(index, keys) if keys.is_empty() => self.0.dynamics[*index].name.clone(),
            Place::Dynamic(index, keys) => format!("{}[{}]", self.0.dynamics[*index].name, self.list(keys)),
            Place::Memory(address) => format!("*{}", self.expr(address)),
            Place::Part(of, part) => {
                let indexes = part.indexes.iter().map(|index| {
                    let count = index.count.map_or(String::new(), |count| format!(" < {count}"));
                    format!("[{}{count} * {}]", self.expr(&index.value), index.size)
                });
                let bits = part.bits.map_or(String::new(), |bits| {
                    format!(":{}.{} of {}", bits.shift, bits.width, 8 * bits.unit)
                });
                format!("{}.{}{}{bits}", self.place(of), part.offset, indexes.collect::<String>())
            }
        }
    }
}

/// What is only recorded: a stack, or an address that is shown by its symbol.
fn recorded(expr: &Expr, show: impl Fn(&Expr) -> String) -> String {
    match (&expr.ty, &expr.kind) {
        (Type::Stack(stack), _) => format!("{}stack({})", if stack.user { "u" } else { "" }, stack.frames),
        (Type::Symbol(symbol), ExprKind::Symbol(inner)) => {
            format!("{}{:?}({})", if symbol.user { "u" } else { "" }, symbol.shows, show(inner))
                .to_lowercase()
        }
        _ => format!("{:?}", expr.ty),
    }
}
