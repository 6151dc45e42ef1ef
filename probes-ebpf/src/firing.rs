//! The trampolines' frame, and the firing of a probe from claim to release.

use core::ffi::c_void;
use core::mem::{MaybeUninit, offset_of};

use aya_ebpf::bindings::{bpf_raw_tracepoint_args, pt_regs};
use probes_common::abi::{Drop, Fault, LIGHT_RECORD, RECORD_SIZE, SLOT_RECORD, Slot};

use crate::kernel::Current;
use crate::{drops, scope, slots};

/// Declares eBPF programs, of four sorts:
///
/// ```text
/// probe NAME in "section", |program: Program| ...      hosts one probe, of the current process
/// family NAME in "section", |program: Family| ...      hosts several, told apart by a discriminator
/// foreign NAME in "section", |program: Program| ...    hosts one probe that may be about another process
/// support NAME in "section", |ctx: Context| ...        gathers what others need; has no clauses
/// ```
///
/// Probes do nothing unless the tracer is active, on this CPU, and the current process in scope; a foreign one asks [`scope`](crate::scope)
/// itself. Support programs gather from the start, before BEGIN has ended.
macro_rules! programs {
    ($( $(#[doc = $doc:literal])* $sort:ident $name:ident in $section:literal, |$this:ident| $body:expr; )*) => { $(
        $(#[doc = $doc])*
        #[unsafe(no_mangle)]
        #[unsafe(link_section = $section)]
        pub extern "C" fn $name(ctx: *mut core::ffi::c_void) -> u32 {
            if $crate::firing::runs!($sort) {
                let $this = $crate::firing::$sort!($name, ctx);
                $body;
            }
            0
        }
    )* };
}

/// Whether a program of that sort runs now.
macro_rules! runs {
    (support) => {
        !$crate::state::ended()
    };
    (foreign) => {
        $crate::state::active() && $crate::scope::here()
    };
    ($probe:ident) => {
        $crate::state::active() && $crate::scope::here() && $crate::scope::current()
    };
}

/// The [`Context`] of a program without clauses.
macro_rules! support {
    ($name:ident, $ctx:expr) => {
        $crate::firing::Context($ctx)
    };
}

/// The [`Program`] of that name, with the symbols that the linker defines and patches. Once in each program.
macro_rules! probe {
    ($name:ident, $ctx:expr) => {{
        #[unsafe(export_name = concat!("WANTS_", stringify!($name)))]
        static WANTS: u64 = u64::MAX;
        #[unsafe(export_name = concat!("PROGRAM_", stringify!($name)))]
        static PROGRAM: u32 = 0;
        #[unsafe(export_name = concat!("LIGHT_", stringify!($name)))]
        static LIGHT: u32 = 0;
        #[unsafe(export_name = concat!("ALONE_", stringify!($name)))]
        static ALONE: u32 = 0;
        unsafe extern "C" {
            #[link_name = concat!("clauses_", stringify!($name))]
            fn clauses(
                slot: *mut probes_common::abi::Slot,
                ctx: *mut core::ffi::c_void,
                task: *mut core::ffi::c_void,
            ) -> u64;
            #[link_name = concat!("takes_", stringify!($name))]
            fn takes(discriminator: u64, task: *mut core::ffi::c_void) -> u64;
        }
        $crate::firing::Program {
            ctx: $crate::firing::Context($ctx),
            number: &raw const PROGRAM,
            wants: &raw const WANTS,
            light: &raw const LIGHT,
            alone: &raw const ALONE,
            clauses,
            takes,
        }
    }};
}

/// The [`Program`] of that name; its event may be about another process than the current one.
macro_rules! foreign {
    ($name:ident, $ctx:expr) => {
        $crate::firing::probe!($name, $ctx)
    };
}

/// The [`Family`] of that name.
macro_rules! family {
    ($name:ident, $ctx:expr) => {{
        unsafe extern "C" {
            #[link_name = concat!("gate_", stringify!($name))]
            fn gate(discriminator: u64) -> u64;
        }
        $crate::firing::Family { program: $crate::firing::probe!($name, $ctx), gate }
    }};
}

/// The want bit of a field: `bit!(SignalSend, sig)`; of a struct field, where its own fields' bits begin.
macro_rules! bit {
    ($record:ty, $field:ident) => {
        const { <$record as probes_common::schema::Described>::DEF.bit_at(core::mem::offset_of!($record, $field)) }
    };
}

pub(crate) use {bit, family, foreign, probe, programs, runs, support};

/// What the kernel gives a program.
#[derive(Clone, Copy)]
pub struct Context(pub *mut c_void);

impl Context {
    /// An argument of a raw tracepoint, as the 64-bit word that the kernel passes. Only for programs on raw tracepoints
    /// with so many arguments; the verifier refuses others.
    #[inline(always)]
    pub fn arg(self, n: usize) -> u64 {
        // SAFETY: see above.
        unsafe { *(*self.0.cast::<bpf_raw_tracepoint_args>()).args.as_ptr().add(n) }
    }

    /// The registers that a program on a function is given, of the kernel or of a process. The verifier refuses it elsewhere.
    #[inline(always)]
    pub fn registers<'a>(self) -> &'a pt_regs {
        // SAFETY: see above.
        unsafe { &*self.0.cast() }
    }
}

/// A program with one probe, as it runs.
#[derive(Clone, Copy)]
pub struct Program {
    /// What the kernel gave it.
    pub ctx: Context,
    /// Its number, in `.rodata`.
    pub number: *const u32,
    /// Its want bits, in `.rodata`.
    pub wants: *const u64,
    /// Whether its clauses do without a slot of their own, in `.rodata`.
    pub light: *const u32,
    /// Whether it is left out where another firing is under way, in `.rodata`: its event may come while that takes a lock.
    pub alone: *const u32,
    /// Its dispatcher.
    pub clauses: unsafe extern "C" fn(*mut Slot, *mut c_void, *mut c_void) -> u64,
    /// Whether any clause takes the firing of that one of its probes, as far as their predicates can tell before.
    pub takes: unsafe extern "C" fn(u64, *mut c_void) -> u64,
}

/// The beginning of a slot, as far as a record: for clauses that need no more.
#[repr(C, align(8))]
struct Light<R> {
    head: MaybeUninit<[u8; SLOT_RECORD]>,
    record: MaybeUninit<R>,
}

impl Program {
    /// Fires the probe: claims a slot, has its record filled in, runs the clauses, and gives the slot back.
    ///
    /// `fill` gets a record that can be written, with what an earlier firing left in it, and the want bits; it sets
    /// the fields that are wanted. It should capture values, not the program: a function's address that is stored makes
    /// the verifier refuse it.
    #[inline(always)]
    pub fn fire<R>(self, fill: impl FnOnce(&mut R, Wants)) {
        self.fire_if(|record, wants| {
            fill(record, wants);
            true
        });
    }

    /// Like [`fire`](Self::fire), for clauses that are about another thread than the current one.
    #[inline(always)]
    pub fn fire_in<R>(self, thread: Current, fill: impl FnOnce(&mut R, Wants)) {
        if let Some(taken) = self.take(0, thread) {
            taken.fire(fill);
        }
    }

    /// Like [`fire`](Self::fire), if `fill` says so: where what it fills in also tells whether the event counts.
    #[inline(always)]
    pub fn fire_if<R>(self, fill: impl FnOnce(&mut R, Wants) -> bool) {
        if let Some(taken) = self.take(0, Current::get()) {
            taken.fire_if(fill);
        }
    }

    #[inline(always)]
    fn take(self, discriminator: u32, task: Current) -> Option<Taken> {
        // SAFETY: the linker defines it.
        let takes = unsafe { (self.takes)(discriminator.into(), task.address()) != 0 };
        takes.then_some(Taken { program: self, discriminator, task })
    }

    /// Counts something that this program did not record.
    #[inline(always)]
    pub fn drop(self, kind: Drop) {
        // SAFETY: a static; volatile because the linker changes its value.
        drops::count(unsafe { self.number.read_volatile() }, kind as u32);
    }
}

/// An event that some clause takes, as far as can be told before its probe fires.
#[derive(Clone, Copy)]
pub struct Taken {
    program: Program,
    discriminator: u32,
    /// The current thread.
    pub task: Current,
}

impl Taken {
    /// Fires the probe; see [`Program::fire`].
    #[inline(always)]
    pub fn fire<R>(self, fill: impl FnOnce(&mut R, Wants)) {
        self.fire_if(|record, wants| {
            fill(record, wants);
            true
        });
    }

    #[inline(always)]
    fn fire_if<R>(self, fill: impl FnOnce(&mut R, Wants) -> bool) {
        let Taken { program, discriminator, task } = self;
        const { assert!(size_of::<R>() <= RECORD_SIZE && offset_of!(Light<R>, record) == SLOT_RECORD) }
        // SAFETY: a static; volatile because the linker changes its value.
        if unsafe { program.alone.read_volatile() } != 0 && (slots::any() || scope::is_own()) {
            return program.drop(Drop::Slot);
        }
        let mut stack = MaybeUninit::<Light<R>>::uninit();
        // SAFETY: a static; volatile because the linker changes its value. It is read again each time, so that the compiler
        // does not make two ways of what follows, of which the verifier would find one dead.
        let light = || size_of::<R>() <= LIGHT_RECORD && unsafe { program.light.read_volatile() } != 0;
        let slot = if light() {
            stack.as_mut_ptr().cast()
        } else {
            match slots::claim() {
                Some(slot) => slot,
                None => return program.drop(Drop::Slot),
            }
        };
        // SAFETY: the slot is ours until it is released, and a record is plain data, any bytes of which are a value;
        // `clauses` is defined by the linker, which knows that a light slot's end is not touched.
        unsafe {
            (*slot).discriminator = discriminator;
            (*slot).time = 0;
            if !light() {
                (*slot).fault = Fault { probe: 0, epid: 0, action: 0, offset: 0, fault: 0, value: 0 };
            }
            if fill(&mut *(&raw mut (*slot).record).cast(), Wants(program.wants.read_volatile())) {
                (program.clauses)(slot, program.ctx.0, task.address());
            }
        }
        if !light() {
            slots::release(slot);
        }
    }
}

/// A program with several probes.
#[derive(Clone, Copy)]
pub struct Family {
    /// The program.
    pub program: Program,
    /// Whether any clause wants a discriminator, by the linker.
    pub gate: unsafe extern "C" fn(u64) -> u64,
}

impl Family {
    /// Whether any clause wants that one of its probes, and takes this event. Ask before anything else is done.
    #[inline(always)]
    pub fn wanted(self, discriminator: u32) -> Option<Taken> {
        self.wants(discriminator).then(Current::get).and_then(|task| self.program.take(discriminator, task))
    }

    /// The same for who knows the current thread.
    #[inline(always)]
    pub fn wanted_of(self, discriminator: u32, task: Current) -> Option<Taken> {
        self.wants(discriminator).then_some(task).and_then(|task| self.program.take(discriminator, task))
    }

    #[inline(always)]
    fn wants(self, discriminator: u32) -> bool {
        // SAFETY: the linker defines it.
        unsafe { (self.gate)(discriminator.into()) != 0 }
    }
}

/// The want bits of a program.
#[derive(Clone, Copy)]
pub struct Wants(pub u64);

impl Wants {
    /// Whether a field with that bit is wanted.
    #[inline(always)]
    pub fn field(self, bit: u8) -> bool {
        self.0 >> bit & 1 != 0
    }

    /// The bits of a struct field's own fields.
    #[inline(always)]
    pub fn part(self, bit: u8) -> Wants {
        Wants(self.0 >> bit)
    }
}
