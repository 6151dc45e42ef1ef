//! What clauses do beyond integers: strings, names of probes, fields of records, messages. Run in rbpf.

use probes_common::abi::{SLOT_FAULT, Slot, fault, outcome, state};
use probes_common::providers::proc;

use super::machine::{Ended, Machine, NOW, PID, TID};
use super::support::*;
use crate::check::typed::*;
use crate::lower::Image;
use crate::lower::layout::FIRST_EPID;
use crate::provider::ProbeId;

/// The bytes of a field of the only message.
fn field<'a>(image: &Image, ended: &'a Ended, action: usize, index: usize) -> &'a [u8] {
    let field = image.layouts[0].actions[action].fields[index];
    &ended.messages[0][field.offset as usize..][..field.repr.size() as usize]
}

/// Whether `/predicate/ {}` on these probes fires for that discriminator.
fn fires(probes: &[ProbeId], predicate: Expr, discriminator: u64) -> bool {
    let image = compile(&program(vec![clause(probes, Some(predicate), vec![])]));
    let mut machine = Machine::new(&image);
    // The probe's number and its discriminator.
    machine.set(0, discriminator << 32);
    !machine.run(&image.programs[0].clauses[0]).messages.is_empty()
}

fn compares(op: CompareOp, left: Expr, right: Expr) -> bool {
    fires(&[BEGIN], compare_text(op, left, right), 0)
}

#[test]
fn execname_compares_with_literals_of_every_length() {
    use CompareOp::*;
    assert!(compares(Eq, execname(), string("bash")));
    assert!(compares(Eq, string("bash"), execname()));
    assert!(!compares(Ne, execname(), string("bash")));
    for other in ["", "bas", "bashy", "Bash", "bash\u{1}", "a string that no buffer of 16 holds"] {
        assert!(!compares(Eq, execname(), string(other)), "{other}");
        assert!(compares(Ne, execname(), string(other)), "{other}");
    }
    assert!(compares(Lt, execname(), string("bashful")));
    assert!(compares(Gt, execname(), string("bas")));
    assert!(compares(Le, execname(), string("bash")));
    assert!(!compares(Gt, execname(), string("bash")));
    assert!(compares(Ge, string("zsh"), execname()));
}

#[test]
fn literals_compare_with_literals() {
    use CompareOp::*;
    let long = "a string of more than four words, which a routine has to compare";
    assert!(compares(Eq, cast(string(long), buffer(256)), cast(string(long), buffer(256))));
    assert!(compares(Lt, cast(string(long), buffer(256)), cast(string("b"), buffer(256))));
    assert!(compares(Ne, cast(string(long), buffer(256)), execname()));
}

#[test]
fn parts_of_names_are_compared_without_strings() {
    use CompareOp::*;
    let function = |op, literal| compare_text(op, part(ProbePart::Function), string(literal));
    for (discriminator, name) in [(0, "read"), (1, "write"), (3, "close"), (257, "openat")] {
        for literal in ["read", "write", "close", "nothing"] {
            assert_eq!(fires(&ENTRIES, function(Eq, literal), discriminator), name == literal);
            assert_eq!(fires(&ENTRIES, function(Ne, literal), discriminator), name != literal);
        }
        assert_eq!(fires(&ENTRIES, function(Gt, "close"), discriminator), name > "close");
    }
    assert!(fires(&ENTRIES, compare_text(Eq, string("entry"), part(ProbePart::Name)), 3));
    assert!(!fires(&ENTRIES, compare_text(Eq, part(ProbePart::Provider), string("proc")), 3));
}

#[test]
fn a_clause_is_compiled_once_for_each_trampoline() {
    let probes = [BEGIN, READ_ENTRY, ENTRIES[3], READ_RETURN];
    let image = compile(&program(vec![clause(&probes, None, vec![]), clause(&ENTRIES, None, vec![])]));
    let programs: Vec<_> = image.programs.iter().map(|host| host.program.name).collect();
    assert_eq!(programs, ["dtrace_begin", "syscall_entry", "syscall_return"]);
    let entry = &image.programs[1].clauses;
    assert_eq!(entry[0].discriminators, Some(vec![0, 257]));
    assert_eq!(entry[1].discriminators, None, "all that there are");
    assert_eq!(entry.iter().map(|clause| clause.epid).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(image.layouts.iter().map(|layout| layout.clause).collect::<Vec<_>>(), [0, 0, 1, 0]);
}

#[test]
fn names_become_strings_where_they_must() {
    let name = cast(part(ProbePart::Function), buffer(256));
    let image = compile(&program(vec![clause(&ENTRIES, None, vec![trace(name)])]));
    for (discriminator, name) in [(0_u64, "read"), (3, "close"), (257, "openat"), (2, ""), (9999, "")] {
        let mut machine = Machine::new(&image);
        machine.set(0, discriminator << 32);
        let ended = machine.run(&image.programs[0].clauses[0]);
        let bytes = field(&image, &ended, 0, 0);
        assert_eq!(&bytes[..name.len()], name.as_bytes());
        assert!(bytes[name.len()..].iter().all(|byte| *byte == 0), "{discriminator}");
    }
}

#[test]
fn fields_are_read_and_wanted() {
    let sig = expr(ExprKind::Args(2), int_type(INT));
    let target = Type::Pointer(Box::new(Type::Struct(proc_struct("ps"))));
    let psinfo = || expr(ExprKind::Args(1), target.clone());
    let pr_pid = proc_struct("ps").field("pr_pid").expect("a field");
    let pr_fname = proc_struct("ps").field("pr_fname").expect("a field");
    let pid = expr(ExprKind::Member(Box::new(psinfo()), pr_pid), int_type(INT));
    let name = expr(ExprKind::Member(Box::new(psinfo()), pr_fname), buffer(16));
    let statements = vec![trace(sig), trace(pid), trace(name)];
    let image = compile(&program(vec![clause(&[SIGNAL_SEND], None, statements)]));

    let record = proc::SIGNAL_SEND.record;
    let (sig, ps) = (record.field("sig").expect("a field"), record.field("ps").expect("a field"));
    let wants = 1 << sig.bit | 1 << (ps.bit + pr_pid.bit) | 1 << (ps.bit + pr_fname.bit);
    assert_eq!(image.programs[0].wants, wants);

    let mut machine = Machine::new(&image);
    let word = |offset: usize, value: u32| (offset & !7, u64::from(value) << (8 * (offset % 8)));
    let (at, value) = word(sig.offset, 15);
    machine.set_record(at, value);
    let (at, value) = word(ps.offset + pr_pid.offset, -7_i32 as u32);
    machine.set_record(at, value);
    machine.set_record(ps.offset + pr_fname.offset, u64::from_le_bytes(*b"sleeper\0"));
    let ended = machine.run(&image.programs[0].clauses[0]);
    assert_eq!(field(&image, &ended, 0, 0), 15_i32.to_le_bytes());
    assert_eq!(field(&image, &ended, 1, 0), (-7_i32).to_le_bytes());
    assert_eq!(field(&image, &ended, 2, 0), b"sleeper\0\0\0\0\0\0\0\0\0");
}

/// A struct field of proc:::signal-send's record.
fn proc_struct(name: &str) -> &'static probes_common::schema::StructDef {
    match proc::SIGNAL_SEND.record.field(name).map(|field| field.kind) {
        Some(probes_common::schema::Kind::Struct(of)) => of,
        kind => panic!("{name}: {kind:?}"),
    }
}

#[test]
fn the_record_of_error_is_the_fault() {
    let kind = trace(arg(4));
    let image = compile(&program(vec![clause(&[ERROR], None, vec![kind])]));
    let mut machine = Machine::new(&image);
    machine.set(SLOT_FAULT + std::mem::offset_of!(probes_common::abi::Fault, fault), fault::BADADDR);
    let ended = machine.run(&image.programs[0].clauses[0]);
    assert_eq!(field(&image, &ended, 0, 0), fault::BADADDR.to_le_bytes());
}

#[test]
fn builtins_know_the_process_and_the_time() {
    let builtin = |builtin, ty| trace(expr(ExprKind::Builtin(builtin), int_type(ty)));
    let statements = vec![
        builtin(Builtin::Pid, INT),
        builtin(Builtin::Tid, INT),
        builtin(Builtin::Timestamp, ULONG),
        builtin(Builtin::Cpu, INT),
        builtin(Builtin::Epid, INT),
        builtin(Builtin::Id, INT),
    ];
    let image = compile(&program(vec![clause(&ENTRIES, None, statements)]));
    let mut machine = Machine::new(&image);
    machine.set(0, 257 << 32);
    let ended = machine.run(&image.programs[0].clauses[0]);
    let meant = [PID, TID, NOW, 3, u64::from(FIRST_EPID), u64::from(ENTRIES[3].0)];
    for (action, meant) in meant.into_iter().enumerate() {
        let bytes = field(&image, &ended, action, 0);
        assert_eq!(bytes, &meant.to_le_bytes()[..bytes.len()], "action {action}");
    }
    // The message is stamped with the same time.
    assert_eq!(machine.get(std::mem::offset_of!(Slot, time)), NOW);
}

#[test]
fn strings_are_kept_cut_and_padded() {
    let place = || Place::Global(0);
    let keep = Stmt::Expr(expr(
        ExprKind::Assign(place(), Box::new(string("a long literal, cut to sixteen"))),
        buffer(16),
    ));
    let forget = Stmt::Expr(expr(ExprKind::Assign(place(), Box::new(string("x"))), buffer(16)));
    let show = || trace(load(place(), buffer(16)));
    let mut program = program(vec![clause(&[BEGIN], None, vec![keep, show(), forget, show()])]);
    program.globals.push(variable("s", buffer(16)));
    let image = compile(&program);
    let ended = Machine::new(&image).run(&image.programs[0].clauses[0]);
    assert_eq!(field(&image, &ended, 0, 0), b"a long literal,\0");
    assert_eq!(field(&image, &ended, 1, 0), b"x\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
}

#[test]
fn locals_lie_in_the_slot() {
    let place = || Place::This(1);
    let keep = Stmt::Expr(assign(place(), long(-5)));
    let first = clause(&[BEGIN], None, vec![keep]);
    let second = clause(&[BEGIN], None, vec![trace(load(place(), int_type(LONG)))]);
    let mut program = program(vec![first, second]);
    program.locals = vec![variable("a", buffer(12)), variable("b", int_type(LONG))];
    let image = compile(&program);
    assert_eq!(image.locals, (super::machine::AFTER_SLOT as u32, 24));
    let mut machine = Machine::new(&image);
    let clauses = &image.programs[0].clauses;
    assert!(machine.run(&clauses[0]).messages.is_empty(), "an assignment says nothing");
    let ended = machine.run(&clauses[1]);
    let at = image.layouts[1].actions[0].fields[0].offset as usize;
    assert_eq!(ended.messages[0][at..][..8], (-5_i64).to_le_bytes());
}

#[test]
fn exit_ends_the_tracing_and_its_clause_goes_on() {
    let exit = Stmt::Action(Action::Exit(int(3)), span());
    let image = compile(&program(vec![clause(&[BEGIN], None, vec![exit, trace(int(4))])]));
    let mut machine = Machine::new(&image);
    let ended = machine.run(&image.programs[0].clauses[0]);
    assert_eq!(machine.section(".data.state"), &[state::ENDED]);
    assert_eq!(field(&image, &ended, 0, 0), 3_i32.to_le_bytes());
    assert_eq!(field(&image, &ended, 1, 0), 4_i32.to_le_bytes());
}

#[test]
fn what_a_branch_computed_is_not_known_behind_it() {
    // The process id is first computed on one side only.
    let side = logical(LogicalOp::Or, arg(0), compare(CompareOp::Eq, pid(), int(PID as i64)));
    let image = compile(&program(vec![clause(&[READ_ENTRY], None, vec![trace(side), trace(pid())])]));
    for first in [0, 1] {
        let mut machine = Machine::new(&image);
        machine.set_record(0, first);
        let ended = machine.run(&image.programs[0].clauses[0]);
        assert_eq!(field(&image, &ended, 0, 0), 1_i32.to_le_bytes());
        assert_eq!(field(&image, &ended, 1, 0), (PID as i32).to_le_bytes());
    }
}

#[test]
fn a_bad_address_leaves_the_clause() {
    let deref = |address: Expr| {
        let pointer = cast(address, Type::Pointer(Box::new(int_type(INT))));
        trace(expr(ExprKind::Load(Place::Memory(Box::new(pointer))), int_type(INT)))
    };
    let value: i32 = -77;
    let image = compile(&program(vec![clause(&[READ_ENTRY], None, vec![deref(arg(0)), deref(arg(1))])]));
    let mut machine = Machine::new(&image);
    machine.set_record(0, &raw const value as u64);
    machine.set_record(8, &raw const value as u64);
    let ended = machine.run(&image.programs[0].clauses[0]);
    assert_eq!(field(&image, &ended, 1, 0), value.to_le_bytes());

    machine.set_record(8, 8);
    let ended = machine.run(&image.programs[0].clauses[0]);
    assert_eq!((ended.outcome, ended.messages.len()), (outcome::FAULT, 0));
    let word = |offset| machine.get(SLOT_FAULT + offset);
    assert_eq!(word(std::mem::offset_of!(probes_common::abi::Fault, value)), 8);
    assert_eq!(word(std::mem::offset_of!(probes_common::abi::Fault, action)), 2);
    let (ordinal, action, _) = image.layouts[0].faults[1];
    assert_eq!(
        (u64::from(ordinal), action),
        (word(std::mem::offset_of!(probes_common::abi::Fault, offset)), 2)
    );
}

#[test]
fn equal_names_are_equal_keys() {
    // The key of a variable is built on the stack; its number is what the message would hold, so it is looked at there.
    let number = |clauses: Vec<Clause>| {
        let mut program = program(clauses);
        let name = Type::String(Text::Probe(ProbePart::Function));
        program.dynamics.push(Dynamic {
            name: "a".into(),
            thread_local: false,
            keys: vec![name],
            ty: int_type(LONG),
        });
        show(&compile(&program))
    };
    let forget = || {
        let place = Place::Dynamic(0, vec![part(ProbePart::Function)]);
        vec![Stmt::Expr(expr(ExprKind::Assign(place, Box::new(long(0))), int_type(LONG)))]
    };
    // Alone, a return is its own; after the entry of the same name it has the entry's number.
    let alone = number(vec![clause(&[READ_RETURN], None, forget())]);
    assert!(alone.contains("= 0\n"), "{alone}");
    let both =
        number(vec![clause(&[BEGIN, READ_ENTRY], None, vec![]), clause(&[READ_RETURN], None, forget())]);
    assert!(both.contains("= 65536\n"), "{both}");
    // Returns of several calls, whose numbers are not those of the entries: by way of a table.
    let returns: Vec<ProbeId> = ENTRIES.iter().map(|id| ProbeId(id.0 + 4)).collect();
    let table = number(vec![clause(&ENTRIES, None, vec![]), clause(&returns, None, forget())]);
    assert!(table.contains("&.rodata.strings"), "{table}");
}
