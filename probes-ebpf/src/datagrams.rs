//! UDP sockets and their owners: which process a datagram belongs to, whoever runs when it comes.
//!
//! The kernel tells neither of a UDP socket's beginning nor of its end. A socket is known by its ends from the calls that
//! processes make on it; what is not used is forgotten last, since the map evicts the least recently used. Where a port has gone
//! to another socket, that one's first call says so.

use aya_ebpf::bindings::BPF_ANY;
use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_task_pt_regs};
use aya_ebpf::macros::map;
use aya_ebpf::maps::LruHashMap;
use probes_common::connections::{Connection, Ends, Owner};
use probes_common::providers::socket::{CALLS, Shape};

use crate::connections::{self, NOWHERE};
use crate::constants::offset;
use crate::files::{self, Sort};
use crate::firing::programs;
use crate::kernel::{self, read};
use crate::net;
use crate::numbers::{RECVMMSG, SENDMMSG};
use crate::packet::{self, Packet, Way};
use crate::process::current_tgid;

pub const IPPROTO_UDP: u8 = 17;

/// By their ends: of one that is not connected, the local one. The tracer fills in those that are there when it begins.
#[map]
static DATAGRAMS: LruHashMap<Ends, Connection> = LruHashMap::with_max_entries(16384, 0);

programs! {
    // sys_enter(struct pt_regs *regs, long id)
    support udp_learn_use in "raw_tp/sys_enter", |ctx| learn_call(ctx.arg(0), ctx.arg(1) as u32);
    // sys_exit(struct pt_regs *regs, long ret)
    support udp_learn_port in "raw_tp/sys_exit", |ctx| {
        let regs = ctx.arg(0);
        learn_call(regs, read::<u64>(regs, offset!(regs_orig_ax)) as u32);
    };
    // net_dev_queue(struct sk_buff *skb)
    support udp_learn_send in "raw_tp/net_dev_queue", |ctx| {
        if let Some(packet) = find(ctx.arg(0), Way::Out) { learn_send(&packet) }
    };
}

/// Finds the headers, if the packet is a datagram.
#[inline(always)]
pub fn find(skb: u64, way: Way) -> Option<Packet> {
    packet::find(skb, way).filter(|packet| packet.protocol == IPPROTO_UDP)
}

/// Whether a call is made on a socket that may be given a port, or data.
#[inline(always)]
fn is_use(number: u32) -> bool {
    let mut index = 0;
    while index < CALLS.len() {
        let uses = matches!(
            CALLS[index].shape,
            Shape::Name | Shape::Data | Shape::Message | Shape::Buffer | Shape::Vector
        );
        if uses && CALLS[index].number == number {
            return true;
        }
        index += 1;
    }
    number == SENDMMSG || number == RECVMMSG
}

#[inline(always)]
fn learn_call(regs: u64, number: u32) {
    if is_use(number) && !kernel::in_compat_call() {
        let sk = udp_sock(read(regs, offset!(regs_di)));
        if sk != 0 {
            own(sk);
        }
    }
}

/// The current process owns a datagram's socket if that is what it calls on: not where it is sent from an interrupt.
#[inline(always)]
fn learn_send(packet: &Packet) {
    let sk = connections::sender(packet);
    if sk == 0 || owner(sk).is_some() {
        return;
    }
    // SAFETY: the current thread's registers, which are not those of a call where it is the kernel's; then the number is none.
    let regs = unsafe { bpf_task_pt_regs(bpf_get_current_task_btf()) } as u64;
    let number = read::<u64>(regs, offset!(regs_orig_ax)) as u32;
    if is_use(number) && !kernel::in_compat_call() && udp_sock(read(regs, offset!(regs_di))) == sk {
        own(sk);
    }
}

/// The UDP sock that a descriptor of the current process stands for, 0 where it is none.
#[inline(always)]
fn udp_sock(fd: u32) -> u64 {
    let file = files::file(fd);
    if files::sort(file) != Sort::Socket {
        return 0;
    }
    let sk = net::sock(file);
    let family = net::family(sk);
    let internet = family == net::AF_INET || family == net::AF_INET6;
    if internet && is_udp(sk) { sk } else { 0 }
}

#[inline(always)]
fn is_udp(sk: u64) -> bool {
    read::<u16>(sk, offset!(sk_protocol)) == u16::from(IPPROTO_UDP)
}

/// The ends of a sock as the map has them.
#[inline(always)]
fn ends(sk: u64, at: &mut Ends) {
    connections::ends(sk, at);
    if at.remote_port == 0 {
        connections::local_end(sk, at);
    }
}

/// The current process owns that sock.
#[inline(always)]
fn own(sk: u64) {
    let mut at = NOWHERE;
    ends(sk, &mut at);
    if at.local_port == 0 {
        return;
    }
    let pid = current_tgid();
    if let Some(known) = DATAGRAMS.get_ptr(&at) {
        // SAFETY: a value of the map lives as long as the program; other CPUs may write it, word by word.
        if unsafe { (*known).sk == sk && (*known).owner.pid == pid } {
            return;
        }
    }
    let task = kernel::task();
    let mut owner =
        Owner { pid, uid: read(read(task, offset!(task_cred)), offset!(cred_uid)), ..Owner::default() };
    kernel::comm(&mut owner.comm, read(task, offset!(task_group_leader)));
    let connection = Connection { owner, sk, id: sk, ..Connection::default() };
    // An LRU map makes room for itself; there is nothing to do where even that fails.
    let _ = DATAGRAMS.insert(&at, &connection, BPF_ANY.into());
}

/// What is known of a sock.
#[inline(always)]
pub fn owner(sk: u64) -> Option<&'static Connection> {
    let mut at = NOWHERE;
    ends(sk, &mut at);
    exact(&at).filter(|known| known.sk == sk || known.sk == 0)
}

/// The socket that a datagram is for which came in for these ends. They lose what that socket does not ask for.
#[inline(always)]
pub fn receiver(at: &mut Ends) -> Option<&'static Connection> {
    if let Some(known) = exact(at) {
        return Some(known);
    }
    at.remote_port = 0;
    net::clear(&mut at.remote);
    if let Some(known) = exact(at) {
        return Some(known);
    }
    net::clear(&mut at.local);
    exact(at)
}

/// The socket with these ends, if it has them still.
#[inline(always)]
fn exact(at: &Ends) -> Option<&'static Connection> {
    let known = DATAGRAMS.get_ptr(at)?;
    // SAFETY: as above.
    let known = unsafe { &*known };
    let port = u16::from_be(read(known.sk, offset!(inet_sport)));
    let there = known.sk == 0 || is_udp(known.sk) && port == at.local_port;
    there.then_some(known)
}
