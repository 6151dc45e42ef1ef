//! Work on strings, a byte at a turn.
//!
//! A [`Job`] is two strings to read, a buffer to write, and a state that each turn of the loop changes. In the kernel the
//! loop is bpf_loop(), and the state lies in the slot, so the verifier knows nothing of it and follows one turn, not all;
//! every access is tested against the size of its buffer. On the host it is a loop.
//!
//! Invariant: the last byte of the result stays what it was, zero, and so do all that are not written.

use probes_common::abi::Slot;

/// Two strings, a result, and the state of what is done with them.
#[repr(C)]
pub struct Job<S> {
    state: *mut S,
    first: *const u8,
    second: *const u8,
    result: *mut u8,
    first_size: u64,
    second_size: u64,
    result_size: u64,
}

/// What is done a byte at a turn.
pub trait Step: Sized {
    /// One turn; true when it was the last.
    fn step(job: &mut Job<Self>) -> bool;
}

/// The most turns that the kernel grants a loop (BPF_MAX_LOOPS in include/linux/bpf_verifier.h).
const TURNS: u32 = 1 << 23;

/// What a routine is called with: jobs are made of it, one after the other.
#[derive(Clone, Copy)]
pub struct Call {
    slot: *mut Slot,
    first: *const u8,
    second: *const u8,
    result: *mut u8,
    sizes: u64,
}

impl Call {
    /// The sizes of the three buffers come in one argument, `first | second << 16 | result << 32`, a constant of the call.
    ///
    /// # Safety
    /// The strings and the result have those sizes, and `slot` is a claimed slot.
    #[inline(always)]
    pub unsafe fn new(
        slot: *mut Slot,
        first: *const u8,
        second: *const u8,
        result: *mut u8,
        sizes: u64,
    ) -> Call {
        Call { slot, first, second, result, sizes }
    }

    /// The two numbers that come beside the strings.
    #[inline(always)]
    pub fn numbers(self) -> [i64; 2] {
        // SAFETY: the promise of `new`.
        unsafe { (*self.slot).work.numbers }
    }

    /// A job that begins with this state, which lies in the slot: where that of the job before lay.
    #[inline(always)]
    pub fn job<S: Step>(self, state: S) -> Job<S> {
        const { assert!(size_of::<S>() <= size_of::<[u64; 12]>()) };
        let Call { slot, first, second, result, sizes } = self;
        let (first_size, second_size, result_size) = (sizes & 0xffff, sizes >> 16 & 0xffff, sizes >> 32);
        // SAFETY: the promise of `new`; the state fits.
        let place = unsafe {
            let place = (&raw mut (*slot).work.state).cast::<S>();
            place.write(state);
            place
        };
        Job { state: place, first, second, result, first_size, second_size, result_size }
    }
}

/// Routines on strings, by the names that compiled clauses call: `name(call) { body }`.
macro_rules! routines {
    ($( $(#[doc = $doc:literal])* $name:ident($call:ident) $body:block )*) => { $(
        $(#[doc = $doc])*
        ///
        /// # Safety
        /// As `Call::new` says.
        #[unsafe(no_mangle)]
        #[inline(never)]
        pub unsafe extern "C" fn $name(
            slot: *mut probes_common::abi::Slot,
            first: *const u8,
            second: *const u8,
            to: *mut u8,
            sizes: u64,
        ) -> i64 {
            // SAFETY: the caller's promise.
            let $call = unsafe { $crate::runtime::job::Call::new(slot, first, second, to, sizes) };
            $body
        }
    )* };
}

pub(crate) use routines;

impl<S: Step> Job<S> {
    /// Runs to the end, and gives the state.
    #[inline(always)]
    pub fn run(&mut self) -> &mut S {
        repeat(self);
        self.state()
    }
}

impl<S> Job<S> {
    /// What is kept from turn to turn.
    #[inline(always)]
    pub fn state(&mut self) -> &mut S {
        // SAFETY: it lies in the slot, which nobody else has.
        unsafe { &mut *self.state }
    }

    /// A byte of the first string, zero behind its end.
    #[inline(always)]
    pub fn first(&self, at: u64) -> u8 {
        // SAFETY: inside the buffer.
        if at < self.first_size { unsafe { self.first.add(at as usize).read() } } else { 0 }
    }

    /// A byte of the second string, zero behind its end.
    #[inline(always)]
    pub fn second(&self, at: u64) -> u8 {
        // SAFETY: inside the buffer.
        if at < self.second_size { unsafe { self.second.add(at as usize).read() } } else { 0 }
    }

    /// A byte of the result, zero behind its end.
    #[inline(always)]
    pub fn written(&self, at: u64) -> u8 {
        // SAFETY: inside the buffer.
        if at < self.result_size { unsafe { self.result.add(at as usize).read() } } else { 0 }
    }

    /// Writes a byte of the result; what does not fit is cut.
    #[inline(always)]
    pub fn put(&mut self, at: u64, byte: u8) {
        if at < self.result_size - 1 {
            // SAFETY: inside the buffer.
            unsafe { self.result.add(at as usize).write(byte) };
        }
    }

    /// Whether a byte of the result would be cut.
    #[inline(always)]
    pub fn is_full(&self, at: u64) -> bool {
        at >= self.result_size - 1
    }
}

#[cfg(target_arch = "bpf")]
#[inline(always)]
fn repeat<S: Step>(job: &mut Job<S>) {
    unsafe extern "C" fn turn<S: Step>(_: u64, job: *mut Job<S>) -> i64 {
        // SAFETY: what `repeat` handed to the loop.
        if S::step(unsafe { &mut *job }) { 1 } else { 0 }
    }
    let turn: unsafe extern "C" fn(u64, *mut Job<S>) -> i64 = turn::<S>;
    // SAFETY: the helper calls the function with the job, as often as it says.
    unsafe {
        aya_ebpf::helpers::generated::bpf_loop(
            TURNS,
            turn as *mut core::ffi::c_void,
            (&raw mut *job).cast(),
            0,
        )
    };
}

#[cfg(not(target_arch = "bpf"))]
fn repeat<S: Step>(job: &mut Job<S>) {
    for _ in 0..TURNS {
        if S::step(job) {
            return;
        }
    }
    panic!("the loop has no end");
}

/// What the tests call routines with.
#[cfg(test)]
pub mod testing {
    use probes_common::abi::Slot;

    /// A routine on strings.
    pub type Routine = unsafe extern "C" fn(*mut Slot, *const u8, *const u8, *mut u8, u64) -> i64;

    /// Runs a routine on two strings in buffers of that size, with two numbers: what it returned and its text.
    pub fn run_sized(
        routine: Routine,
        size: usize,
        first: &[u8],
        second: &[u8],
        numbers: [i64; 2],
    ) -> (i64, String) {
        let layout = std::alloc::Layout::new::<Slot>();
        let buffer = |text: &[u8]| {
            let mut words = vec![0_u64; size / 8];
            for (index, &byte) in text.iter().take(size - 1).enumerate() {
                words[index / 8] |= u64::from(byte) << (index % 8 * 8);
            }
            words
        };
        let (first, second, mut result) = (buffer(first), buffer(second), buffer(b""));
        let sizes = (size | size << 16 | size << 32) as u64;
        // SAFETY: a slot of integers may be zero, and the buffers have those sizes.
        let returned = unsafe {
            let slot = std::alloc::alloc_zeroed(layout).cast::<Slot>();
            (*slot).work.numbers = numbers;
            let to = result.as_mut_ptr().cast();
            let returned = routine(slot, first.as_ptr().cast(), second.as_ptr().cast(), to, sizes);
            std::alloc::dealloc(slot.cast(), layout);
            returned
        };
        let bytes: Vec<u8> = result.iter().flat_map(|word| word.to_le_bytes()).collect();
        let end = bytes.iter().position(|&byte| byte == 0).expect("the last byte is zero");
        assert!(bytes[end..].iter().all(|&byte| byte == 0), "padded with zeros: {bytes:?}");
        (returned, String::from_utf8(bytes[..end].to_vec()).expect("text"))
    }

    /// [`run_sized`] with 64 bytes.
    pub fn run(routine: Routine, first: &str, second: &str, numbers: [i64; 2]) -> (i64, String) {
        run_sized(routine, 64, first.as_bytes(), second.as_bytes(), numbers)
    }

    /// Strings of a few letters, all of up to so many bytes.
    pub fn strings(letters: &str, longest: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..longest {
            last = last.iter().flat_map(|s| letters.chars().map(move |c| format!("{s}{c}"))).collect();
            all.extend(last.iter().cloned());
        }
        all
    }
}
