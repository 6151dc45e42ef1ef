//! The tcp provider: segments on their way to and from the interface, and changes of state.
//!
//! The programs of `learning` see each event before these do. They remember; here nothing is changed.

use probes_common::abi::memory;
use probes_common::connections::Ends;
use probes_common::names::tcp_state;
use probes_common::providers::tcp::{TcpSegment, TcpStateChange};

use crate::connections::{self, Change, NOWHERE, after_close, change, exact, listener};
use crate::constants::offset;
use crate::drops;
use crate::firing::{Program, Wants, bit, programs};
use crate::kernel::read;
use crate::packet::{self, Way};
use crate::segment::{self, ACK, FIN, RST, SYN, Segment};
use crate::tcps::{self, Subject};

/// An error of include/uapi/asm-generic/errno.h: nobody answered.
const ETIMEDOUT: u32 = 110;

programs! {
    // inet_sock_set_state(const struct sock *sk, const int oldstate, const int newstate)
    foreign tcp_state_change in "raw_tp/inet_sock_set_state", |program| {
        if let Some(change) = change(program.ctx) {
            program.fire_if(|record, wants| fill_change(record, wants, &change));
        }
    };
    foreign tcp_connect_established in "raw_tp/inet_sock_set_state", |program| {
        if let Some(change) = change(program.ctx)
            && (change.old, change.new) == (tcp_state::SYN_SENT, tcp_state::ESTABLISHED)
        {
            shake(program, change, Side::Opened);
        }
    };
    foreign tcp_connect_refused in "raw_tp/inet_sock_set_state", |program| {
        if let Some(change) = change(program.ctx)
            && (change.old, change.new) == (tcp_state::SYN_SENT, tcp_state::CLOSE)
            && !matches!(read(change.sk, offset!(sk_err)), 0 | ETIMEDOUT)
        {
            shake(program, change, Side::Refused);
        }
    };
    foreign tcp_accept_established in "raw_tp/inet_sock_set_state", |program| {
        if let Some(change) = change(program.ctx)
            && (change.old, change.new) == (tcp_state::SYN_RECV, tcp_state::ESTABLISHED)
            && !connections::owner(change.sk, None).is_some_and(|owner| owner.active != 0)
        {
            shake(program, change, Side::Accepted);
        }
    };
    // net_dev_queue(struct sk_buff *skb)
    foreign tcp_send in "raw_tp/net_dev_queue", |program| {
        if let Some(segment) = outgoing(program) { send(program, segment) }
    };
    foreign tcp_connect_request in "raw_tp/net_dev_queue", |program| {
        if let Some(segment) = outgoing(program) && segment.flags & (SYN | ACK) == SYN { send(program, segment) }
    };
    foreign tcp_accept_refused in "raw_tp/net_dev_queue", |program| {
        // What answers a segment without ACK acknowledges it and has no sequence number (RFC 9293, 3.5.2).
        if let Some(segment) = outgoing(program)
            && segment.flags & (RST | ACK | SYN) == RST | ACK
            && read::<u32>(segment.payload, 4) == 0
        {
            send(program, segment);
        }
    };
    // netif_receive_skb(struct sk_buff *skb)
    foreign tcp_receive in "raw_tp/netif_receive_skb", |program| {
        if let Some(segment) = segment::find(program.ctx.arg(0), Way::In) {
            program.fire_if(|record, wants| fill_received(record, wants, &segment));
        }
    };
    foreign tcp_time_wait in "raw_tp/netif_receive_skb", |program| {
        if let Some(segment) = segment::find(program.ctx.arg(0), Way::In) && segment.flags & FIN != 0 {
            program.fire_if(|record, wants| fill_time_wait(record, wants, &segment));
        }
    };
}

/// The segment that is going out, if it is one and comes from here. A device on top of another (VLAN, bond, bridge)
/// queues it again for the lower one; it counts where routing sent it.
#[inline(always)]
fn outgoing(program: Program) -> Option<Segment> {
    let skb = program.ctx.arg(0);
    // A refusal over IPv6 and the answers of TIME_WAIT have no socket; what is forwarded came in by an interface.
    if read::<u64>(skb, offset!(skb_sk)) == 0 && read::<u32>(skb, offset!(skb_iif)) != 0 {
        return None;
    }
    let segment = segment::find(skb, Way::Out)?;
    let sk = connections::sender(&segment);
    if sk != 0 {
        let route = read::<u64>(sk, offset!(sk_dst_cache));
        let device = read::<u64>(route, offset!(dst_dev));
        if device != 0 && device != read(skb, offset!(skb_dev)) {
            return None;
        }
    }
    Some(segment)
}

#[inline(always)]
fn send(program: Program, segment: Segment) {
    program.fire_if(|record, wants| fill_sent(record, wants, &segment));
}

// What fills in a record is a function of its own, so that its frame is gone when the clauses run.
#[inline(never)]
fn fill_sent(record: &mut TcpSegment, wants: Wants, segment: &Segment) -> bool {
    let sk = connections::sender(segment);
    let mut at = NOWHERE;
    packet::ends(segment, Way::Out, &mut at);
    let subject = match exact(&at) {
        Some(connection) => Subject { sk, state: connection.state, connection: Some(connection) },
        None => {
            let mut here = at;
            let connection = listener(&mut here);
            let state = match &connection {
                Some(_) if segment.flags & RST == 0 => tcp_state::SYN_RECV,
                _ => tcp_state::CLOSE,
            };
            Subject { sk, state, connection }
        }
    };
    fill(record, wants, segment, subject, &at)
}

/// Fills in a segment that comes in, if it is for a connection or a listening socket of this machine.
#[inline(never)]
fn fill_received(record: &mut TcpSegment, wants: Wants, segment: &Segment) -> bool {
    let mut at = NOWHERE;
    packet::ends(segment, Way::In, &mut at);
    let mut subject = Subject { sk: 0, state: 0, connection: exact(&at) };
    match &subject.connection {
        Some(connection) => {
            subject.sk = connection.sk;
            // The FIN that ends FIN_WAIT2 has been taken note of already.
            let turned = connection.turned_by == segment.skb;
            subject.state = if turned { tcp_state::FIN_WAIT2 } else { connection.state };
        }
        None => {
            let mut here = at;
            subject.connection = listener(&mut here);
            let Some(connection) = &subject.connection else { return false };
            let opens = segment.flags & SYN != 0;
            subject.sk = if opens { connection.sk } else { 0 };
            subject.state = if opens { tcp_state::LISTEN } else { tcp_state::SYN_RECV };
        }
    }
    fill(record, wants, segment, subject, &at)
}

/// Fills in a segment, if the session is about its connection's owner.
#[inline(always)]
fn fill(record: &mut TcpSegment, wants: Wants, segment: &Segment, subject: Subject, at: &Ends) -> bool {
    let (cs, tcps) = (wants.part(bit!(TcpSegment, cs)), wants.part(bit!(TcpSegment, tcps)));
    if !tcps::fill(&mut record.cs, cs, &mut record.tcps, tcps, subject, at) {
        return false;
    }
    packet::describe(&mut record.pkt, wants.part(bit!(TcpSegment, pkt)), segment.skb);
    if wants.field(bit!(TcpSegment, ip)) {
        packet::internet(&mut record.ip, segment);
    }
    if wants.field(bit!(TcpSegment, tcp)) {
        segment::header(&mut record.tcp, segment);
    }
    true
}

/// How a handshake ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Opened,
    Refused,
    Accepted,
}

#[inline(always)]
fn shake(program: Program, Change { sk, new, .. }: Change, side: Side) {
    program.fire_if(|record, wants| fill_shaken(record, wants, sk, new, side));
}

/// With the segment that ended the handshake, found by its numbers; without one where there was none.
#[inline(never)]
fn fill_shaken(record: &mut TcpSegment, wants: Wants, sk: u64, state: u32, side: Side) -> bool {
    let mut at = NOWHERE;
    connections::ends(sk, &mut at);
    let found = connections::handshake(&at);
    if found.is_none() && !matches!(side, Side::Refused) {
        drops::forgot(memory::HANDSHAKES);
    }
    let segment = found.filter(|handshake| {
        let tcp = &handshake.tcp;
        match side {
            Side::Opened => {
                tcp.tcp_flags & SYN != 0 && tcp.tcp_seq.wrapping_add(1) == read(sk, offset!(tcp_rcv_nxt))
            }
            Side::Refused => tcp.tcp_flags & RST != 0 && tcp.tcp_ack == read(sk, offset!(tcp_snd_nxt)),
            Side::Accepted => tcp.tcp_flags & SYN == 0 && tcp.tcp_ack == read(sk, offset!(tcp_snd_una)),
        }
    });
    match segment {
        Some(segment) => {
            record.pkt = segment.pkt;
            record.ip = segment.ip;
            record.tcp = segment.tcp;
        }
        None => clear(record),
    }
    let (cs, tcps) = (wants.part(bit!(TcpSegment, cs)), wants.part(bit!(TcpSegment, tcps)));
    let subject = Subject { sk, connection: exact(&at), state };
    tcps::fill(&mut record.cs, cs, &mut record.tcps, tcps, subject, &at)
}

/// There is no segment.
#[inline(always)]
fn clear(record: &mut TcpSegment) {
    // SAFETY: plain data, of which all-zero bytes are a value.
    unsafe {
        record.pkt = core::mem::zeroed();
        record.ip = core::mem::zeroed();
        record.tcp = core::mem::zeroed();
    }
}

/// Fills in a change of state, if it is one for D.
#[inline(never)]
fn fill_change(record: &mut TcpStateChange, wants: Wants, change: &Change) -> bool {
    let Change { sk, old, new } = *change;
    let mut at = NOWHERE;
    connections::ends(sk, &mut at);
    let connection = exact(&at);
    let state = if new == tcp_state::CLOSE { after_close(sk, old) } else { new };
    // It goes on in the same state, without its sock.
    if state == old {
        return false;
    }
    let subject = Subject { sk, connection, state };
    fill_states(record, wants, old, subject, &at)
}

/// Fills in the end of FIN_WAIT2 of a connection without a sock, if this segment is what ended it.
#[inline(never)]
fn fill_time_wait(record: &mut TcpStateChange, wants: Wants, segment: &Segment) -> bool {
    let mut at = NOWHERE;
    packet::ends(segment, Way::In, &mut at);
    let Some(connection) = exact(&at) else { return false };
    if connection.turned_by != segment.skb || connection.state != tcp_state::TIME_WAIT {
        return false;
    }
    let subject = Subject { sk: 0, connection: Some(connection), state: tcp_state::TIME_WAIT };
    fill_states(record, wants, tcp_state::FIN_WAIT2, subject, &at)
}

#[inline(always)]
fn fill_states(record: &mut TcpStateChange, wants: Wants, old: u32, subject: Subject, at: &Ends) -> bool {
    if wants.field(bit!(TcpStateChange, ls)) {
        record.ls.tcps_state = old as i32;
        record.ls.tcps_pad = 0;
    }
    let (cs, tcps) = (wants.part(bit!(TcpStateChange, cs)), wants.part(bit!(TcpStateChange, tcps)));
    tcps::fill(&mut record.cs, cs, &mut record.tcps, tcps, subject, at)
}
