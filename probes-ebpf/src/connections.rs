//! TCP connections and their owners: which process a segment or a change of state belongs to, whoever runs when it comes.
//!
//! The maps, and how to look into them; `learning` fills them. Owners stay as long as their sockets. Connections in TIME_WAIT have
//! no end that could be seen: that map evicts the least recently used, as does the one of handshakes, which matter for a moment.
//! That something was evicted is seen when it is wanted, and counted then.

use core::arch::asm;
use core::ptr;

use aya_ebpf::bindings::BPF_F_NO_PREALLOC;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{HashMap, LruHashMap};
use probes_common::connections::{Connection, Ends, Owner};
use probes_common::names::tcp_state;
use probes_common::schema::Ip;
use probes_common::types_net::{CsInfo, IpInfo, PktInfo, TcpInfo};

use crate::constants::offset;
use crate::firing::Context;
use crate::kernel::read;
use crate::net;
use crate::packet::Packet;

#[map]
static CONNECTIONS: LruHashMap<Ends, Connection> = LruHashMap::with_max_entries(16384, 0);

/// By address of the `sock`.
#[map]
pub static OWNERS: HashMap<u64, Owner> = HashMap::with_max_entries(1 << 14, BPF_F_NO_PREALLOC);

/// By number of the socket's inode. Filled in by the tracer.
#[map]
pub static SEEDS: HashMap<u64, Owner> = HashMap::with_max_entries(1 << 16, BPF_F_NO_PREALLOC);

/// The last segments of handshakes that came in, by ends.
#[map]
pub static HANDSHAKES: LruHashMap<Ends, Handshake> = LruHashMap::with_max_entries(2048, 0);

/// A segment of a handshake.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Handshake {
    /// The packet.
    pub pkt: PktInfo,
    /// Its Internet header.
    pub ip: IpInfo,
    /// Its TCP header.
    pub tcp: TcpInfo,
}

pub const IPPROTO_TCP: u16 = 6;
/// `SOCK_DONE` of enum sock_flags, include/net/sock.h: the peer's FIN has come.
const SOCK_DONE: u64 = 1 << 1;

/// A change of a TCP socket's state.
#[derive(Clone, Copy)]
pub struct Change {
    pub sk: u64,
    pub old: u32,
    pub new: u32,
}

/// The change of state that a program on inet_sock_set_state is told, of a TCP socket.
#[inline(always)]
pub fn change(ctx: Context) -> Option<Change> {
    let sk = ctx.arg(0);
    let tcp = read::<u16>(sk, offset!(sk_protocol)) == IPPROTO_TCP;
    tcp.then(|| Change { sk, old: ctx.arg(1) as u32, new: ctx.arg(2) as u32 })
}

/// The state that a connection is in when its sock has gone to CLOSE: the kernel keeps TIME_WAIT, and the FIN_WAIT2 of a
/// closed socket, without it (tcp_time_wait, net/ipv4/tcp_minisocks.c).
#[inline(always)]
pub fn after_close(sk: u64, old: u32) -> u32 {
    if old != tcp_state::FIN_WAIT2 && old != tcp_state::CLOSING || read::<u32>(sk, offset!(sk_err)) != 0 {
        return tcp_state::CLOSE;
    }
    if read::<u64>(sk, offset!(sk_flags)) & SOCK_DONE != 0 {
        return tcp_state::TIME_WAIT;
    }
    let lingers = read::<i32>(sk, offset!(tcp_linger2)) >= 0;
    if old == tcp_state::FIN_WAIT2 && lingers { tcp_state::FIN_WAIT2 } else { tcp_state::CLOSE }
}

/// Ends without anything in them.
pub const NOWHERE: Ends =
    Ends { local: Ip([0; 16]), remote: Ip([0; 16]), netns: 0, local_port: 0, remote_port: 0 };

/// The ends of a sock.
#[inline(always)]
pub fn ends(sk: u64, ends: &mut Ends) {
    ends.netns = net::namespace(read(sk, offset!(sk_net)));
    let Ends { local, remote, local_port, remote_port, .. } = ends;
    net::ends(sk, net::Ends { local, remote, local_port, remote_port });
}

/// The local end of a listening sock, as [`listener`] looks for it.
#[inline(always)]
pub fn local_end(sk: u64, at: &mut Ends) {
    ends(sk, at);
    at.remote_port = 0;
    net::clear(&mut at.remote);
    if net::is_unspecified(&at.local) {
        net::clear(&mut at.local);
    }
}

/// The connection with these ends.
#[inline(always)]
pub fn exact(ends: &Ends) -> Option<&'static mut Connection> {
    // SAFETY: a value of the map lives as long as the program, and any bytes are a value of it; other CPUs may write it,
    // word by word.
    CONNECTIONS.get_ptr_mut(ends).map(|connection| unsafe { &mut *connection })
}

/// The socket that listens at the local end. `ends` loses its remote end, and maybe its local address.
#[inline(always)]
pub fn listener(ends: &mut Ends) -> Option<&'static mut Connection> {
    ends.remote_port = 0;
    net::clear(&mut ends.remote);
    if let Some(connection) = exact(ends) {
        return Some(connection);
    }
    net::clear(&mut ends.local);
    exact(ends)
}

/// The owner of a sock, or else of a connection, or of the socket that listens for it.
#[inline(always)]
pub fn owner(sk: u64, connection: Option<&'static mut Connection>) -> Option<&'static Owner> {
    let sk = connection.as_ref().map_or(sk, |connection| if sk == 0 { connection.sk } else { sk });
    let mut owner = ptr::null();
    if sk != 0 {
        owner = OWNERS.get_ptr(sk).or_else(|| SEEDS.get_ptr(inode(sk))).unwrap_or(owner);
    }
    if owner.is_null() {
        owner = connection.map_or(owner, |connection| &raw const connection.owner);
    }
    // SAFETY: no instruction; it keeps the compiler from joining the tests for null of several pointers into one, which the
    // verifier does not understand. Then as for `exact`.
    unsafe {
        asm!("/* {0} */", inout(reg) owner);
        owner.as_ref()
    }
}

/// Says whose a socket is.
#[inline(always)]
pub fn describe(cs: &mut CsInfo, sk: u64, id: u64, netns: u32, owner: Option<&Owner>) {
    cs.cs_addr = sk;
    cs.cs_cid = id;
    cs.cs_netns = netns;
    cs.cs_pad = 0;
    match owner {
        Some(owner) => {
            cs.cs_pid = owner.pid as i32;
            cs.cs_uid = owner.uid;
            cs.cs_comm = owner.comm;
        }
        None => {
            cs.cs_pid = 0;
            cs.cs_uid = 0;
            cs.cs_comm = [0; 16];
        }
    }
}

/// The number of the inode of a sock that a process has; 0 for others.
#[inline(always)]
pub fn inode(sk: u64) -> u64 {
    let socket = read::<u64>(sk, offset!(sk_socket));
    if socket == 0 {
        return 0;
    }
    read(socket + u64::from(offset!(socket_inode)), offset!(inode_ino))
}

/// The last segment of a handshake that came in between these ends.
#[inline(always)]
pub fn handshake(ends: &Ends) -> Option<&'static Handshake> {
    // SAFETY: as for `exact`.
    HANDSHAKES.get_ptr(ends).map(|handshake| unsafe { &*handshake })
}

/// The sock that sends a packet of TCP or UDP; 0 where that is none of a connection: a handshake's, TIME_WAIT's, the kernel's own.
#[inline(always)]
pub fn sender(packet: &Packet) -> u64 {
    let sk = read::<u64>(packet.skb, offset!(skb_sk));
    let state = u32::from(read::<u8>(sk, offset!(sk_state)));
    let whole = state != tcp_state::NEW_SYN_RECV && state != tcp_state::TIME_WAIT;
    let port = read::<u16>(packet.payload, 0);
    if sk != 0 && whole && port == read(sk, offset!(inet_sport)) { sk } else { 0 }
}

/// Remembers a connection, or a listening socket.
#[inline(always)]
pub fn enter(at: &Ends, sk: u64, state: u32) {
    let connection = Connection { sk, id: sk, state, ..Connection::default() };
    let _ = CONNECTIONS.insert(at, connection, 0);
    if let Some(owner) = OWNERS.get_ptr_mut(sk) {
        // SAFETY: as for `exact`.
        unsafe { (*owner).entered = 1 };
    }
}

/// Whether the sock's connection has been entered before.
#[inline(always)]
pub fn was_entered(sk: u64) -> bool {
    // SAFETY: as for `exact`.
    OWNERS.get_ptr(sk).is_some_and(|owner| unsafe { (*owner).entered } == 1)
}

/// Forgets it, if it is that sock's.
#[inline(always)]
pub fn leave(at: &Ends, sk: u64) {
    if exact(at).is_some_and(|connection| connection.sk == sk || connection.sk == 0) {
        let _ = CONNECTIONS.remove(at);
    }
}

/// The connection goes on without its sock.
#[inline(always)]
pub fn detach(at: &Ends, sk: u64, state: u32) {
    let mut connection = Connection { id: sk, state, detached: 1, ..Connection::default() };
    if let Some(owner) = owner(sk, exact(at)) {
        connection.owner = *owner;
    }
    let _ = CONNECTIONS.insert(at, connection, 0);
}
