//! The D types that several providers share.
use crate::record;

record! {
    /// A process.
    pub struct PsInfo as "psinfo_t" {
        /// Process id.
        0 pr_pid: i32 as "pid_t";
        /// Number of threads.
        1 pr_nlwp: i32 as "int";
        /// The parent's process id.
        2 pr_ppid: i32 as "pid_t";
        /// Process group.
        3 pr_pgid: i32 as "pid_t";
        /// Session.
        3 pr_sid: i32 as "pid_t";
        /// Real user.
        4 pr_uid: u32 as "uid_t";
        /// Effective user.
        4 pr_euid: u32 as "uid_t";
        /// Real group.
        4 pr_gid: u32 as "gid_t";
        /// Effective group.
        4 pr_egid: u32 as "gid_t";
        /// Unused, zero.
        0 pr_pad: u32 as "uint32_t";
        /// Address of its `task_struct`.
        0 pr_addr: u64 as "uintptr_t";
        /// When it started, nanoseconds since boot.
        5 pr_start: u64 as "uint64_t";
        /// Name of the program, as the kernel keeps it.
        6 pr_fname: [u8; 16] as "char[16]";
        /// Its arguments, separated by spaces, cut at 79 bytes; empty for a kernel thread.
        7 pr_psargs: [u8; 80] as "char[80]";
    }

    /// A thread.
    pub struct LwpsInfo as "lwpsinfo_t" {
        /// Thread id.
        0 pr_lwpid: i32 as "id_t";
        /// Scheduling state: 1 sleeping, 2 runnable or running, 3 zombie, 4 stopped.
        1 pr_state: i32 as "int";
        /// Priority as the scheduler has it: smaller is more urgent, 120 is nice 0.
        2 pr_pri: i32 as "int";
        /// Nice value, -20 to 19.
        2 pr_nice: i32 as "int";
        /// Address of its `task_struct`.
        0 pr_addr: u64 as "uintptr_t";
        /// Name of the thread.
        3 pr_name: [u8; 16] as "char[16]";
    }

    /// What came with a signal.
    pub struct SigInfo as "siginfo_t" {
        /// The signal.
        0 si_signo: i32 as "int";
        /// An errno, mostly zero.
        0 si_errno: i32 as "int";
        /// Why: SI_USER 0, SI_KERNEL 0x80, SI_QUEUE -1, SI_TKILL -6, CLD_* for SIGCHLD and so on.
        0 si_code: i32 as "int";
        /// The sender's process id, as the target sees it; 0 when the kernel sent it.
        0 si_pid: i32 as "pid_t";
        /// The sender's real user.
        0 si_uid: u32 as "uid_t";
        /// For SIGCHLD: exit status or signal.
        0 si_status: i32 as "int";
        /// For sigqueue(3): the value that was sent along.
        0 si_value: u64 as "uint64_t";
        /// For SIGSEGV, SIGBUS, SIGILL, SIGFPE: the address.
        0 si_addr: u64 as "uintptr_t";
    }

    /// A pipe or FIFO, and the descriptor by which it is used.
    pub struct PipeInfo as "pipeinfo_t" {
        /// The inode's number: what makes a pipe the same on both ends.
        0 pipe_ino: u64 as "uint64_t";
        /// The descriptor.
        0 pipe_fd: i32 as "int";
        /// Which end it is: 0 for reading, 1 for writing, 2 for both (a FIFO opened so).
        1 pipe_end: i32 as "int";
        /// 1 when calls on it do not wait (O_NONBLOCK).
        1 pipe_nonblock: i32 as "int";
        /// 1 for a FIFO, which has a name in a file system.
        2 pipe_fifo: i32 as "int";
        /// Bytes in the pipe; exact while they lie in 64 buffers at most, else each beyond counts as a full page.
        3 pipe_bytes: u64 as "uint64_t";
        /// Bytes that it can hold, when every write fills its buffers (F_GETPIPE_SZ).
        4 pipe_capacity: u64 as "uint64_t";
        /// Buffers in use: small writes can fill a pipe long before its bytes do.
        5 pipe_used: u32 as "uint32_t";
        /// Buffers that it has.
        4 pipe_buffers: u32 as "uint32_t";
        /// Open files for reading.
        6 pipe_readers: u32 as "uint32_t";
        /// Open files for writing.
        6 pipe_writers: u32 as "uint32_t";
    }
}
