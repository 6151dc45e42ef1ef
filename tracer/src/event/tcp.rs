//! TCP connections: their segments and their states.

use serde::Serialize;

use super::fields::Fields;
use super::number::{TcpFlags, TcpState};

/// What happens to a connection, seen from one of its ends.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum Tcp {
    /// Its state changes.
    StateChange {
        /// The end.
        #[serde(flatten)]
        connection: Connection,
        /// The state before.
        old: TcpState,
        /// The state after.
        new: TcpState,
    },
    /// A segment leaves.
    Send {
        /// The end that sends it.
        #[serde(flatten)]
        connection: Connection,
        /// The segment.
        #[serde(flatten)]
        segment: Segment,
    },
    /// A segment arrives.
    Receive {
        /// The end that receives it.
        #[serde(flatten)]
        connection: Connection,
        /// The segment.
        #[serde(flatten)]
        segment: Segment,
    },
    /// This end asks for a connection.
    ConnectRequest(Connection),
    /// It has got it.
    ConnectEstablished(Connection),
    /// It is refused.
    ConnectRefused(Connection),
    /// This end has been asked, and the connection is there.
    AcceptEstablished(Connection),
    /// Nobody listens where a connection was asked for.
    AcceptRefused(Connection),
}

/// One end of a connection, or a listening socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// The same number for all events of this end, once it has a socket.
    pub connection: u64,
    /// Its own address.
    pub local: Endpoint,
    /// The other end's; of a listening socket there is none.
    pub remote: Endpoint,
}

/// An Internet address and a port.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Endpoint {
    /// The address as people write it; empty for none.
    pub address: String,
    /// The port.
    pub port: u16,
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Endpoint { address, port } = self;
        let text = match address.as_str() {
            "" if *port == 0 => "*".to_owned(),
            "" => format!("*:{port}"),
            address if address.contains(':') => format!("[{address}]:{port}"),
            address => format!("{address}:{port}"),
        };
        f.pad(&text)
    }
}

impl Endpoint {
    pub(super) fn read(fields: &mut Fields<'_>) -> Option<Endpoint> {
        Some(Endpoint { address: fields.address()?, port: fields.integer()? as u16 })
    }
}

/// A segment's header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Its flags.
    pub flags: TcpFlags,
    /// Its sequence number, as it stands there.
    pub seq: u32,
    /// Its acknowledgement number, as it stands there.
    pub ack: u32,
    /// Bytes of payload.
    pub bytes: u32,
    /// The window as it stands there, not scaled.
    pub window: u16,
}

impl Segment {
    /// Whether it is the first of a connection: a SYN that acknowledges nothing.
    pub fn asks_to_connect(&self) -> bool {
        const SYN: u8 = 2;
        const ACK: u8 = 16;
        self.flags.0 & (SYN | ACK) == SYN
    }
}

impl Tcp {
    /// The end that it is seen from.
    pub fn connection(&self) -> &Connection {
        match self {
            Tcp::StateChange { connection, .. }
            | Tcp::Send { connection, .. }
            | Tcp::Receive { connection, .. }
            | Tcp::ConnectRequest(connection)
            | Tcp::ConnectEstablished(connection)
            | Tcp::ConnectRefused(connection)
            | Tcp::AcceptEstablished(connection)
            | Tcp::AcceptRefused(connection) => connection,
        }
    }
}

/// Reads a record.
pub(super) fn read(name: &str, fields: &mut Fields<'_>) -> Option<Tcp> {
    let mut connection = Connection {
        connection: fields.unsigned()?,
        local: Endpoint::read(fields)?,
        remote: Endpoint::read(fields)?,
    };
    // The kernel part leaves an IPv6 address of zeros out; that of a listener means all of this machine's.
    if connection.local.address.is_empty() && connection.local.port != 0 {
        connection.local.address = "::".to_owned();
    }
    Some(match name {
        "state-change" => Tcp::StateChange {
            connection,
            old: TcpState(fields.int()? as u32),
            new: TcpState(fields.int()? as u32),
        },
        "send" => Tcp::Send { connection, segment: segment(fields)? },
        "receive" => Tcp::Receive { connection, segment: segment(fields)? },
        "connect-request" => Tcp::ConnectRequest(connection),
        "connect-established" => Tcp::ConnectEstablished(connection),
        "connect-refused" => Tcp::ConnectRefused(connection),
        "accept-established" => Tcp::AcceptEstablished(connection),
        "accept-refused" => Tcp::AcceptRefused(connection),
        _ => return None,
    })
}

fn segment(fields: &mut Fields<'_>) -> Option<Segment> {
    Some(Segment {
        flags: TcpFlags(fields.int()? as u8),
        seq: fields.integer()? as u32,
        ack: fields.integer()? as u32,
        bytes: fields.integer()? as u32,
        window: fields.integer()? as u16,
    })
}
