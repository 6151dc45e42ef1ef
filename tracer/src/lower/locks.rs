//! What the kernel's locks say of themselves: mutex_owned() and its kin, by the fields of `struct mutex` and
//! `struct rw_semaphore`.
//!
//! Both are adaptive: who waits spins while the owner runs. So every mutex is of the adaptive type.

use probes_common::abi::fault;
use probes_common::offsets::ABSENT;

use super::clause::Clause;
use super::helper;
use crate::check::typed::{Builtin, Expr, Subroutine};
use crate::diagnostic::Span;
use crate::ir::{BinaryOp, Condition, Operand, Size, VReg};

/// The flags in the low bits of an owner (MUTEX_FLAGS in kernel/locking/mutex.h).
const OWNER_FLAGS: i64 = 7;
/// Parts of a semaphore's count (kernel/locking/rwsem.c): a writer has it; its readers.
const WRITER: i64 = 1;
const READERS: i64 = 0x7fff_ffff_ffff_ff00;

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
            Subroutine::RwReadHeld => {
                let count = self.lock_word(lock, offsets.rwsem_count, span);
                let readers = self.b.binary(BinaryOp::And, count, READERS);
                self.b.compare(Condition::Ne, readers, 0).into()
            }
            _ => {
                let count = self.lock_word(lock, offsets.rwsem_count, span);
                self.b.binary(BinaryOp::And, count, WRITER).into()
            }
        }
    }

    /// A word of a lock. A kernel whose locks are made of other things does not tell.
    fn lock_word(&mut self, lock: Operand, offset: u32, span: Span) -> VReg {
        if offset == ABSENT {
            let on = self.b.label();
            let known = self.b.constant(0);
            self.b.branch(Condition::Ne, known, 0, on);
            self.fault(fault::ILLOP, Operand::Imm(0), span);
            self.b.place(on);
            return known;
        }
        let word = self.word();
        let (to, from) = (self.b.stack_addr(word, 0), self.b.add(lock, i64::from(offset)));
        let status = self.b.helper(helper::PROBE_READ_KERNEL, &[to.into(), Operand::Imm(8), from.into()]);
        self.check_read(status, from.into(), span);
        self.b.load(Size::B8, (word, 0))
    }
}
