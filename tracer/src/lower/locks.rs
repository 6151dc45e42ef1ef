//! What the kernel's locks say of themselves: mutex_owned() and its kin, by the fields of `struct mutex`, `rwlock_t` and
//! `struct rw_semaphore`.
//!
//! Who waits for a mutex spins while the owner runs. So every mutex is of the adaptive type. A lock of readers and writers is taken
//! for a `rwlock_t`, as Oracle's DTrace does, unless the pointer says that it is a semaphore.

use probes_common::offsets::ABSENT;

use super::clause::Clause;
use super::helper;
use crate::check::typed::{Builtin, Expr, ExprKind, Subroutine, Type};
use crate::diagnostic::Span;
use crate::ir::{BinaryOp, Condition, Operand, Size, VReg};

/// The flags in the low bits of an owner (MUTEX_FLAGS in kernel/locking/mutex.h).
const OWNER_FLAGS: i64 = 7;
/// Parts of a semaphore's count (kernel/locking/rwsem.c): a writer has it; its readers.
const WRITER: i64 = 1;
const READERS: i64 = 0x7fff_ffff_ffff_ff00;
/// Parts of a `rwlock_t`'s first word (include/asm-generic/qrwlock.h and qrwlock_types.h, Linux 6.18): a writer has it; one waits for
/// it; its readers.
const SPIN_WRITER: i64 = 0xff;
const SPIN_WRITER_WAITS: i64 = 0x100;
const SPIN_READERS: i64 = 0xffff_fe00;

/// Whether a pointer is to a semaphore of readers and writers, whatever it has been converted to.
fn points_to_semaphore(lock: &Expr) -> bool {
    match (&lock.ty, &lock.kind) {
        (Type::Pointer(of), _) if matches!(&**of, Type::Composite(of) if of.tag == Some("rw_semaphore")) => {
            true
        }
        (_, ExprKind::Cast(of)) => points_to_semaphore(of),
        _ => false,
    }
}

impl Clause<'_> {
    /// A question about a lock, whose address is the one argument.
    pub(super) fn lock_call(&mut self, subroutine: Subroutine, arguments: &[Expr], span: Span) -> Operand {
        let lock = self.int(&arguments[0]);
        let offsets = self.context.options.offsets;
        match subroutine {
            Subroutine::MutexOwned => {
                let owner = self.lock_word(lock, offsets.mutex_owner, span);
                let owner = self.b.binary(BinaryOp::And, owner, !OWNER_FLAGS);
                let thread = self.builtin(Builtin::Curthread);
                self.b.compare(Condition::Eq, owner, thread).into()
            }
            Subroutine::MutexOwner => {
                let owner = self.lock_word(lock, offsets.mutex_owner, span);
                self.b.binary(BinaryOp::And, owner, !OWNER_FLAGS).into()
            }
            Subroutine::MutexTypeAdaptive => {
                self.lock_word(lock, offsets.mutex_owner, span);
                Operand::Imm(1)
            }
            Subroutine::MutexTypeSpin => {
                self.lock_word(lock, offsets.mutex_owner, span);
                Operand::Imm(0)
            }
            question => {
                let semaphore = points_to_semaphore(&arguments[0]);
                let offset = if semaphore { offsets.rwsem_count } else { 0 };
                let parts = match (question, semaphore) {
                    (Subroutine::RwReadHeld, true) => READERS,
                    (Subroutine::RwReadHeld, false) => SPIN_READERS,
                    (_, true) => WRITER,
                    (Subroutine::RwIsWriter, false) => SPIN_WRITER | SPIN_WRITER_WAITS,
                    (_, false) => SPIN_WRITER,
                };
                let count = self.lock_word(lock, offset, span);
                let held = self.b.binary(BinaryOp::And, count, parts);
                self.b.compare(Condition::Ne, held, 0).into()
            }
        }
    }

    /// A word of a lock. A kernel whose locks are made of other things does not tell.
    fn lock_word(&mut self, lock: Operand, offset: u32, span: Span) -> VReg {
        if offset == ABSENT {
            return self.illegal(span);
        }
        let word = self.word();
        let (to, from) = (self.b.stack_addr(word, 0), self.b.add(lock, i64::from(offset)));
        let status = self.b.helper(helper::PROBE_READ_KERNEL, &[to.into(), Operand::Imm(8), from.into()]);
        self.check_read(status, from.into(), span);
        self.b.load(Size::B8, (word, 0))
    }
}
