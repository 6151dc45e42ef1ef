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
    task_blocked = "task_struct.blocked";
    task_exit_code = "task_struct.exit_code";
    task_group_leader = "task_struct.group_leader";
    task_start_boottime = "task_struct.start_boottime";
    task_mm = "task_struct.mm";
    task_flags = "task_struct.flags";
    task_status = "task_struct.thread_info.status";
    task_state = "task_struct.__state";
    task_exit_state = "task_struct.exit_state";
    task_prio = "task_struct.prio";
    task_static_prio = "task_struct.static_prio";
    task_files = "task_struct.files";
    task_fs = "task_struct.fs";
    task_on_cpu = "task_struct.on_cpu";
    task_cpu = "task_struct.thread_info.cpu | task_struct.cpu";
    task_policy = "task_struct.policy";
    task_on_rq = "task_struct.on_rq";
    task_normal_prio = "task_struct.normal_prio";
    task_cpus_allowed = "task_struct.nr_cpus_allowed";
    task_info_flags = "task_struct.thread_info.flags";
    task_runtime = "task_struct.se.sum_exec_runtime";
    task_thread_node = "task_struct.thread_node";
    signal_threads = "signal_struct.thread_head";
    signal_runtime = "signal_struct.sum_sched_runtime";
    signal_cutime = "signal_struct.cutime";
    signal_cstime = "signal_struct.cstime";
    signal_tty = "signal_struct.tty";
    tty_driver = "tty_struct.driver";
    tty_index = "tty_struct.index";
    tty_driver_major = "tty_driver.major";
    tty_driver_minor = "tty_driver.minor_start";
    mm_total_vm = "mm_struct.total_vm";
    mm_start_stack = "mm_struct.start_stack";
    mm_rss_stat = "mm_struct.rss_stat";
    mm_rss_old = "mm_rss_stat";
    counter_size = "percpu_counter";
    counter_count = "percpu_counter.count";
    fs_root_dentry = "fs_struct.root.dentry";
    fs_root_mnt = "fs_struct.root.mnt";
    fs_pwd_dentry = "fs_struct.pwd.dentry";
    fs_pwd_mnt = "fs_struct.pwd.mnt";
    file_dentry = "file.f_path.dentry";
    file_mnt = "file.f_path.mnt";
    file_pos = "file.f_pos";
    dentry_parent = "dentry.d_parent";
    dentry_name = "dentry.d_name.name";
    dentry_sb = "dentry.d_sb";
    super_type = "super_block.s_type";
    super_type_name = "file_system_type.name";
    vfsmount_root = "vfsmount.mnt_root";
    mount_mnt = "mount.mnt";
    mount_parent = "mount.mnt_parent";
    mount_point = "mount.mnt_mountpoint";
    mount_instance = "mount.mnt_instance";
    mount_next = "mount.mnt_next_for_sb | mount.mnt_instance";
    super_mounts = "super_block.s_mounts";
    super_root = "super_block.s_root";
    super_bdev = "super_block.s_bdev";
    inode_aliases = "inode.i_dentry.first";
    dentry_alias = "dentry.d_u.d_alias";
    page_size = "page";
    page_head = "page.compound_head";
    folio_mapping = "folio.mapping";
    folio_index = "folio.index";
    mapping_host = "address_space.host";
    request_bio = "request.bio";
    bio_next = "bio.bi_next";
    bio_private = "bio.bi_private";
    bio_bdev = "bio.bi_bdev";
    bio_opf = "bio.bi_opf";
    bio_status = "bio.bi_status";
    bio_sector = "bio.bi_iter.bi_sector";
    bio_size = "bio.bi_iter.bi_size";
    bio_idx = "bio.bi_iter.bi_idx";
    bio_done = "bio.bi_iter.bi_bvec_done";
    bio_vecs = "bio.bi_io_vec";
    bio_end = "bio.bi_end_io";
    bvec_size = "bio_vec";
    bvec_page = "bio_vec.bv_page";
    bvec_offset = "bio_vec.bv_offset";
    bdev_dev = "block_device.bd_dev";
    bdev_disk = "block_device.bd_disk";
    bdev_name = "block_device.bd_device.kobj.name";
    disk_first_minor = "gendisk.first_minor";
    disk_minors = "gendisk.minors";
    task_nsproxy = "task_struct.nsproxy";
    mutex_owner = "mutex.owner";
    rwsem_count = "rw_semaphore.count";
    hrtimer_function = "hrtimer.function";
    signal_live = "signal_struct.live";
    signal_nr_threads = "signal_struct.nr_threads";
    signal_pids = "signal_struct.pids";
    signal_group_exit_code = "signal_struct.group_exit_code";
    signal_flags = "signal_struct.flags";
    pid_nr = "pid.numbers.nr | pid.numbers";
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
    sigaction_flags = "k_sigaction.sa.sa_flags";
    bprm_filename = "linux_binprm.filename";
    files_fdt = "files_struct.fdt";
    files_count = "files_struct.count";
    fdtable_max_fds = "fdtable.max_fds";
    fdtable_fd = "fdtable.fd";
    file_inode = "file.f_inode";
    file_private_data = "file.private_data";
    file_flags = "file.f_flags";
    file_count = "file.f_count";
    file_ref = "file.f_ref";
    file_mode = "file.f_mode";
    inode_mode = "inode.i_mode";
    inode_ino = "inode.i_ino";
    inode_sb = "inode.i_sb";
    super_magic = "super_block.s_magic";
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
    sk_family = "sock.__sk_common.skc_family";
    sk_state = "sock.__sk_common.skc_state";
    sk_daddr = "sock.__sk_common.skc_daddr";
    sk_rcv_saddr = "sock.__sk_common.skc_rcv_saddr";
    sk_dport = "sock.__sk_common.skc_dport";
    inet_sport = "inet_sock.inet_sport";
    sk_net = "sock.__sk_common.skc_net.net";
    sk_v6_daddr = "sock.__sk_common.skc_v6_daddr";
    sk_v6_rcv_saddr = "sock.__sk_common.skc_v6_rcv_saddr";
    sk_flags = "sock.__sk_common.skc_flags";
    sk_type = "sock.sk_type";
    sk_protocol = "sock.sk_protocol";
    sk_err = "sock.sk_err";
    sk_socket = "sock.sk_socket";
    sk_dst_cache = "sock.sk_dst_cache";
    dst_dev = "dst_entry.dev";
    net_inum = "net.ns.inum";
    dev_net = "net_device.nd_net.net";
    dev_name = "net_device.name";
    dev_flags = "net_device.flags";
    dev_ifindex = "net_device.ifindex";
    socket_sk = "socket.sk";
    socket_inode = "socket_alloc.vfs_inode";
    unix_peer = "unix_sock.peer";
    unix_addr = "unix_sock.addr";
    unix_addr_len = "unix_address.len";
    unix_addr_name = "unix_address.name";
    skb_dev = "sk_buff.dev";
    skb_sk = "sk_buff.sk";
    skb_iif = "sk_buff.skb_iif";
    skb_len = "sk_buff.len";
    skb_data = "sk_buff.data";
    skb_head = "sk_buff.head";
    skb_end = "sk_buff.end";
    skb_cb = "sk_buff.cb";
    skb_protocol = "sk_buff.protocol";
    skb_network_header = "sk_buff.network_header";
    skb_gso_segs = "skb_shared_info.gso_segs";
    icsk_rto = "inet_connection_sock.icsk_rto";
    icsk_retransmits = "inet_connection_sock.icsk_retransmits";
    tcp_snd_una = "tcp_sock.snd_una";
    tcp_snd_nxt = "tcp_sock.snd_nxt";
    tcp_rcv_nxt = "tcp_sock.rcv_nxt";
    tcp_rcv_wup = "tcp_sock.rcv_wup";
    tcp_bytes_acked = "tcp_sock.bytes_acked";
    tcp_bytes_received = "tcp_sock.bytes_received";
    tcp_snd_wnd = "tcp_sock.snd_wnd";
    tcp_rcv_wnd = "tcp_sock.rcv_wnd";
    tcp_scales = "tcp_sock.rx_opt.snd_wscale";
    tcp_snd_cwnd = "tcp_sock.snd_cwnd";
    tcp_snd_ssthresh = "tcp_sock.snd_ssthresh";
    tcp_mss_cache = "tcp_sock.mss_cache";
    tcp_packets_out = "tcp_sock.packets_out";
    tcp_sacked_out = "tcp_sock.sacked_out";
    tcp_highest_sack = "tcp_sock.highest_sack";
    tcp_retransmit_hint = "tcp_sock.retransmit_skb_hint";
    tcp_srtt_us = "tcp_sock.srtt_us";
    tcp_mdev_us = "tcp_sock.mdev_us";
    tcp_linger2 = "tcp_sock.linger2";
}
