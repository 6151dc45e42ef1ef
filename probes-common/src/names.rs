//! Names of numbers: the constants that D programs can use, and what output calls states, families, types and flags.
//!
//! The numbers are those of Linux on x86_64 and arm64 (include/uapi/linux/{in,socket,tcp}.h, include/linux/socket.h,
//! include/net/tcp_states.h); errnos and signals are elsewhere.

/// A constant that a D program can use by name.
pub type Constant = (&'static str, i64);

macro_rules! names {
    ($($(#[doc = $doc:literal])* $table:ident = $($name:ident $value:literal),* $(,)?;)*) => { $(
        $(#[doc = $doc])*
        pub const $table: &[Constant] = &[ $( (stringify!($name), $value) ),* ];
    )* };
}

names! {
    /// TCP states as illumos and Oracle Linux name them, and as Linux does.
    TCP_STATE =
        TCP_STATE_IDLE 0, TCP_STATE_ESTABLISHED 1, TCP_STATE_SYN_SENT 2, TCP_STATE_SYN_RECEIVED 3, TCP_STATE_FIN_WAIT_1 4,
        TCP_STATE_FIN_WAIT_2 5, TCP_STATE_TIME_WAIT 6, TCP_STATE_CLOSED 7, TCP_STATE_CLOSE_WAIT 8,
        TCP_STATE_LAST_ACK 9, TCP_STATE_LISTEN 10, TCP_STATE_CLOSING 11, TCP_STATE_SYN_RECV 3,
        TCP_STATE_FIN_WAIT1 4, TCP_STATE_FIN_WAIT2 5, TCP_STATE_CLOSE 7;

    /// TCP states as FreeBSD names them.
    TCPS =
        TCPS_ESTABLISHED 1, TCPS_SYN_SENT 2, TCPS_SYN_RECEIVED 3, TCPS_FIN_WAIT_1 4, TCPS_FIN_WAIT_2 5,
        TCPS_TIME_WAIT 6, TCPS_CLOSED 7, TCPS_CLOSE_WAIT 8, TCPS_LAST_ACK 9, TCPS_LISTEN 10,
        TCPS_CLOSING 11;

    /// Flags of a TCP header.
    TH =
        TH_FIN 1, TH_SYN 2, TH_RST 4, TH_PUSH 8, TH_PSH 8, TH_ACK 16, TH_URG 32, TH_ECE 64, TH_CWR 128;

    /// Address families.
    AF =
        AF_UNSPEC 0, AF_UNIX 1, AF_LOCAL 1, AF_INET 2, AF_AX25 3, AF_IPX 4, AF_APPLETALK 5, AF_NETROM 6,
        AF_BRIDGE 7, AF_ATMPVC 8, AF_X25 9, AF_INET6 10, AF_ROSE 11, AF_DECnet 12, AF_NETBEUI 13,
        AF_SECURITY 14, AF_KEY 15, AF_NETLINK 16, AF_PACKET 17, AF_ASH 18, AF_ECONET 19, AF_ATMSVC 20,
        AF_RDS 21, AF_SNA 22, AF_IRDA 23, AF_PPPOX 24, AF_WANPIPE 25, AF_LLC 26, AF_IB 27, AF_MPLS 28,
        AF_CAN 29, AF_TIPC 30, AF_BLUETOOTH 31, AF_IUCV 32, AF_RXRPC 33, AF_ISDN 34, AF_PHONET 35,
        AF_IEEE802154 36, AF_CAIF 37, AF_ALG 38, AF_NFC 39, AF_VSOCK 40, AF_KCM 41, AF_QIPCRTR 42,
        AF_SMC 43, AF_XDP 44, AF_MCTP 45;

    /// Socket types, and the flags that go with them.
    SOCK =
        SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_RAW 3, SOCK_RDM 4, SOCK_SEQPACKET 5, SOCK_PACKET 10,
        SOCK_NONBLOCK 0x800, SOCK_CLOEXEC 0x80000;

    /// Protocols.
    IPPROTO =
        IPPROTO_IP 0, IPPROTO_ICMP 1, IPPROTO_IGMP 2, IPPROTO_IPIP 4, IPPROTO_TCP 6, IPPROTO_EGP 8,
        IPPROTO_PUP 12, IPPROTO_UDP 17, IPPROTO_IDP 22, IPPROTO_TP 29, IPPROTO_DCCP 33, IPPROTO_IPV6 41,
        IPPROTO_RSVP 46, IPPROTO_GRE 47, IPPROTO_ESP 50, IPPROTO_AH 51, IPPROTO_ICMPV6 58, IPPROTO_MTP 92,
        IPPROTO_BEETPH 94, IPPROTO_ENCAP 98, IPPROTO_PIM 103, IPPROTO_COMP 108, IPPROTO_L2TP 115,
        IPPROTO_SCTP 132, IPPROTO_UDPLITE 136, IPPROTO_MPLS 137, IPPROTO_ETHERNET 143, IPPROTO_RAW 255,
        IPPROTO_MPTCP 262;

    /// More of Internet's: what may follow IPv6's header, and what DTrace's libraries have besides.
    NEXT =
        IPPROTO_HOPOPTS 0, IPPROTO_ROUTING 43, IPPROTO_FRAGMENT 44, IPPROTO_NONE 59, IPPROTO_DSTOPTS 60,
        IPPROTO_OSPF 89, IPPROTO_MH 135, IPPROTO_MAX 256, TCP_MIN_HEADER_LENGTH 20, NET_PROBE_OUTBOUND 0,
        NET_PROBE_INBOUND 1, NET_PROBE_STATE 2;

    /// Flags of send and receive.
    MSG =
        MSG_OOB 1, MSG_PEEK 2, MSG_DONTROUTE 4, MSG_CTRUNC 8, MSG_TRUNC 0x20, MSG_DONTWAIT 0x40,
        MSG_EOR 0x80, MSG_WAITALL 0x100, MSG_CONFIRM 0x800, MSG_ERRQUEUE 0x2000, MSG_NOSIGNAL 0x4000,
        MSG_MORE 0x8000, MSG_ZEROCOPY 0x4000000, MSG_FASTOPEN 0x20000000, MSG_CMSG_CLOEXEC 0x40000000;

    /// What shutdown ends.
    SHUT =
        SHUT_RD 0, SHUT_WR 1, SHUT_RDWR 2;

    /// Levels of socket options, beside the protocols.
    SOL =
        SOL_SOCKET 1, SOL_PACKET 263, SOL_NETLINK 270, SOL_BLUETOOTH 274, SOL_ALG 279, SOL_TLS 282,
        SOL_XDP 283, SOL_VSOCK 287;

    /// Options of SOL_SOCKET.
    SO =
        SO_DEBUG 1, SO_REUSEADDR 2, SO_TYPE 3, SO_ERROR 4, SO_DONTROUTE 5, SO_BROADCAST 6, SO_SNDBUF 7,
        SO_RCVBUF 8, SO_KEEPALIVE 9, SO_OOBINLINE 10, SO_NO_CHECK 11, SO_PRIORITY 12, SO_LINGER 13,
        SO_BSDCOMPAT 14, SO_REUSEPORT 15, SO_PASSCRED 16, SO_PEERCRED 17, SO_RCVLOWAT 18, SO_SNDLOWAT 19,
        SO_RCVTIMEO 20, SO_SNDTIMEO 21, SO_BINDTODEVICE 25, SO_ATTACH_FILTER 26, SO_DETACH_FILTER 27,
        SO_PEERNAME 28, SO_TIMESTAMP 29, SO_ACCEPTCONN 30, SO_PEERSEC 31, SO_SNDBUFFORCE 32,
        SO_RCVBUFFORCE 33, SO_PASSSEC 34, SO_TIMESTAMPNS 35, SO_MARK 36, SO_TIMESTAMPING 37,
        SO_PROTOCOL 38, SO_DOMAIN 39, SO_RXQ_OVFL 40, SO_WIFI_STATUS 41, SO_PEEK_OFF 42, SO_NOFCS 43,
        SO_LOCK_FILTER 44, SO_SELECT_ERR_QUEUE 45, SO_BUSY_POLL 46, SO_MAX_PACING_RATE 47,
        SO_BPF_EXTENSIONS 48, SO_INCOMING_CPU 49, SO_ATTACH_BPF 50, SO_ATTACH_REUSEPORT_CBPF 51,
        SO_ATTACH_REUSEPORT_EBPF 52, SO_CNX_ADVICE 53, SO_MEMINFO 55, SO_INCOMING_NAPI_ID 56, SO_COOKIE 57,
        SO_PEERGROUPS 59, SO_ZEROCOPY 60, SO_TXTIME 61, SO_BINDTOIFINDEX 62, SO_PREFER_BUSY_POLL 69,
        SO_BUSY_POLL_BUDGET 70, SO_NETNS_COOKIE 71, SO_BUF_LOCK 72, SO_RESERVE_MEM 73, SO_TXREHASH 74,
        SO_RCVMARK 75, SO_PASSPIDFD 76, SO_PEERPIDFD 77;

    /// Options of IPPROTO_TCP.
    TCP =
        TCP_NODELAY 1, TCP_MAXSEG 2, TCP_CORK 3, TCP_KEEPIDLE 4, TCP_KEEPINTVL 5, TCP_KEEPCNT 6,
        TCP_SYNCNT 7, TCP_LINGER2 8, TCP_DEFER_ACCEPT 9, TCP_WINDOW_CLAMP 10, TCP_INFO 11, TCP_QUICKACK 12,
        TCP_CONGESTION 13, TCP_USER_TIMEOUT 18, TCP_FASTOPEN 23, TCP_NOTSENT_LOWAT 25,
        TCP_FASTOPEN_CONNECT 30, TCP_ULP 31;

    /// Flags of open, and of open files.
    O =
        O_RDONLY 0, O_WRONLY 1, O_RDWR 2, O_ACCMODE 3, O_CREAT 0x40, O_EXCL 0x80, O_NOCTTY 0x100, O_TRUNC 0x200,
        O_APPEND 0x400, O_NONBLOCK 0x800, O_NDELAY 0x800, O_DSYNC 0x1000, O_ASYNC 0x2000, O_DIRECT 0x4000,
        O_LARGEFILE 0x8000, O_DIRECTORY 0x10000, O_NOFOLLOW 0x20000, O_NOATIME 0x40000, O_CLOEXEC 0x80000,
        O_SYNC 0x101000, O_FSYNC 0x101000, O_RSYNC 0x101000, O_PATH 0x200000, O_TMPFILE 0x410000;

    /// Where lseek counts from.
    SEEK =
        SEEK_SET 0, SEEK_CUR 1, SEEK_END 2, SEEK_DATA 3, SEEK_HOLE 4;

    /// What a file is, and what it allows.
    S =
        S_IFMT 0o170000, S_IFSOCK 0o140000, S_IFLNK 0o120000, S_IFREG 0o100000, S_IFBLK 0o060000,
        S_IFDIR 0o040000, S_IFCHR 0o020000, S_IFIFO 0o010000, S_ISUID 0o4000, S_ISGID 0o2000, S_ISVTX 0o1000;

    /// Flags of bufinfo_t, as illumos has them.
    B =
        B_BUSY 0x1, B_DONE 0x2, B_ERROR 0x4, B_PAGEIO 0x10, B_PHYS 0x20, B_READ 0x40, B_WRITE 0x100, B_ASYNC 0x400;

    /// Flags of the kernel's bios (include/linux/blk_types.h).
    BIO = REQ_WRITE 1, REQ_SYNC 0x800, BIO_USER_MAPPED 6;

    /// Flags of psinfo_t and lwpsinfo_t.
    PR = PR_STOPPED 1, PR_ISTOP 2, PR_DSTOP 4, PR_ISSYS 0x1000, PR_IDLE 0x10000000;

    /// Members of theirs that are characters: data models and states.
    CHARACTERS =
        PR_MODEL_UNKNOWN 0, PR_MODEL_ILP32 1, PR_MODEL_LP64 2, SSLEEP 1, SRUN 2, SZOMB 3, SSTOP 4, SIDL 5,
        SONPROC 6, SWAIT 7;

    /// Kinds of machine faults, as System V's <sys/fault.h> counts them.
    FLT =
        FLTILL 1, FLTPRIV 2, FLTBPT 3, FLTTRACE 4, FLTACCESS 5, FLTBOUNDS 6, FLTIOVF 7, FLTIZDIV 8, FLTFPE 9,
        FLTSTACK 10, FLTPAGE 11, FLTWATCH 12;

    /// What a captured packet begins with, as libpcap numbers it.
    PCAP =
        PCAP_NULL 0, PCAP_ETHER 1, PCAP_PPP 9, PCAP_IP 12, PCAP_WIFI 105, PCAP_IPNET 226, PCAP_IPOIB 242,
        PCAP_INFINIBAND 247;
    /// Who waits for a lock of readers and writers.
    RW = RW_WRITER 0, RW_READER 1;
}

/// All of them.
pub const CONSTANTS: &[&[Constant]] = &[
    TCP_STATE, TCPS, TH, AF, SOCK, IPPROTO, NEXT, MSG, SHUT, SOL, SO, TCP, O, SEEK, S, B, BIO, PR,
    CHARACTERS, FLT, PCAP, RW,
];

/// TCP states as the kernel counts them (include/net/tcp_states.h).
#[allow(missing_docs, reason = "the names of RFC 9293")]
pub mod tcp_state {
    pub const ESTABLISHED: u32 = 1;
    pub const SYN_SENT: u32 = 2;
    pub const SYN_RECV: u32 = 3;
    pub const FIN_WAIT1: u32 = 4;
    pub const FIN_WAIT2: u32 = 5;
    pub const TIME_WAIT: u32 = 6;
    pub const CLOSE: u32 = 7;
    pub const CLOSE_WAIT: u32 = 8;
    pub const LAST_ACK: u32 = 9;
    pub const LISTEN: u32 = 10;
    pub const CLOSING: u32 = 11;
    /// Linux's own: a handshake under way, of which D sees SYN_RECV.
    pub const NEW_SYN_RECV: u32 = 12;
}

/// Those kinds of [`FLT`] that Linux has a signal for.
#[allow(missing_docs, reason = "the names of <sys/fault.h>")]
pub mod fault {
    pub const ILL: i32 = 1;
    pub const PRIV: i32 = 2;
    pub const BPT: i32 = 3;
    pub const TRACE: i32 = 4;
    pub const ACCESS: i32 = 5;
    pub const BOUNDS: i32 = 6;
    pub const IOVF: i32 = 7;
    pub const IZDIV: i32 = 8;
    pub const FPE: i32 = 9;
    pub const WATCH: i32 = 12;
}

/// The value of a constant.
pub fn constant(name: &str) -> Option<i64> {
    CONSTANTS.iter().copied().flatten().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// The first name in a table that has this value.
pub fn name(table: &[Constant], value: i64) -> Option<&'static str> {
    table.iter().find(|(_, known)| *known == value).map(|(name, _)| *name)
}

/// Names of the TCP states, from 1; 0 is none. What D's `tcp_state_string[]` gives is `state-` and this in lower case.
pub const TCP_STATES: &[&str] = &[
    "",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECEIVED",
    "FIN_WAIT_1",
    "FIN_WAIT_2",
    "TIME_WAIT",
    "CLOSED",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
];

/// D's `tcp_state_string[]`: of no state, then by state.
pub const TCP_STATE_STRING: &[&str] = &[
    "<unknown>",
    "state-idle",
    "state-established",
    "state-syn-sent",
    "state-syn-received",
    "state-fin-wait-1",
    "state-fin-wait-2",
    "state-time-wait",
    "state-closed",
    "state-close-wait",
    "state-last-ack",
    "state-listen",
    "state-closing",
];

/// The flags of a TCP header, by bit, short enough for a picture.
pub const TCP_FLAGS: &[&str] = &["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];
