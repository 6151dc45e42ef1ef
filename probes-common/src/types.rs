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
        /// PR_* flags: 0x1000 for a kernel thread (PR_ISSYS).
        8 pr_flag: i32 as "int";
        /// How it ended, as wait(2) tells it, when it has.
        8 pr_wstat: i32 as "int";
        /// Data model: 2 for 64-bit programs (PR_MODEL_LP64), 1 for 32-bit ones (PR_MODEL_ILP32).
        8 pr_dmodel: i8 as "char";
        /// Unused, zero.
        8 pr_pad2: [u8; 3] as "char[3]";
        /// Number of arguments that it was started with; 0 where its memory cannot be read.
        11 pr_argc: i32 as "int";
        /// Unused, zero.
        0 pr_pad: u32 as "uint32_t";
        /// Address of its `task_struct`.
        0 pr_addr: u64 as "uintptr_t";
        /// When it started, nanoseconds since boot.
        5 pr_start: u64 as "uint64_t";
        /// Size of its address space in kilobytes.
        9 pr_size: u64 as "size_t";
        /// How much of it is in memory, in kilobytes; the kernel keeps a part of this count on each CPU, which is left out.
        9 pr_rssize: u64 as "size_t";
        /// Time that its threads (64 at most) have run, nanoseconds.
        10 pr_time: u64 as "uint64_t";
        /// Time that its children have run for which it has waited, nanoseconds.
        10 pr_ctime: u64 as "uint64_t";
        /// Where its argument vector was put when it started; 0 where its memory cannot be read.
        11 pr_argv: u64 as "uintptr_t";
        /// Where its environment vector was put.
        11 pr_envp: u64 as "uintptr_t";
        /// Its terminal's device number; 0 where it has none.
        12 pr_ttydev: u32 as "dev_t";
        /// Unused, zero.
        12 pr_pad3: u32 as "uint32_t";
        /// Name of the program, as the kernel keeps it.
        6 pr_fname: [u8; 16] as "char[16]";
        /// Its arguments, separated by spaces, cut at 79 bytes; empty for a kernel thread.
        7 pr_psargs: [u8; 80] as "char[80]";
    }

    /// A CPU.
    pub struct CpuInfo as "cpuinfo_t" {
        /// Its number.
        0 cpu_id: i32 as "processorid_t";
        /// The processor set that it belongs to: always 0, the only one.
        1 cpu_pset: i32 as "psetid_t";
        /// The chip that it is a part of.
        2 cpu_chip: i32 as "chipid_t";
        /// The latency group that it belongs to: its NUMA node.
        3 cpu_lgrp: i32 as "lgrp_id_t";
    }

    /// A thread.
    pub struct LwpsInfo as "lwpsinfo_t" {
        /// Thread id.
        0 pr_lwpid: i32 as "id_t";
        /// Unused, zero.
        1 pr_stype: i8 as "char";
        /// Scheduling state: 1 sleeping, 2 running or runnable, 3 zombie, 4 stopped, 7 waiting.
        1 pr_state: i8 as "char";
        /// The same as a letter: S, R, Z, T, W.
        1 pr_sname: i8 as "char";
        /// Nice value, -20 to 19.
        2 pr_nice: i8 as "char";
        /// The system call that it is in, where it is the current thread; -1 where it is in none.
        4 pr_syscall: i16 as "short";
        /// Unused, zero.
        1 pr_pad: u16 as "ushort_t";
        /// PR_* flags: 0x1000 for a kernel thread (PR_ISSYS).
        6 pr_flag: i32 as "int";
        /// Priority as the scheduler has it: smaller is more urgent, 120 is nice 0.
        2 pr_pri: i32 as "int";
        /// The CPU that it runs on or has last run on.
        5 pr_onpro: i32 as "processorid_t";
        /// The CPU that it may run on, where that is one only; else -1.
        5 pr_bindpro: i32 as "processorid_t";
        /// Unused, zero.
        5 pr_pad2: u32 as "uint32_t";
        /// Address of its `task_struct`.
        0 pr_addr: u64 as "uintptr_t";
        /// Unused, zero: the kernel does not say what a thread waits for.
        0 pr_wchan: u64 as "uintptr_t";
        /// Scheduling class: TS, FF, RR, B, IDL, DLN, as ps(1) names them.
        6 pr_clname: [u8; 8] as "char[8]";
        /// Name of the thread.
        3 pr_name: [u8; 16] as "char[16]";
    }

    /// A file: of fds[], one that the current process has open.
    pub struct FileInfo as "fileinfo_t" {
        /// The last part of its path.
        0 fi_name: [u8; 256] as "string";
        /// Its path without the last part.
        1 fi_dirname: [u8; 256] as "string";
        /// Its path.
        2 fi_pathname: [u8; 256] as "string";
        /// Where in the file the next read or write is; of a request to a device, where in the file it is.
        3 fi_offset: i64 as "offset_t";
        /// Type of its file system.
        4 fi_fs: [u8; 32] as "string";
        /// Where its file system is mounted.
        5 fi_mount: [u8; 256] as "string";
        /// Flags of open(2).
        6 fi_oflags: i32 as "int";
        /// Unused, zero.
        6 fi_pad: u32 as "uint32_t";
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
