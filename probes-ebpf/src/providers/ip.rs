//! The ip provider: Internet packets on their way to and from the interfaces.

use probes_common::connections::Ends;
use probes_common::providers::ip::Packet as Record;
use probes_common::types_net::{CsInfo, IfInfo, Ipv4Info, Ipv6Info};

use crate::connections::{self, IPPROTO_TCP, NOWHERE, exact, listener};
use crate::constants::offset;
use crate::datagrams::{self, IPPROTO_UDP};
use crate::firing::{Wants, bit, programs};
use crate::kernel::{self, read};
use crate::packet::{self, Packet, Way};
use crate::{net, scope};

programs! {
    // net_dev_queue(struct sk_buff *skb)
    foreign ip_send in "raw_tp/net_dev_queue", |program| {
        if let Some(packet) = packet::find(program.ctx.arg(0), Way::Out) {
            program.fire_if(|record, wants| fill(record, wants, &packet, Way::Out));
        }
    };
    // netif_receive_skb(struct sk_buff *skb)
    foreign ip_receive in "raw_tp/netif_receive_skb", |program| {
        if let Some(packet) = packet::find(program.ctx.arg(0), Way::In) {
            program.fire_if(|record, wants| fill(record, wants, &packet, Way::In));
        }
    };
}

/// Fills in a packet, if the session is about its socket's owner.
#[inline(never)]
fn fill(record: &mut Record, wants: Wants, packet: &Packet, way: Way) -> bool {
    if wants.part(bit!(Record, cs)).field(bit!(CsInfo, cs_addr)) || !scope::is_open() {
        own(&mut record.cs, packet, way);
        if !scope::of(record.cs.cs_pid as u32) {
            return false;
        }
    }
    packet::describe(&mut record.pkt, wants.part(bit!(Record, pkt)), packet.skb);
    if wants.field(bit!(Record, ip)) {
        packet::internet(&mut record.ip, packet);
    }
    if wants.field(bit!(Record, iface)) {
        interface(&mut record.iface, read(packet.skb, offset!(skb_dev)));
    }
    if wants.field(bit!(Record, v4)) {
        version4(&mut record.v4, packet);
    }
    if wants.field(bit!(Record, v6)) {
        version6(&mut record.v6, packet);
    }
    true
}

/// Says whose socket sends a packet, or is to have it.
#[inline(never)]
fn own(cs: &mut CsInfo, packet: &Packet, way: Way) {
    let mut at = NOWHERE;
    packet::ends(packet, way, &mut at);
    if u16::from(packet.protocol) == IPPROTO_TCP {
        own_segment(cs, &mut at);
    } else if packet.protocol == IPPROTO_UDP {
        let sk = if way == Way::Out { connections::sender(packet) } else { 0 };
        let known = if sk != 0 { datagrams::owner(sk) } else { datagrams::receiver(&mut at) };
        let sk = if sk == 0 { known.map_or(0, |known| known.sk) } else { sk };
        connections::describe(cs, sk, sk, at.netns, known.map(|known| &known.owner));
    } else {
        connections::describe(cs, 0, 0, at.netns, None);
    }
}

#[inline(never)]
fn own_segment(cs: &mut CsInfo, at: &mut Ends) {
    let netns = at.netns;
    let connection = match exact(at) {
        Some(connection) => Some(connection),
        None => listener(at),
    };
    let (sk, id) = connection.as_ref().map_or((0, 0), |connection| (connection.sk, connection.id));
    connections::describe(cs, sk, id, netns, connections::owner(sk, connection));
}

/// `IFF_LOOPBACK` of include/uapi/linux/if.h.
const LOOPBACK: u32 = 8;

#[inline(always)]
fn interface(to: &mut IfInfo, device: u64) {
    kernel::copy(&mut to.if_name, device, offset!(dev_name));
    to.if_local = i8::from(read::<u32>(device, offset!(dev_flags)) & LOOPBACK != 0);
    to.if_pad = [0; 7];
    to.if_addr = device;
    to.if_ipstack = read(device, offset!(dev_net));
}

/// The name of a protocol.
#[inline(always)]
fn name(protocol: u8) -> [u8; 16] {
    // As numbers: the characters in the order of memory.
    let (first, second) = match protocol {
        1 => (*b"ICMP\0\0\0\0", [0; 8]),
        2 => (*b"IGMP\0\0\0\0", [0; 8]),
        6 => (*b"TCP\0\0\0\0\0", [0; 8]),
        17 => (*b"UDP\0\0\0\0\0", [0; 8]),
        41 => (*b"IPV6\0\0\0\0", [0; 8]),
        43 => (*b"ROUTING\0", [0; 8]),
        44 => (*b"FRAGMENT", [0; 8]),
        47 => (*b"GRE\0\0\0\0\0", [0; 8]),
        50 => (*b"ESP\0\0\0\0\0", [0; 8]),
        51 => (*b"AH\0\0\0\0\0\0", [0; 8]),
        58 => (*b"ICMPV6\0\0", [0; 8]),
        132 => (*b"SCTP\0\0\0\0", [0; 8]),
        _ => (*b"<unknown", *b">\0\0\0\0\0\0\0"),
    };
    let (first, second) = (u64::from_ne_bytes(first), u64::from_ne_bytes(second));
    (u128::from(second) << 64 | u128::from(first)).to_ne_bytes()
}

#[inline(never)]
fn version4(to: &mut Ipv4Info, packet: &Packet) {
    // SAFETY: plain data, of which all-zero bytes are a value.
    *to = unsafe { core::mem::zeroed() };
    if packet.version != 4 {
        return;
    }
    let at = packet.ip;
    let first = read::<u8>(at, 0);
    let fragment = u16::from_be(read(at, 6));
    to.ipv4_ver = first >> 4;
    to.ipv4_ihl = (first & 15) * 4;
    to.ipv4_tos = read(at, 1);
    to.ipv4_length = u16::from_be(read(at, 2));
    to.ipv4_ident = u16::from_be(read(at, 4));
    to.ipv4_flags = (fragment >> 12) as u8 & 14;
    to.ipv4_offset = fragment & 0x1fff;
    to.ipv4_ttl = read(at, 8);
    to.ipv4_protocol = read(at, 9);
    to.ipv4_protostr = name(to.ipv4_protocol);
    to.ipv4_checksum = u16::from_be(read(at, 10));
    to.ipv4_src = read(at, 12);
    to.ipv4_dst = read(at, 16);
    net::set_ipv4(&mut to.ipv4_saddr, to.ipv4_src);
    net::set_ipv4(&mut to.ipv4_daddr, to.ipv4_dst);
    to.ipv4_hdr = at;
}

#[inline(never)]
fn version6(to: &mut Ipv6Info, packet: &Packet) {
    // SAFETY: as above.
    *to = unsafe { core::mem::zeroed() };
    if packet.version != 6 {
        return;
    }
    let at = packet.ip;
    let first = u32::from_be(read(at, 0));
    to.ipv6_ver = (first >> 28) as u8;
    to.ipv6_tclass = (first >> 20) as u8;
    to.ipv6_flow = first & 0xf_ffff;
    to.ipv6_plen = u16::from_be(read(at, 4));
    to.ipv6_nexthdr = read(at, 6);
    to.ipv6_nextstr = name(to.ipv6_nexthdr);
    to.ipv6_hlim = read(at, 7);
    to.ipv6_src = at + 8;
    to.ipv6_dst = at + 24;
    kernel::copy(&mut to.ipv6_saddr, at, 8);
    kernel::copy(&mut to.ipv6_daddr, at, 24);
    to.ipv6_hdr = at;
}
