//! Programs on this kernel: its verifier accepts them, and they compute what the IR means.
//!
//! Most are random. They are raw tracepoint programs that are attached to nothing and run by BPF_PROG_TEST_RUN.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};

use super::interpreter;
use super::random::{INPUT_SIZE, Machine, Stmt, Value, build, program};
use crate::bpf::{self, Insn};
use crate::ir::{Builder, Condition, Size, Width, compile};

/// Commands and a program type of linux/bpf.h.
const BPF_MAP_CREATE: libc::c_int = 0;
const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_PSEUDO_MAP_FD: u8 = 1;
const BPF_PROG_LOAD: libc::c_int = 5;
const BPF_PROG_TEST_RUN: libc::c_int = 10;
const BPF_PROG_TYPE_RAW_TRACEPOINT: u32 = 17;

/// The fields of `union bpf_attr` for BPF_PROG_LOAD, up to the last that is used.
#[repr(C)]
struct LoadAttr {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
}

/// The fields of `union bpf_attr` for BPF_PROG_TEST_RUN.
#[repr(C)]
#[derive(Default)]
struct RunAttr {
    prog_fd: u32,
    retval: u32,
    data: [u64; 3],
    repeat: u32,
    duration: u32,
    ctx_size_in: u32,
    ctx_size_out: u32,
    ctx_in: u64,
    ctx_out: u64,
    flags: u32,
    cpu: u32,
    batch_size: u32,
    pad: u32,
}

fn bpf<T>(command: libc::c_int, attr: &mut T) -> io::Result<libc::c_long> {
    // SAFETY: attr begins with the fields that the command reads, of the size that is given; the kernel takes the
    // rest for zero. The pointers in it are to buffers that the caller holds.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, attr as *mut T, size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Loads instructions; the error has the verifier's log.
fn load(insns: &[Insn]) -> Result<OwnedFd, (io::Error, String)> {
    let bytes: Vec<u8> = insns.iter().flat_map(|insn| insn.encode()).collect();
    let attempt = |log: &mut [u8]| {
        let mut attr = LoadAttr {
            prog_type: BPF_PROG_TYPE_RAW_TRACEPOINT,
            insn_cnt: insns.len() as u32,
            insns: bytes.as_ptr() as u64,
            license: c"GPL".as_ptr() as u64,
            log_level: u32::from(!log.is_empty()),
            log_size: log.len() as u32,
            log_buf: if log.is_empty() { 0 } else { log.as_mut_ptr() as u64 },
        };
        bpf(BPF_PROG_LOAD, &mut attr)
    };
    let mut log = vec![0; 1 << 20];
    match attempt(&mut []).or_else(|_| attempt(&mut log)) {
        // SAFETY: the kernel made this descriptor for us, and nothing else owns it.
        Ok(fd) => Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) }),
        Err(error) => Err((error, String::from_utf8_lossy(&log).trim_end_matches('\0').into())),
    }
}

/// Runs a program once, with `context` behind r1.
fn run(program: &OwnedFd, context: &[u8]) -> io::Result<u32> {
    let mut attr = RunAttr {
        prog_fd: program.as_raw_fd() as u32,
        ctx_size_in: context.len() as u32,
        ctx_in: context.as_ptr() as u64,
        ..RunAttr::default()
    };
    bpf(BPF_PROG_TEST_RUN, &mut attr)?;
    Ok(attr.retval)
}

/// Whether this process may load programs; says why where not.
fn may_load() -> bool {
    let trivial = [Insn::alu_imm(bpf::insn::alu::MOV, 0, 0), Insn::exit()];
    let outcome = load(&trivial);
    if let Err((error, _)) = &outcome {
        eprintln!("skipped: this process may not load programs: {error}");
    }
    outcome.is_ok()
}

#[test]
fn pointers_into_a_map_stay_pointers_when_they_are_spilled() {
    if !may_load() {
        return;
    }
    const VALUES: u32 = 8;
    // map_type, key_size, value_size, max_entries
    let mut attr = [BPF_MAP_TYPE_ARRAY, 4, 8, VALUES];
    let map = bpf(BPF_MAP_CREATE, &mut attr).expect("an array map can be made");
    // SAFETY: the kernel made this descriptor for us, and nothing else owns it.
    let map = unsafe { OwnedFd::from_raw_fd(map as i32) };

    let mut b = Builder::new("pointers", 1);
    let (key, missing) = (b.stack_slot(4), b.label());
    let symbol = b.map_addr("map");
    let mut pointers = Vec::new();
    for index in 0..VALUES {
        b.store(Size::B4, (key, 0), i64::from(index));
        let address = b.stack_addr(key, 0);
        let pointer = b.helper(1, &[symbol.into(), address.into()]);
        b.branch(Condition::Eq, pointer, 0, missing);
        pointers.push(pointer);
    }
    for (&pointer, number) in pointers.iter().zip(1..) {
        b.store(Size::B8, (pointer, 0), 1i64 << number);
        b.helper_void(5, &[]);
    }
    let mut sum = b.constant(0);
    for pointer in pointers {
        b.atomic_add(Width::W64, (pointer, 0), 1);
        let value = b.load(Size::B8, (pointer, 0));
        sum = b.add(sum, value);
    }
    b.ret(sum);
    b.place(missing);
    b.ret(0);

    let mut code = compile(b.finish()).expect("it compiles");
    assert!(code.frame >= 8 + 8 * (VALUES - 4), "some pointers are spilled");
    for relocation in &code.relocations {
        let insn = &mut code.insns[relocation.offset as usize];
        (insn.src, insn.imm) = (BPF_PSEUDO_MAP_FD, map.as_raw_fd());
    }
    let loaded = load(&code.insns).unwrap_or_else(|(error, log)| panic!("{error}: {log}"));
    assert_eq!(run(&loaded, &[0; 8]).expect("it runs"), (1 << (VALUES + 1)) - 2 + VALUES);
}

#[test]
fn the_kernel_accepts_random_programs_and_computes_what_the_ir_means() {
    if !may_load() {
        return;
    }
    let input = prop::collection::vec(any::<u8>(), INPUT_SIZE as usize);
    let config = ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config)
        .run(&(program(Machine::Kernel), input), |(program, input)| agrees(&program, &input));
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn a_narrow_exchange_gives_a_narrow_value() {
    if !may_load() {
        return;
    }
    let first = Value::Var(0);
    let exchange = Stmt::CompareExchange(2, Width::W32, 0, first, first);
    let program = [Stmt::If(
        Condition::Lt,
        Width::W32,
        Value::Num(1),
        first,
        vec![exchange],
        vec![Stmt::Set(1, first)],
    )];
    let mut input = vec![0; INPUT_SIZE as usize];
    (input[3], input[7]) = (1, 1);
    agrees(&program, &input).unwrap();
}

/// Whether the kernel takes a program and computes what it means.
fn agrees(program: &[Stmt], input: &[u8]) -> Result<(), TestCaseError> {
    let function = build(program, Machine::Kernel);
    let meant = interpreter::run(&function, input) as u32;
    let code = compile(function).expect("it compiles");
    let fail = |what: &str| TestCaseError::fail(format!("{what}\n{}", bpf::disassemble(&code)));
    let loaded = load(&code.insns).map_err(|(error, log)| fail(&format!("{error}: {log}")))?;
    let result = run(&loaded, input).map_err(|error| fail(&format!("cannot run: {error}")))?;
    if result == meant { Ok(()) } else { Err(fail(&format!("{result:#x} instead of {meant:#x}"))) }
}
