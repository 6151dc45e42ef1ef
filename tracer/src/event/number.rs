//! Numbers that have names: errors, signals, states, families and flags. They are shown and written by name, and as a number
//! where there is none.

use std::fmt;

use probes_common::names::{self, Constant};
use serde::{Serialize, Serializer};

use crate::kernel::syscalls;

/// A type for numbers of one sort, with the function that names them.
macro_rules! named {
    ($( $(#[doc = $doc:literal])* $name:ident($inner:ty), |$value:ident| $text:expr; )*) => { $(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $value = self.0;
                let text: Option<String> = $text;
                match text {
                    Some(text) => f.pad(&text),
                    None => f.pad(&self.0.to_string()),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )* };
}

named! {
    /// An error: `EPIPE`.
    Errno(i32), |number| syscalls::errno_name(number).map(str::to_owned);
    /// A signal: `SIGTERM`.
    SignalNumber(i32), |number| syscalls::signal_name(number).map(std::borrow::Cow::into_owned);
    /// A state of a TCP connection: `ESTABLISHED`.
    TcpState(u32), |state| names::TCP_STATES.get(state as usize).filter(|name| !name.is_empty()).map(|name| (*name).to_owned());
    /// An address family: `AF_INET`.
    AddressFamily(i32), |number| named(names::AF, number);
    /// A type of socket: `SOCK_STREAM`.
    SocketType(i32), |number| named(names::SOCK, number);
    /// What shutdown(2) ends: `SHUT_WR`.
    Shutdown(i32), |number| named(names::SHUT, number);
    /// A level of socket options: `SOL_SOCKET`, `IPPROTO_TCP`.
    OptionLevel(i32), |number| named(names::SOL, number).or_else(|| named(names::IPPROTO, number));
}

/// A protocol: `IPPROTO_TCP`. What its number means depends on the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protocol {
    /// The family that it is one of.
    pub family: AddressFamily,
    /// Its number; 0 is the family's usual one.
    pub number: i32,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table: &[Constant] = match self.family.0 {
            libc::AF_INET | libc::AF_INET6 => names::IPPROTO,
            libc::AF_NETLINK => NETLINK,
            _ => &[],
        };
        f.pad(&named(table, self.number).unwrap_or_else(|| self.number.to_string()))
    }
}

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Protocols of AF_NETLINK (include/uapi/linux/netlink.h).
const NETLINK: &[Constant] = &[
    ("NETLINK_ROUTE", 0),
    ("NETLINK_USERSOCK", 2),
    ("NETLINK_SOCK_DIAG", 4),
    ("NETLINK_NFLOG", 5),
    ("NETLINK_XFRM", 6),
    ("NETLINK_SELINUX", 7),
    ("NETLINK_ISCSI", 8),
    ("NETLINK_AUDIT", 9),
    ("NETLINK_FIB_LOOKUP", 10),
    ("NETLINK_CONNECTOR", 11),
    ("NETLINK_NETFILTER", 12),
    ("NETLINK_IP6_FW", 13),
    ("NETLINK_DNRTMSG", 14),
    ("NETLINK_KOBJECT_UEVENT", 15),
    ("NETLINK_GENERIC", 16),
    ("NETLINK_SCSITRANSPORT", 18),
    ("NETLINK_ECRYPTFS", 19),
    ("NETLINK_RDMA", 20),
    ("NETLINK_CRYPTO", 21),
    ("NETLINK_SMC", 22),
];

fn named(table: &[Constant], number: i32) -> Option<String> {
    names::name(table, number.into()).map(str::to_owned)
}

/// A socket option: `SO_REUSEADDR`, `TCP_NODELAY`; it depends on its level.
pub fn option_name(level: OptionLevel, option: i32) -> String {
    let table: &[Constant] = match level.0 {
        0 => IP,
        1 => names::SO,
        6 => names::TCP,
        41 => IPV6,
        _ => &[],
    };
    named(table, option).unwrap_or_else(|| option.to_string())
}

/// Whether a socket option's value is an int, not a structure, a text or a byte.
pub fn option_is_int(option: &str) -> bool {
    const OTHERS: &[&str] = &[
        "SO_LINGER",
        "SO_RCVTIMEO",
        "SO_SNDTIMEO",
        "SO_PEERCRED",
        "SO_BINDTODEVICE",
        "SO_ATTACH_FILTER",
        "SO_PEERNAME",
        "SO_PEERSEC",
        "SO_TIMESTAMPING",
        "SO_ATTACH_REUSEPORT_CBPF",
        "SO_MEMINFO",
        "SO_COOKIE",
        "SO_PEERGROUPS",
        "SO_TXTIME",
        "SO_NETNS_COOKIE",
        "TCP_INFO",
        "TCP_CONGESTION",
        "TCP_ULP",
        "IP_OPTIONS",
    ];
    !OTHERS.contains(&option) && !option.starts_with("IP_MULTICAST") && !option.ends_with("MEMBERSHIP")
}

/// Options of IPPROTO_IP (include/uapi/linux/in.h).
const IP: &[Constant] = &[
    ("IP_TOS", 1),
    ("IP_TTL", 2),
    ("IP_HDRINCL", 3),
    ("IP_OPTIONS", 4),
    ("IP_RECVOPTS", 6),
    ("IP_PKTINFO", 8),
    ("IP_MTU_DISCOVER", 10),
    ("IP_RECVERR", 11),
    ("IP_RECVTTL", 12),
    ("IP_RECVTOS", 13),
    ("IP_MTU", 14),
    ("IP_FREEBIND", 15),
    ("IP_TRANSPARENT", 19),
    ("IP_BIND_ADDRESS_NO_PORT", 24),
    ("IP_MULTICAST_IF", 32),
    ("IP_MULTICAST_TTL", 33),
    ("IP_MULTICAST_LOOP", 34),
    ("IP_ADD_MEMBERSHIP", 35),
    ("IP_DROP_MEMBERSHIP", 36),
    ("IP_ADD_SOURCE_MEMBERSHIP", 39),
    ("IP_MULTICAST_ALL", 49),
    ("IP_UNICAST_IF", 50),
];

/// Options of IPPROTO_IPV6 (include/uapi/linux/in6.h).
const IPV6: &[Constant] = &[
    ("IPV6_UNICAST_HOPS", 16),
    ("IPV6_MULTICAST_IF", 17),
    ("IPV6_MULTICAST_HOPS", 18),
    ("IPV6_MULTICAST_LOOP", 19),
    ("IPV6_ADD_MEMBERSHIP", 20),
    ("IPV6_DROP_MEMBERSHIP", 21),
    ("IPV6_MTU_DISCOVER", 23),
    ("IPV6_MTU", 24),
    ("IPV6_RECVERR", 25),
    ("IPV6_V6ONLY", 26),
    ("IPV6_RECVPKTINFO", 49),
    ("IPV6_PKTINFO", 50),
    ("IPV6_RECVHOPLIMIT", 51),
    ("IPV6_RECVTCLASS", 66),
    ("IPV6_TCLASS", 67),
    ("IPV6_FREEBIND", 78),
];

/// A type for flags of one sort, with their names by bit.
macro_rules! flags {
    ($( $(#[doc = $doc:literal])* $name:ident($inner:ty), $table:expr; )*) => { $(
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(pub $inner);

        impl $name {
            /// The names of the flags that are set, and what is left as a number.
            pub fn names(self) -> Vec<String> {
                split($table, i64::from(self.0))
            }

            /// Whether none is set.
            pub fn is_empty(&self) -> bool {
                self.0 == 0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_seq(self.names())
            }
        }
    )* };
}

flags! {
    /// Flags of a TCP segment: SYN, ACK, ...
    TcpFlags(u8), TH;
    /// Flags of send and receive: MSG_*.
    MessageFlags(i32), names::MSG;
    /// Flags of a new socket: SOCK_NONBLOCK, SOCK_CLOEXEC.
    SocketFlags(i32), names::SOCK;
    /// Flags of a new pipe: O_NONBLOCK, O_CLOEXEC, O_DIRECT.
    PipeFlags(i32), PIPE;
}

/// In the order in which people name them.
const TH: &[Constant] =
    &[("SYN", 2), ("FIN", 1), ("RST", 4), ("PSH", 8), ("ACK", 16), ("URG", 32), ("ECE", 64), ("CWR", 128)];

/// x86_64's and arm64's numbers differ in O_DIRECT (include/uapi/asm-generic/fcntl.h).
const PIPE: &[Constant] = &[
    ("O_NONBLOCK", libc::O_NONBLOCK as i64),
    ("O_CLOEXEC", libc::O_CLOEXEC as i64),
    ("O_DIRECT", libc::O_DIRECT as i64),
];

fn split(table: &[Constant], mut bits: i64) -> Vec<String> {
    bits &= 0xffff_ffff;
    let mut found = Vec::new();
    for &(name, bit) in table {
        if bit.count_ones() == 1 && bits & bit != 0 {
            found.push(name.to_owned());
            bits &= !bit;
        }
    }
    if bits != 0 {
        found.push(format!("{bits:#x}"));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_named_and_strange_ones_shown() {
        assert_eq!(Errno(32).to_string(), "EPIPE");
        assert_eq!(Errno(-5).to_string(), "-5");
        assert_eq!(SignalNumber(15).to_string(), "SIGTERM");
        assert_eq!(TcpState(1).to_string(), "ESTABLISHED");
        assert_eq!((TcpState(0).to_string(), TcpState(99).to_string()), ("0".to_owned(), "99".to_owned()));
        assert_eq!(AddressFamily(2).to_string(), "AF_INET");
        let protocol = |family, number| Protocol { family: AddressFamily(family), number }.to_string();
        assert_eq!((protocol(2, 6), protocol(16, 6)), ("IPPROTO_TCP".to_owned(), "NETLINK_XFRM".to_owned()));
        assert_eq!((protocol(17, 6), protocol(16, 99)), ("6".to_owned(), "99".to_owned()));
        assert_eq!(option_name(OptionLevel(1), 2), "SO_REUSEADDR");
        assert_eq!(option_name(OptionLevel(41), 26), "IPV6_V6ONLY");
        assert_eq!(option_name(OptionLevel(99), 2), "2");
    }

    #[test]
    fn flags_are_named_and_what_is_left_is_shown() {
        assert_eq!(TcpFlags(0x12).names(), ["SYN", "ACK"]);
        assert_eq!(MessageFlags(0x4040).names(), ["MSG_DONTWAIT", "MSG_NOSIGNAL"]);
        assert_eq!(SocketFlags(0x80800).names(), ["SOCK_NONBLOCK", "SOCK_CLOEXEC"]);
        assert_eq!(PipeFlags(1 << 30).names(), ["0x40000000"]);
    }
}
