//! What the maps of `connections` are filled with, and when.
//!
//! A `sock`'s owner is learned where a process acts on it: connect, listen, accept, and every later call. A connection
//! is known by its ends from its first segment (where it was opened) or from the end of the handshake (where it was
//! accepted) to the change to CLOSE; in TIME_WAIT it stays without a `sock`. These programs see each event before the
//! probes do.

use probes_common::abi::memory;
use probes_common::connections::Owner;
use probes_common::names::tcp_state;
use probes_common::providers::socket::{CALLS, Shape};

use crate::connections::{
    Change, HANDSHAKES, Handshake, IPPROTO_TCP, NOWHERE, OWNERS, SEEDS, after_close, change, detach, ends,
    enter, exact, inode, leave, listener, local_end, owner, sender, was_entered,
};
use crate::constants::offset;
use crate::drops;
use crate::files::{self, Sort};
use crate::firing::{Wants, programs};
use crate::kernel::{self, read};
use crate::net;
use crate::packet::{self, Way};
use crate::process::current_tgid;
use crate::segment::{self, ACK, FIN, RST, SYN, Segment};

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
    kernel::comm(&mut owner.comm, read(task, offset!(task_group_leader)));
    let before = known.map(|known| known.cast_const()).or_else(|| SEEDS.get_ptr(inode(sk)));
    owner.active = match (active, before) {
        (Some(active), _) => active,
        // SAFETY: as for `exact`.
        (None, Some(before)) => unsafe { (*before).active },
        (None, None) => 0,
    };
    // SAFETY: as for `exact`.
    owner.entered = known.map_or(0, |known| unsafe { (*known).entered });
    keep(sk, owner);
    if known.is_none() {
        attach(sk);
    }
}

#[inline(always)]
fn keep(sk: u64, owner: Owner) {
    if OWNERS.insert(sk, owner, 0).is_err() {
        drops::forgot(memory::OWNERS);
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
                let owner = Owner { active: 0, entered: 0, ..*owner };
                keep(sk, owner);
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

#[inline(always)]
fn learn_send(segment: &Segment) {
    let sk = sender(segment);
    if sk == 0 {
        return;
    }
    let mut at = NOWHERE;
    packet::ends(segment, Way::Out, &mut at);
    let known = exact(&at);
    let evicted = known.is_none() && was_entered(sk);
    if !known.is_some_and(|connection| connection.sk == sk) {
        let state = u32::from(read::<u8>(sk, offset!(sk_state)));
        // A reset can be the last word of a socket that is closed already: nothing would remove it any more.
        if state != tcp_state::CLOSE && state != tcp_state::LISTEN {
            if evicted {
                drops::forgot(memory::CONNECTIONS);
            }
            enter(&at, sk, state);
        }
    }
}

#[inline(always)]
fn learn_receive(segment: &Segment) {
    let mut at = NOWHERE;
    packet::ends(segment, Way::In, &mut at);
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
    packet::describe(&mut handshake.pkt, Wants(u64::MAX), segment.skb);
    packet::internet(&mut handshake.ip, segment);
    segment::header(&mut handshake.tcp, segment);
    let _ = HANDSHAKES.insert(at, handshake, 0);
}
