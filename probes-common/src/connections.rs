//! What the kernel side remembers of TCP sockets, and the tracer puts there of those that were before it.

use crate::schema::Ip;

/// The process that owns a socket.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Owner {
    /// Process id, as the kernel's first PID namespace has it; 0 where it is not known.
    pub pid: u32,
    /// Its user.
    pub uid: u32,
    /// Its name, zero-padded.
    pub comm: [u8; 16],
    /// 1 when this end opened the connection.
    pub active: u32,
    /// 1 when the socket's connection has been entered in the map of connections.
    pub entered: u32,
}

/// The two ends of a connection, seen from one of them: a key, so there is no padding in it.
///
/// A listening socket has no remote end (zeros), and no local address when it takes any (zeros).
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// Local address.
    pub local: Ip,
    /// Remote address.
    pub remote: Ip,
    /// The number of the network namespace.
    pub netns: u32,
    /// Local port.
    pub local_port: u16,
    /// Remote port.
    pub remote_port: u16,
}

/// One end of a connection, or a listening socket.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Connection {
    /// Its owner, when there is no `sock`. It comes first: where there is no connection the compiler makes of the
    /// address of its owner the same null, and the verifier allows no other arithmetic on it.
    pub owner: Owner,
    /// Address of its `sock`; 0 when that is not known, or no more.
    pub sk: u64,
    /// Address of the `sock` that it has or had.
    pub id: u64,
    /// Address of the `sk_buff` that made a closed end without a socket go from FIN_WAIT2 to TIME_WAIT.
    pub turned_by: u64,
    /// State, TCP_STATE_*.
    pub state: u32,
    /// 1 when the kernel keeps it without a `sock`: in TIME_WAIT, and in FIN_WAIT2 once the socket is closed.
    pub detached: u32,
}

/// The map of [`Connection`]s, by [`Ends`].
pub const CONNECTIONS: &str = "CONNECTIONS";
/// The map of the [`Owner`]s of sockets that were before the tracer, by the number of their inode (u64). Filled in by the
/// tracer; the kernel side only reads it.
pub const SEEDS: &str = "SEEDS";
