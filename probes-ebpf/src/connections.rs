//! TCP connections and their owners: which process a segment or a change of state belongs to, whoever runs when it comes.
//!
//! A `sock`'s owner is learned where a process acts on it: connect, listen, accept, and every later call. A connection
//! is known by its ends from its first segment (where it was opened) or from the end of the handshake (where it was
//! accepted) to the change to CLOSE; in TIME_WAIT it stays without a `sock`. The maps evict the least recently used.

use core::arch::asm;
use core::ptr;

use aya_ebpf::bindings::BPF_F_NO_PREALLOC;
use aya_ebpf::macros::map;
use aya_ebpf::maps::{HashMap, LruHashMap};
use probes_common::connections::{Connection, Ends, Owner};
use probes_common::names::tcp_state;
use probes_common::providers::socket::{CALLS, Shape};
use probes_common::schema::Ip;
use probes_common::types_net::{IpInfo, PktInfo, TcpInfo};

use crate::constants::offset;
use crate::files::{self, Sort};
use crate::firing::{Context, Wants, programs};
use crate::kernel::{self, read};
use crate::net;
use crate::process::current_tgid;
use crate::segment::{self, ACK, FIN, RST, SYN, Segment, Way};

#[map]
static CONNECTIONS: LruHashMap<Ends, Connection> = LruHashMap::with_max_entries(16384, 0);

/// By address of the `sock`.
#[map]
static OWNERS: LruHashMap<u64, Owner> = LruHashMap::with_max_entries(16384, 0);

/// By number of the socket's inode. Filled in by the tracer.
#[map]
static SEEDS: HashMap<u64, Owner> = HashMap::with_max_entries(1 << 20, BPF_F_NO_PREALLOC);

/// The last segments of handshakes that came in, by ends.
#[map]
static HANDSHAKES: LruHashMap<Ends, Handshake> = LruHashMap::with_max_entries(2048, 0);

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

const IPPROTO_TCP: u16 = 6;
/// `SOCK_DONE` of enum sock_flags, include/net/sock.h: the peer's FIN has come.
const SOCK_DONE: u64 = 1 << 1;

/// A change of a TCP socket's state.
#[derive(Clone, Copy)]
pub struct Change {
    pub sk: u64,
    pub old: u32,
    pub new: u32,
}

programs! {
    // inet_sock_set_state(const struct sock *sk, const int oldstate, const int newstate)
    support tcp_learn_state in "raw_tp/inet_sock_set_state", |ctx| if let Some(change) = change(ctx) { learn(change) };
    // sys_enter(struct pt_regs *regs, long id)
    support tcp_learn_use in "raw_tp/sys_enter", |ctx| {
        if is_use(ctx.arg(1) as u32) && !kernel::in_compat_call() {
            own_file(read(ctx.arg(0), offset!(regs_di)));
        }
    };
    // sys_exit(struct pt_regs *regs, long ret)
    support tcp_learn_accept in "raw_tp/sys_exit", |ctx| {
        let number = read::<u64>(ctx.arg(0), offset!(regs_orig_ax)) as u32;
        if is_accept(number) && !kernel::in_compat_call() {
            own_file(ctx.arg(1) as u32);
        }
    };
    // net_dev_queue(struct sk_buff *skb)
    support tcp_learn_send in "raw_tp/net_dev_queue", |ctx| {
        if let Some(segment) = segment::find(ctx.arg(0), Way::Out) { learn_send(&segment) }
    };
    // netif_receive_skb(struct sk_buff *skb)
    support tcp_learn_receive in "raw_tp/netif_receive_skb", |ctx| {
        if let Some(segment) = segment::find(ctx.arg(0), Way::In) { learn_receive(&segment) }
    };
    // tcp_destroy_sock(struct sock *sk)
    support tcp_forget in "raw_tp/tcp_destroy_sock", |ctx| {
        let _ = OWNERS.remove(ctx.arg(0));
    };
}

/// The change of state that a program on inet_sock_set_state is told, of a TCP socket.
#[inline(always)]
pub fn change(ctx: Context) -> Option<Change> {
    let sk = ctx.arg(0);
    let tcp = read::<u16>(sk, offset!(sk_protocol)) == IPPROTO_TCP;
    tcp.then(|| Change { sk, old: ctx.arg(1) as u32, new: ctx.arg(2) as u32 })
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

/// The number of the inode of a sock that a process has; 0 for others.
#[inline(always)]
fn inode(sk: u64) -> u64 {
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

/// The current process owns that sock. `active` where it opens a connection now.
#[inline(always)]
fn own(sk: u64, active: Option<u32>) {
    let pid = current_tgid();
    let known = OWNERS.get_ptr_mut(sk);
    if let (Some(owner), None) = (known, active) {
        // SAFETY: as for `exact`.
        if unsafe { (*owner).pid } == pid {
            return;
        }
    }
    let task = kernel::task();
    let mut owner =
        Owner { pid, uid: read(read(task, offset!(task_cred)), offset!(cred_uid)), ..Owner::default() };
    kernel::copy(&mut owner.comm, read(task, offset!(task_group_leader)), offset!(task_comm));
    let before = known.map(|known| known.cast_const()).or_else(|| SEEDS.get_ptr(inode(sk)));
    owner.active = match (active, before) {
        (Some(active), _) => active,
        // SAFETY: as for `exact`.
        (None, Some(before)) => unsafe { (*before).active },
        (None, None) => 0,
    };
    let _ = OWNERS.insert(sk, owner, 0);
    if known.is_none() {
        attach(sk);
    }
}

/// The tracer knows the connections that were before it, but not their socks.
#[inline(always)]
fn attach(sk: u64) {
    let mut at = NOWHERE;
    if u32::from(read::<u8>(sk, offset!(sk_state))) == tcp_state::LISTEN {
        local_end(sk, &mut at);
    } else {
        ends(sk, &mut at);
    }
    if let Some(connection) = exact(&at)
        && connection.sk == 0
        && connection.detached == 0
    {
        connection.sk = sk;
        connection.id = sk;
    }
}

/// The current process owns the TCP socket that its descriptor stands for.
#[inline(always)]
fn own_file(fd: u32) {
    let file = files::file(fd);
    if files::sort(file) == Sort::Socket {
        let sk = net::sock(file);
        let family = net::family(sk);
        let internet = family == net::AF_INET || family == net::AF_INET6;
        if internet && read::<u16>(sk, offset!(sk_protocol)) == IPPROTO_TCP {
            own(sk, None);
        }
    }
}

#[inline(always)]
fn is_use(number: u32) -> bool {
    is(number, |shape| {
        matches!(shape, Shape::Data | Shape::Message | Shape::Buffer | Shape::Vector | Shape::Accept)
    })
}

#[inline(always)]
fn is_accept(number: u32) -> bool {
    is(number, |shape| matches!(shape, Shape::Accept))
}

/// Whether that is the number of a call of such a shape.
#[inline(always)]
fn is(number: u32, shape: impl Fn(Shape) -> bool) -> bool {
    let mut index = 0;
    while index < CALLS.len() {
        if CALLS[index].number == number && shape(CALLS[index].shape) {
            return true;
        }
        index += 1;
    }
    false
}

#[inline(always)]
fn learn(Change { sk, old, new }: Change) {
    let mut at = NOWHERE;
    match (old, new) {
        // The port is not chosen yet: the connection is entered with its SYN.
        (_, tcp_state::SYN_SENT) => own(sk, Some(1)),
        (_, tcp_state::LISTEN) => {
            own(sk, Some(0));
            local_end(sk, &mut at);
            enter(&at, sk, new);
        }
        // A new sock, made from the listening one; its remote end is not filled in yet.
        (tcp_state::LISTEN, tcp_state::SYN_RECV) => {
            ends(sk, &mut at);
            let found = listener(&mut at);
            if let Some(owner) = owner(0, found) {
                let owner = Owner { active: 0, ..*owner };
                let _ = OWNERS.insert(sk, owner, 0);
            }
        }
        (_, tcp_state::ESTABLISHED) => {
            ends(sk, &mut at);
            enter(&at, sk, new);
        }
        (tcp_state::LISTEN, tcp_state::CLOSE) => {
            local_end(sk, &mut at);
            leave(&at, sk);
        }
        (_, tcp_state::CLOSE) => {
            ends(sk, &mut at);
            match after_close(sk, old) {
                tcp_state::CLOSE => leave(&at, sk),
                state => detach(&at, sk, state),
            }
        }
        _ => {
            ends(sk, &mut at);
            if let Some(connection) = exact(&at) {
                connection.state = new;
                connection.sk = sk;
                connection.id = sk;
            }
        }
    }
}

/// The state that a connection is in when its sock has gone to CLOSE: the kernel keeps TIME_WAIT, and the FIN_WAIT2 of a
/// closed socket, without it (tcp_time_wait, net/ipv4/tcp_minisocks.c).
#[inline(always)]
fn after_close(sk: u64, old: u32) -> u32 {
    if old != tcp_state::FIN_WAIT2 && old != tcp_state::CLOSING || read::<u32>(sk, offset!(sk_err)) != 0 {
        return tcp_state::CLOSE;
    }
    if read::<u64>(sk, offset!(sk_flags)) & SOCK_DONE != 0 {
        return tcp_state::TIME_WAIT;
    }
    let lingers = read::<i32>(sk, offset!(tcp_linger2)) >= 0;
    if old == tcp_state::FIN_WAIT2 && lingers { tcp_state::FIN_WAIT2 } else { tcp_state::CLOSE }
}

/// The local end of a listening sock, as [`listener`] looks for it.
#[inline(always)]
fn local_end(sk: u64, at: &mut Ends) {
    ends(sk, at);
    at.remote_port = 0;
    net::clear(&mut at.remote);
    if net::is_unspecified(&at.local) {
        net::clear(&mut at.local);
    }
}

#[inline(always)]
fn enter(at: &Ends, sk: u64, state: u32) {
    let connection = Connection { sk, id: sk, state, ..Connection::default() };
    let _ = CONNECTIONS.insert(at, connection, 0);
}

#[inline(always)]
fn leave(at: &Ends, sk: u64) {
    if exact(at).is_some_and(|connection| connection.sk == sk || connection.sk == 0) {
        let _ = CONNECTIONS.remove(at);
    }
}

/// The connection goes on without its sock.
#[inline(always)]
fn detach(at: &Ends, sk: u64, state: u32) {
    let mut connection = Connection { id: sk, state, detached: 1, ..Connection::default() };
    if let Some(owner) = owner(sk, exact(at)) {
        connection.owner = *owner;
    }
    let _ = CONNECTIONS.insert(at, connection, 0);
}

/// The sock that sends a segment; 0 where that is none of a connection: a handshake's, TIME_WAIT's, the kernel's own.
#[inline(always)]
pub fn sender(segment: &Segment) -> u64 {
    let sk = read::<u64>(segment.skb, offset!(skb_sk));
    let state = u32::from(read::<u8>(sk, offset!(sk_state)));
    let whole = state != tcp_state::NEW_SYN_RECV && state != tcp_state::TIME_WAIT;
    let port = read::<u16>(segment.tcp, 0);
    if sk != 0 && whole && port == read(sk, offset!(inet_sport)) { sk } else { 0 }
}

#[inline(always)]
fn learn_send(segment: &Segment) {
    let sk = sender(segment);
    if sk == 0 {
        return;
    }
    let mut at = NOWHERE;
    segment::ends(segment, Way::Out, &mut at);
    if !exact(&at).is_some_and(|connection| connection.sk == sk) {
        enter(&at, sk, read::<u8>(sk, offset!(sk_state)).into());
    }
}

#[inline(always)]
fn learn_receive(segment: &Segment) {
    let mut at = NOWHERE;
    segment::ends(segment, Way::In, &mut at);
    let known = match exact(&at) {
        Some(connection) => {
            if segment.flags & FIN != 0
                && connection.detached != 0
                && connection.state == tcp_state::FIN_WAIT2
            {
                connection.state = tcp_state::TIME_WAIT;
                connection.turned_by = segment.skb;
            }
            connection.state != tcp_state::TIME_WAIT
        }
        None => false,
    };
    // What follows a handshake on a connection is not of interest; what ends one is an ACK, to a listening port.
    if segment.flags & (SYN | RST) == 0 && (known || segment.flags & ACK == 0) {
        return;
    }
    if !known {
        let mut here = at;
        if listener(&mut here).is_none() {
            return;
        }
    }
    // SAFETY: plain data, of which all-zero bytes are a value.
    let mut handshake: Handshake = unsafe { core::mem::zeroed() };
    segment::packet(&mut handshake.pkt, Wants(u64::MAX), segment.skb);
    segment::internet(&mut handshake.ip, segment);
    segment::header(&mut handshake.tcp, segment);
    let _ = HANDSHAKES.insert(at, handshake, 0);
}
