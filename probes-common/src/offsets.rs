//! The kernel fields that the probes read, and where the tracer finds them in the running kernel's BTF.

macro_rules! offsets {
    ($( $field:ident = $path:literal; )*) => {
        /// Offsets in bytes of kernel fields; [`ABSENT`] where this kernel has no such field.
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Offsets { $(
            #[doc = concat!("`", $path, "`")]
            pub $field: u32,
        )* }

        /// For each field of [`Offsets`], in order: its name and its BTF path, `struct.member.member`, alternatives
        /// separated by `|`. A path that is a struct's name alone stands for its size.
        pub const TABLE: &[(&str, &str)] = &[ $( (stringify!($field), $path) ),* ];

        impl Offsets {
            /// Every field absent.
            pub const NONE: Offsets = Offsets { $( $field: ABSENT ),* };
        }
    };
}

/// The offset of a field that this kernel does not have.
pub const ABSENT: u32 = u32::MAX;

// Struct names are those of Linux 6.1 to 6.18, include/linux/sched.h, net/sock.h, net/inet_sock.h, linux/fs.h and so on.
offsets! {
    task_pid = "task_struct.pid";
    task_tgid = "task_struct.tgid";
    task_comm = "task_struct.comm";
    task_real_parent = "task_struct.real_parent";
    task_cred = "task_struct.cred";
    task_signal = "task_struct.signal";
    task_exit_code = "task_struct.exit_code";
    task_group_leader = "task_struct.group_leader";
    task_start_boottime = "task_struct.start_boottime";
    task_mm = "task_struct.mm";
    task_flags = "task_struct.flags";
    task_status = "task_struct.thread_info.status";
    task_state = "task_struct.__state";
    task_prio = "task_struct.prio";
    task_static_prio = "task_struct.static_prio";
    task_files = "task_struct.files";
    task_nsproxy = "task_struct.nsproxy";
    signal_live = "signal_struct.live";
    signal_nr_threads = "signal_struct.nr_threads";
    signal_pids = "signal_struct.pids";
    signal_group_exit_code = "signal_struct.group_exit_code";
    signal_flags = "signal_struct.flags";
    pid_numbers = "pid.numbers";
    upid_nr = "upid.nr";
    cred_uid = "cred.uid";
    cred_gid = "cred.gid";
    cred_euid = "cred.euid";
    cred_egid = "cred.egid";
    mm_arg_start = "mm_struct.arg_start";
    mm_arg_end = "mm_struct.arg_end";
    siginfo_signo = "kernel_siginfo.si_signo";
    siginfo_errno = "kernel_siginfo.si_errno";
    siginfo_code = "kernel_siginfo.si_code";
    siginfo_pid = "kernel_siginfo._sifields._kill._pid";
    siginfo_uid = "kernel_siginfo._sifields._kill._uid";
    siginfo_value = "kernel_siginfo._sifields._rt._sigval";
    siginfo_addr = "kernel_siginfo._sifields._sigfault._addr";
    siginfo_status = "kernel_siginfo._sifields._sigchld._status";
    sigaction_handler = "k_sigaction.sa.sa_handler";
    bprm_filename = "linux_binprm.filename";
    files_fdt = "files_struct.fdt";
    fdtable_max_fds = "fdtable.max_fds";
    fdtable_fd = "fdtable.fd";
    file_inode = "file.f_inode";
    file_private_data = "file.private_data";
    file_flags = "file.f_flags";
    file_mode = "file.f_mode";
    inode_mode = "inode.i_mode";
    inode_ino = "inode.i_ino";
    inode_pipe = "inode.i_pipe";
    pipe_head = "pipe_inode_info.head";
    pipe_tail = "pipe_inode_info.tail";
    pipe_max_usage = "pipe_inode_info.max_usage";
    pipe_ring_size = "pipe_inode_info.ring_size";
    pipe_bufs = "pipe_inode_info.bufs";
    pipe_readers = "pipe_inode_info.readers";
    pipe_writers = "pipe_inode_info.writers";
    pipe_buffer_len = "pipe_buffer.len";
    pipe_buffer_size = "pipe_buffer";
    regs_di = "pt_regs.di";
    regs_si = "pt_regs.si";
    regs_dx = "pt_regs.dx";
    regs_r10 = "pt_regs.r10";
    regs_r8 = "pt_regs.r8";
    regs_r9 = "pt_regs.r9";
    regs_ax = "pt_regs.ax";
    regs_orig_ax = "pt_regs.orig_ax";
    regs_ip = "pt_regs.ip";
    regs_cs = "pt_regs.cs";
}
