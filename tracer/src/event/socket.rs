//! Calls on sockets, as they end.

use serde::Serialize;

use super::fields::Fields;
use super::number::{
    AddressFamily, Errno, MessageFlags, OptionLevel, Protocol, Shutdown, SocketFlags, SocketType,
    option_is_int, option_name,
};
use super::{Endpoint, Text};

/// A call that has ended. Its name among events is `return`, as its probe's.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "name", rename = "return")]
pub struct SocketCall {
    /// Which: `connect`.
    pub function: String,
    /// The descriptor that it was given; of a call that makes a socket the new one, -1 where it failed.
    pub fd: i32,
    /// The socket's address family.
    pub family: AddressFamily,
    /// Its type.
    #[serde(rename = "socktype")]
    pub kind: SocketType,
    /// Its protocol.
    pub protocol: Protocol,
    /// The number of its inode; 0 where it has none yet, or no more.
    pub inode: u64,
    /// Its own address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<Address>,
    /// Its peer's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<Address>,
    /// The address that the call was given, or has filled in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// What else the call was given.
    #[serde(flatten)]
    pub detail: Detail,
    /// What it gave back: -1 for a failure.
    pub result: i64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Errno>,
    /// Nanoseconds that it took.
    pub latency: u64,
}

/// The address of a socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Address {
    /// Of the Internet families.
    Internet(Endpoint),
    /// Of a Unix socket: `@` first for one without a file.
    Unix {
        /// Its path, which a program has chosen.
        path: Text,
    },
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::Internet(endpoint) => endpoint.fmt(f),
            Address::Unix { path } => path.fmt(f),
        }
    }
}

/// What calls of one sort are given beside a descriptor and an address.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Detail {
    /// socket, accept4: how the new socket is to be.
    Make {
        /// Its flags.
        flags: SocketFlags,
    },
    /// socketpair.
    Pair {
        /// The new sockets' flags.
        flags: SocketFlags,
        /// The second new descriptor; -1 where it failed.
        fd2: i32,
    },
    /// listen.
    Listen {
        /// The length of the queue that was asked for.
        backlog: i32,
    },
    /// shutdown.
    Shutdown {
        /// What it ends.
        how: Shutdown,
    },
    /// send, receive, read, write and their like.
    Data {
        /// Bytes that were offered or asked for.
        asked: u64,
        /// Their flags.
        flags: MessageFlags,
    },
    /// getsockopt, setsockopt.
    Option {
        /// The option's level.
        level: OptionLevel,
        /// The option.
        option: String,
        /// Its value, where that is an int and the call succeeded.
        #[serde(skip_serializing_if = "Option::is_none")]
        value: Option<i32>,
    },
    /// The others: nothing.
    Plain {},
}

/// Reads a record.
pub(super) fn read(function: &str, fields: &mut Fields<'_>) -> Option<SocketCall> {
    let result = fields.integer()?;
    let error = fields.int()?;
    let latency = fields.unsigned()?;
    let fd = fields.int()?;
    let family = AddressFamily(fields.int()?);
    let kind = SocketType(fields.int()?);
    let protocol = Protocol { family, number: fields.int()? };
    let inode = fields.unsigned()?;
    let given = fields.int()?;
    let fd2 = fields.int()?;
    let asked = fields.unsigned()?;
    let flags = fields.int()?;
    let backlog = fields.int()?;
    let level = OptionLevel(fields.int()?);
    let option = fields.int()?;
    let value = fields.int()?;
    let given_family = AddressFamily(fields.int()?);
    let (local, remote, address) = if family.0 == libc::AF_UNIX {
        (path(fields)?, path(fields)?, path(fields)?)
    } else {
        let (local, remote) = (internet(fields, family)?, internet(fields, family)?);
        (local.filter(is_there), remote.filter(is_there), internet(fields, given_family)?)
    };
    let detail = match function {
        "socketpair" => Detail::Pair { flags: SocketFlags(flags), fd2 },
        "socket" | "accept4" => Detail::Make { flags: SocketFlags(flags) },
        "listen" => Detail::Listen { backlog },
        "shutdown" => Detail::Shutdown { how: Shutdown(flags) },
        "getsockopt" | "setsockopt" => {
            let option = option_name(level, option);
            let value = (error == 0 && option_is_int(&option)).then_some(value);
            Detail::Option { level, option, value }
        }
        "bind" | "connect" | "accept" | "close" => Detail::Plain {},
        _ => Detail::Data { asked, flags: MessageFlags(flags) },
    };
    Some(SocketCall {
        function: function.to_owned(),
        fd: if given >= 0 { given } else { fd },
        family,
        kind,
        protocol,
        inode,
        local,
        remote,
        address,
        detail,
        result,
        error: (error != 0).then_some(Errno(error)),
        latency,
    })
}

/// A path; none where it is empty.
fn path(fields: &mut Fields<'_>) -> Option<Option<Address>> {
    let path = fields.text()?;
    Some((!path.is_empty()).then_some(Address::Unix { path }))
}

/// An Internet address with its port; none of another family.
fn internet(fields: &mut Fields<'_>, family: AddressFamily) -> Option<Option<Address>> {
    let mut endpoint = Endpoint::read(fields)?;
    // The kernel part leaves an address of zeros out.
    if endpoint.address.is_empty() {
        endpoint.address = if family.0 == libc::AF_INET6 { "::" } else { "0.0.0.0" }.to_owned();
    }
    let internet = matches!(family.0, libc::AF_INET | libc::AF_INET6);
    Some(internet.then_some(Address::Internet(endpoint)))
}

/// Whether a socket has this address: one that is not bound or not connected has zeros.
fn is_there(address: &Address) -> bool {
    match address {
        Address::Internet(Endpoint { address, port }) => {
            *port != 0 || !matches!(address.as_str(), "0.0.0.0" | "::")
        }
        Address::Unix { path } => !path.is_empty(),
    }
}
