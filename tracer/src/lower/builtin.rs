//! Built-in variables, each computed at most once a clause: at its first use, and again only where that may not have run.

use std::mem::offset_of;

use probes_common::abi::Slot;
use probes_common::offsets::ABSENT;
use probes_common::providers::proc::THREAD_SWITCH;

use super::clause::Clause;
use super::helper;
use crate::check::typed::Builtin;
use crate::ir::{BinaryOp, Condition, Memory, Operand, Size, StackSlot, VReg};

/// What has been computed on every way to here.
#[derive(Default, Clone)]
pub(super) struct Known {
    pid_tgid: Option<VReg>,
    pid: Option<VReg>,
    tid: Option<VReg>,
    whose: Option<VReg>,
    uid_gid: Option<VReg>,
    task: Option<VReg>,
    comm: bool,
    values: Vec<(Builtin, Operand)>,
    /// The bits of the fields of curpsinfo and curlwpsinfo.
    process: u64,
    thread: u64,
    /// Thread-local variables: index, how often it had been assigned to in the text before, value.
    variables: Vec<(usize, u32, Operand)>,
}

impl Clause<'_> {
    /// The value of an integer built-in.
    pub(super) fn builtin(&mut self, builtin: Builtin) -> Operand {
        if let Some((_, value)) = self.known.values.iter().find(|(known, _)| *known == builtin) {
            return *value;
        }
        let value = self.compute(builtin);
        self.known.values.push((builtin, value));
        value
    }

    fn compute(&mut self, builtin: Builtin) -> Operand {
        match builtin {
            Builtin::Pid => self.pid().into(),
            Builtin::Tid => self.tid().into(),
            Builtin::Uid => {
                let both = self.uid_gid();
                self.b.extend(32, false, both).into()
            }
            Builtin::Gid => {
                let both = self.uid_gid();
                self.b.binary(BinaryOp::Lshr, both, 32).into()
            }
            Builtin::Ppid => self.parent(),
            Builtin::Timestamp => self.timestamp().into(),
            Builtin::Walltimestamp => {
                let time = self.builtin(Builtin::Timestamp);
                self.b.add(time, self.context.options.wall_offset as i64).into()
            }
            Builtin::Cpu => self.b.helper(helper::GET_SMP_PROCESSOR_ID, &[]).into(),
            Builtin::Errno => self.errno(),
            Builtin::Id => self.probe_id(),
            Builtin::Epid => Operand::Imm(self.epid.into()),
            Builtin::Curthread => self.task().into(),
            Builtin::Caller => self.caller(),
            Builtin::Stackdepth => self.depth(),
            Builtin::Ucaller => self.user_caller(),
            Builtin::Ustackdepth => self.user_depth(),
            Builtin::Ureg(offset) => self.user_register(offset),
            Builtin::Curpsinfo | Builtin::Curlwpsinfo => self.current_address(builtin),
            Builtin::Vtimestamp => {
                self.needs.push(THREAD_SWITCH);
                match self.is_given() {
                    true => {
                        let task = self.given();
                        self.b.call("thread_time_of", &[task.into()]).into()
                    }
                    false => self.b.call("thread_time", &[]).into(),
                }
            }
            Builtin::Jiffies => self.b.helper(helper::JIFFIES64, &[]).into(),
            Builtin::Ipl | Builtin::Jid | Builtin::Curcpu | Builtin::NoUreg => Operand::Imm(0),
            Builtin::Execname
            | Builtin::Execargs
            | Builtin::Zonename
            | Builtin::Jailname
            | Builtin::ProbePart(_)
            | Builtin::Cwd
            | Builtin::Root => {
                unreachable!("strings, which `text` compiles")
            }
        }
    }

    /// Which of these fields of curpsinfo or curlwpsinfo are still to be filled in; from now on they are known.
    pub(super) fn unknown_fields(&mut self, builtin: Builtin, bits: u64) -> u64 {
        let known = match builtin {
            Builtin::Curpsinfo => &mut self.known.process,
            _ => &mut self.known.thread,
        };
        let unknown = bits & !*known;
        *known |= bits;
        unknown
    }

    /// The value of a thread-local variable, where it has been computed since it was last assigned to.
    pub(super) fn known_variable(&self, index: usize) -> Option<Operand> {
        let assigned = self.assigned[index];
        let known = |variable: &&(usize, u32, Operand)| (variable.0, variable.1) == (index, assigned);
        self.known.variables.iter().find(known).map(|variable| variable.2)
    }

    pub(super) fn know_variable(&mut self, index: usize, value: Operand) {
        self.known.variables.push((index, self.assigned[index], value));
    }

    /// A thread-local variable gets a value, perhaps only in a branch: what was known of it is so no more, for good.
    pub(super) fn assign_variable(&mut self, index: usize, value: Operand) {
        self.assigned[index] += 1;
        self.know_variable(index, value);
    }

    /// Thread id in the low half, process id in the high.
    pub(super) fn pid_tgid(&mut self) -> VReg {
        *self.known.pid_tgid.get_or_insert_with(|| self.b.helper(helper::GET_CURRENT_PID_TGID, &[]))
    }

    /// The process id, which a `task_struct` calls tgid.
    fn pid(&mut self) -> VReg {
        if let Some(pid) = self.known.pid {
            return pid;
        }
        let pid = self.of_task(self.context.options.offsets.task_tgid).unwrap_or_else(|| {
            let both = self.pid_tgid();
            self.b.binary(BinaryOp::Lshr, both, 32)
        });
        self.known.pid = Some(pid);
        pid
    }

    /// The thread id.
    pub(super) fn tid(&mut self) -> VReg {
        if let Some(tid) = self.known.tid {
            return tid;
        }
        let tid = self.of_task(self.context.options.offsets.task_pid).unwrap_or_else(|| {
            let both = self.pid_tgid();
            self.b.extend(32, false, both)
        });
        self.known.tid = Some(tid);
        tid
    }

    /// What tells the thread from all others, also from those that had its id before: its id, and above that when it began. Each
    /// CPU's idle thread has id 0; they are told apart by their CPUs.
    pub(super) fn thread(&mut self) -> VReg {
        if let Some(whose) = self.known.whose {
            return whose;
        }
        let tid = self.tid();
        let (idle, done) = (self.b.label(), self.b.label());
        // The verifier goes straight on first; what it learns of other threads' keys holds for these, too.
        self.b.branch(Condition::Eq, tid, 0, idle);
        let whose = self.b.copy(tid);
        if let Some(began) = self.of_task(self.context.options.offsets.task_start_boottime) {
            let high = self.b.binary(BinaryOp::Shl, began, 32);
            let both = self.b.binary(BinaryOp::Or, high, tid);
            self.b.set(whose, both);
        }
        self.b.jump(done);
        self.b.place(idle);
        let cpu = self.b.helper(helper::GET_SMP_PROCESSOR_ID, &[]);
        let next = self.b.add(cpu, 1);
        let high = self.b.binary(BinaryOp::Shl, next, 32);
        self.b.set(whose, high);
        self.b.place(done);
        self.known.whose = Some(whose);
        whose
    }

    /// A u32 of the current `task_struct`, whose type the verifier knows: without a helper, whose call and return take longer
    /// than all else that an event asks for. `None` for a field whose place is not known.
    fn of_task(&mut self, offset: u32) -> Option<VReg> {
        match offset {
            ABSENT => None,
            _ if self.is_given() => Some(self.of_given(offset)),
            _ => Some(self.b.load(Size::B4, (self.current, offset as i32))),
        }
    }

    fn uid_gid(&mut self) -> VReg {
        if let Some(known) = self.known.uid_gid {
            return known;
        }
        let both = match self.is_given() {
            true => self.uid_gid_of_given(),
            false => self.b.helper(helper::GET_CURRENT_UID_GID, &[]),
        };
        self.known.uid_gid = Some(both);
        both
    }

    fn task(&mut self) -> VReg {
        if let Some(known) = self.known.task {
            return known;
        }
        let task = match self.is_given() {
            true => self.given(),
            false => self.b.helper(helper::GET_CURRENT_TASK, &[]),
        };
        self.known.task = Some(task);
        task
    }

    /// The name of the current program: 16 bytes, padded with zeros, as the kernel keeps it.
    pub(super) fn comm(&mut self) -> StackSlot {
        let comm = self.comm_memory();
        if self.known.comm {
            return comm;
        }
        let offset = self.context.options.offsets.task_comm;
        if offset == ABSENT {
            // Linux 6.1 writes nothing behind the first zero.
            self.clear((comm, 0).into(), 16);
            let address = self.b.stack_addr(comm, 0);
            self.b.helper_void(helper::GET_CURRENT_COMM, &[address.into(), Operand::Imm(16)]);
        } else if self.is_given() {
            self.comm_of_given(comm);
        } else {
            self.copy((comm, 0).into(), (self.current, offset as i32).into(), 16);
        }
        self.known.comm = true;
        comm
    }

    /// The parent's process id; 0 where this kernel does not let it be found.
    fn parent(&mut self) -> Operand {
        let offsets = &self.context.options.offsets;
        let (to_parent, to_tgid) = (offsets.task_real_parent, offsets.task_tgid);
        if to_parent == ABSENT || to_tgid == ABSENT {
            return Operand::Imm(0);
        }
        let task = self.task();
        let parent = self.read_word(task, to_parent, 8);
        self.read_word(parent, to_tgid, 4).into()
    }

    /// Reads kernel memory; zero where it cannot be read.
    pub(super) fn read_word(&mut self, base: VReg, offset: u32, bytes: u32) -> VReg {
        let word = self.word();
        let from = self.b.add(base, i64::from(offset));
        let to = self.b.stack_addr(word, 0);
        let args: [Operand; 3] = [to.into(), Operand::Imm(bytes.into()), from.into()];
        self.b.helper_void(helper::PROBE_READ_KERNEL, &args);
        self.b.load(Size::of_bytes(bytes).unwrap_or(Size::B8), (word, 0))
    }

    /// The time of the firing, which is that of its messages too.
    fn timestamp(&mut self) -> VReg {
        let at: Memory = (self.slot, offset_of!(Slot, time) as i32).into();
        let known = self.b.label();
        let time = self.b.load(Size::B8, at);
        self.b.branch(Condition::Ne, time, 0, known);
        let now = self.b.helper(helper::KTIME_GET_NS, &[]);
        self.b.set(time, now);
        self.b.store(Size::B8, at, time);
        self.b.place(known);
        time
    }

    /// The record's `errno`, where it has one.
    fn errno(&mut self) -> Operand {
        match self.record_field("errno") {
            Some(field) => self.field_int(field),
            None => Operand::Imm(0),
        }
    }

    /// The firing probe's id.
    fn probe_id(&mut self) -> Operand {
        match self.unit.probes.as_slice() {
            [(id, _)] => Operand::Imm(id.0.into()),
            probes => {
                let rows =
                    probes.iter().map(|(id, probe)| (probe.discriminator, id.0.to_le_bytes())).collect();
                let row = self.probe_row(rows);
                self.b.load(Size::B4, row).into()
            }
        }
    }
}
