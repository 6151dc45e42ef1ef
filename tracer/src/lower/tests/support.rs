//! Typed programs in few words, and a catalog of a few probes.

use probes_common::probe::Program as Trampoline;
use probes_common::providers::{dtrace, proc, syscall};

use crate::bpf::disassemble;
use crate::check::typed::*;
use crate::diagnostic::Span;
use crate::lower::{FunctionAt, Image, Options, Probes, lower};
use crate::provider::{Instance, ProbeId, ProbeInfo};
use crate::stability::STABLE;

/// The probes of these tests: BEGIN, proc:::signal-send, ERROR, then four system calls' entries, then their returns.
pub(super) struct Fixture(Vec<ProbeInfo>);

pub(super) const BEGIN: ProbeId = ProbeId(1);
pub(super) const SIGNAL_SEND: ProbeId = ProbeId(2);
pub(super) const ERROR: ProbeId = ProbeId(3);
pub(super) const READ_ENTRY: ProbeId = ProbeId(4);
pub(super) const ENTRIES: [ProbeId; 4] = [ProbeId(4), ProbeId(5), ProbeId(6), ProbeId(7)];
pub(super) const READ_RETURN: ProbeId = ProbeId(8);

impl Fixture {
    pub(super) fn new() -> Fixture {
        let signal_send = proc::PROBES.iter().find(|probe| probe.name == "signal-send");
        let signal_send = signal_send.expect("it is there");
        let mut probes = [&dtrace::PROBES[0], signal_send, &dtrace::PROBES[2]].map(ProbeInfo::of).to_vec();
        for side in syscall::PROBES {
            for (discriminator, name) in [(0, "read"), (1, "write"), (3, "close"), (257, "openat")] {
                probes.push(ProbeInfo { function: name.into(), discriminator, ..ProbeInfo::of(side) });
            }
        }
        Fixture(probes)
    }
}

impl Probes for Fixture {
    fn probe(&self, id: ProbeId) -> &ProbeInfo {
        &self.0[id.0 as usize - 1]
    }

    fn function(&self, _: ProbeId) -> FunctionAt {
        unreachable!("no probe of the fixture is of a function")
    }

    fn hosted(&self, program: &'static Trampoline, _: Option<Instance>) -> Vec<u16> {
        let hosted = self.0.iter().filter(|probe| probe.program.name == program.name);
        hosted.map(|probe| probe.discriminator).collect()
    }
}

pub(super) const INT: IntType = IntType { bytes: 4, signed: true, name: "int" };
pub(super) const LONG: IntType = IntType { bytes: 8, signed: true, name: "int64_t" };
pub(super) const ULONG: IntType = IntType { bytes: 8, signed: false, name: "uint64_t" };

pub(super) fn int_type(ty: IntType) -> Type {
    Type::Int(ty)
}

pub(super) fn buffer(size: u32) -> Type {
    Type::String(Text::Buffer(size))
}

pub(super) fn span() -> Span {
    Span::default()
}

pub(super) fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, span: span() }
}

pub(super) fn int(value: i64) -> Expr {
    expr(ExprKind::Int(value), Type::Int(INT))
}

pub(super) fn long(value: i64) -> Expr {
    expr(ExprKind::Int(value), Type::Int(LONG))
}

pub(super) fn string(text: &str) -> Expr {
    expr(ExprKind::Str(text.into()), buffer(text.len() as u32 + 1))
}

pub(super) fn pid() -> Expr {
    expr(ExprKind::Builtin(Builtin::Pid), Type::Int(INT))
}

pub(super) fn execname() -> Expr {
    expr(ExprKind::Builtin(Builtin::Execname), buffer(16))
}

pub(super) fn part(part: ProbePart) -> Expr {
    expr(ExprKind::Builtin(Builtin::ProbePart(part)), Type::String(Text::Probe(part)))
}

pub(super) fn arg(index: u8) -> Expr {
    expr(ExprKind::Arg(index), Type::Int(LONG))
}

pub(super) fn cast(value: Expr, ty: Type) -> Expr {
    expr(ExprKind::Cast(Box::new(value)), ty)
}

pub(super) fn compare(op: CompareOp, left: Expr, right: Expr) -> Expr {
    expr(ExprKind::Compare(op, Box::new(left), Box::new(right)), Type::Int(INT))
}

pub(super) fn compare_text(op: CompareOp, left: Expr, right: Expr) -> Expr {
    expr(ExprKind::CompareText(op, Box::new(left), Box::new(right)), Type::Int(INT))
}

pub(super) fn logical(op: LogicalOp, left: Expr, right: Expr) -> Expr {
    expr(ExprKind::Logical(op, Box::new(left), Box::new(right)), Type::Int(INT))
}

pub(super) fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let ty = left.ty.clone();
    expr(ExprKind::Binary(op, Box::new(left), Box::new(right)), ty)
}

pub(super) fn load(place: Place, ty: Type) -> Expr {
    expr(ExprKind::Load(place), ty)
}

pub(super) fn assign(place: Place, value: Expr) -> Expr {
    let ty = value.ty.clone();
    expr(ExprKind::Assign(place, Box::new(value)), ty)
}

pub(super) fn copyinstr(address: Expr, size: u32) -> Expr {
    expr(ExprKind::Call(Subroutine::Copyinstr, vec![address]), buffer(size))
}

pub(super) fn trace(value: Expr) -> Stmt {
    Stmt::Action(Action::Trace(value), span())
}

pub(super) fn clause(probes: &[ProbeId], predicate: Option<Expr>, statements: Vec<Stmt>) -> Clause {
    let (descriptions, attributes) = (Vec::new(), STABLE);
    Clause { probes: probes.to_vec(), predicate, statements, span: span(), descriptions, attributes }
}

pub(super) fn program(clauses: Vec<Clause>) -> Program {
    Program {
        clauses,
        globals: vec![],
        locals: vec![],
        dynamics: vec![],
        aggregations: vec![],
        keeps: Keeps::default(),
    }
}

pub(super) fn variable(name: &str, ty: Type) -> Variable {
    Variable { name: name.into(), ty }
}

pub(super) fn compile(program: &Program) -> Image {
    lower(program, &Fixture::new(), &Options::default()).expect("it compiles")
}

/// The instructions of all clauses, with what the linker gets to know of them.
pub(super) fn show(image: &Image) -> String {
    let mut text = String::new();
    for program in &image.programs {
        text += &format!("{} wants {:#x}\n", program.program.name, program.wants);
        for clause in &program.clauses {
            for code in &clause.pieces {
                text += &format!("{} for {:?}, frame {}\n", code.name, clause.discriminators, code.frame);
                text += &disassemble(code);
            }
        }
    }
    text
}
