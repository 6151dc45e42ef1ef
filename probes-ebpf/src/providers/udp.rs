//! The udp provider: datagrams on their way to and from the interface.

use probes_common::connections::{Connection, Ends};
use probes_common::providers::udp::Datagram;
use probes_common::types_net::{CsInfo, UdpInfo, UdpsInfo};

use crate::connections::{self, NOWHERE};
use crate::datagrams;
use crate::firing::{Wants, bit, programs};
use crate::kernel::read;
use crate::packet::{self, Packet, Way};
use crate::{net, scope};

programs! {
    // net_dev_queue(struct sk_buff *skb)
    foreign udp_send in "raw_tp/net_dev_queue", |program| {
        if let Some(packet) = datagrams::find(program.ctx.arg(0), Way::Out) && connections::sender(&packet) != 0 {
            program.fire_if(|record, wants| fill_sent(record, wants, &packet));
        }
    };
    // netif_receive_skb(struct sk_buff *skb)
    foreign udp_receive in "raw_tp/netif_receive_skb", |program| {
        if let Some(packet) = datagrams::find(program.ctx.arg(0), Way::In) {
            program.fire_if(|record, wants| fill_received(record, wants, &packet));
        }
    };
}

#[inline(never)]
fn fill_sent(record: &mut Datagram, wants: Wants, packet: &Packet) -> bool {
    let mut at = NOWHERE;
    packet::ends(packet, Way::Out, &mut at);
    let sk = connections::sender(packet);
    fill(record, wants, packet, sk, datagrams::owner(sk), &at)
}

#[inline(never)]
fn fill_received(record: &mut Datagram, wants: Wants, packet: &Packet) -> bool {
    let mut at = NOWHERE;
    packet::ends(packet, Way::In, &mut at);
    let mut here = at;
    let Some(known) = datagrams::receiver(&mut here) else { return false };
    fill(record, wants, packet, known.sk, Some(known), &at)
}

/// Fills in a datagram, if the session is about its socket's owner.
#[inline(always)]
fn fill(
    record: &mut Datagram,
    wants: Wants,
    packet: &Packet,
    sk: u64,
    known: Option<&'static Connection>,
    at: &Ends,
) -> bool {
    if !scope::of(known.map_or(0, |known| known.owner.pid)) {
        return false;
    }
    if wants.part(bit!(Datagram, cs)).field(bit!(CsInfo, cs_addr)) {
        connections::describe(&mut record.cs, sk, sk, at.netns, known.map(|known| &known.owner));
    }
    packet::describe(&mut record.pkt, wants.part(bit!(Datagram, pkt)), packet.skb);
    if wants.field(bit!(Datagram, ip)) {
        packet::internet(&mut record.ip, packet);
    }
    if wants.field(bit!(Datagram, udps)) {
        socket(&mut record.udps, sk);
    }
    if wants.field(bit!(Datagram, udp)) {
        header(&mut record.udp, packet.payload);
    }
    true
}

#[inline(always)]
fn socket(to: &mut UdpsInfo, sk: u64) {
    to.udps_addr = sk;
    to.udps_pad = 0;
    let UdpsInfo { udps_laddr, udps_raddr, udps_lport, udps_rport, .. } = to;
    net::ends(
        sk,
        net::Ends { local: udps_laddr, remote: udps_raddr, local_port: udps_lport, remote_port: udps_rport },
    );
}

#[inline(always)]
fn header(to: &mut UdpInfo, at: u64) {
    to.udp_sport = u16::from_be(read(at, 0));
    to.udp_dport = u16::from_be(read(at, 2));
    to.udp_length = u16::from_be(read(at, 4));
    to.udp_checksum = u16::from_be(read(at, 6));
    to.udp_hdr = at;
}
