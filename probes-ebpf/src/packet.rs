//! Internet packets: where their headers are, who sends them and to whom.
//!
//! A header is read where the kernel has it, from the linear part of the packet. IPv6 extension headers, fragments and
//! VLAN tags inside the packet are not followed: what such a packet carries is not seen.

use probes_common::connections::Ends;
use probes_common::types_net::{IpInfo, PktInfo};

use crate::constants::offset;
use crate::firing::{Wants, bit};
use crate::kernel::{self, read};
use crate::net;

/// `skb->protocol` as it stands in memory (include/uapi/linux/if_ether.h).
const IPV4: u16 = 0x0800u16.to_be();
const IPV6: u16 = 0x86ddu16.to_be();
const IPV6_HEADER: u32 = 40;

/// Which way a packet goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the interface: it is from here.
    Out,
    /// From the interface: it may be for here.
    In,
}

/// Where the headers of a packet are.
#[derive(Clone, Copy)]
pub struct Packet {
    /// The `sk_buff`.
    pub skb: u64,
    /// The Internet header.
    pub ip: u64,
    /// The header of what it carries.
    pub payload: u64,
    /// Version of the Internet protocol.
    pub version: u8,
    /// The protocol of what it carries; 0 for what follows the first fragment.
    pub protocol: u8,
}

/// Finds the headers, if it is an Internet packet.
#[inline(always)]
pub fn find(skb: u64, way: Way) -> Option<Packet> {
    let kind = read::<u16>(skb, offset!(skb_protocol));
    if kind != IPV4 && kind != IPV6 {
        return None;
    }
    let ip = match way {
        Way::Out => {
            read::<u64>(skb, offset!(skb_head)) + u64::from(read::<u16>(skb, offset!(skb_network_header)))
        }
        // The network header is not set yet; the link's header has been taken off.
        Way::In => read(skb, offset!(skb_data)),
    };
    let first = read::<u8>(ip, 0);
    let (protocol, length) = if first >> 4 == 4 {
        let fragment = u16::from_be(read(ip, 6)) & 0x1fff;
        (if fragment == 0 { ip + 9 } else { 0 }, u64::from(first & 15) * 4)
    } else {
        (ip + 6, u64::from(IPV6_HEADER))
    };
    // Read once more, where the ways have met: of a number on the stack that is read by a pointer to it, the verifier of Linux 6.1
    // takes what it knows on the first way for all that there is, and what depends on it for dead on the others.
    let version = read::<u8>(ip, 0) >> 4;
    Some(Packet { skb, ip, payload: ip + length, version, protocol: read(protocol, 0) })
}

/// The ends, seen from this side: of a packet that comes in, the destination is local.
#[inline(always)]
pub fn ends(packet: &Packet, way: Way, ends: &mut Ends) {
    let device = read::<u64>(packet.skb, offset!(skb_dev));
    ends.netns = net::namespace(read(device, offset!(dev_net)));
    let (source, destination, source_port, destination_port) = match way {
        Way::Out => (&mut ends.local, &mut ends.remote, &mut ends.local_port, &mut ends.remote_port),
        Way::In => (&mut ends.remote, &mut ends.local, &mut ends.remote_port, &mut ends.local_port),
    };
    if packet.version == 4 {
        net::set_ipv4(source, read(packet.ip, 12));
        net::set_ipv4(destination, read(packet.ip, 16));
    } else {
        kernel::copy(source, packet.ip, 8);
        kernel::copy(destination, packet.ip, 24);
    }
    *source_port = u16::from_be(read(packet.payload, 0));
    *destination_port = u16::from_be(read(packet.payload, 2));
}

/// Fills in what is wanted of the description of the packet.
#[inline(always)]
pub fn describe(to: &mut PktInfo, wants: Wants, skb: u64) {
    if wants.field(bit!(PktInfo, pkt_addr)) {
        to.pkt_addr = skb;
    }
    if wants.field(bit!(PktInfo, pkt_ifindex)) {
        to.pkt_ifindex = read(read(skb, offset!(skb_dev)), offset!(dev_ifindex));
    }
    if wants.field(bit!(PktInfo, pkt_segs)) {
        // skb_shared_info lies where the packet's linear part ends (`skb_end_pointer`, include/linux/skbuff.h).
        let shared = read::<u64>(skb, offset!(skb_head)) + u64::from(read::<u32>(skb, offset!(skb_end)));
        let segments = read::<u16>(shared, offset!(skb_gso_segs)).into();
        to.pkt_segs = if segments == 0 { 1 } else { segments };
    }
}

/// Fills in the Internet header.
#[inline(always)]
pub fn internet(to: &mut IpInfo, packet: &Packet) {
    to.ip_ver = packet.version;
    to.ip_pad = 0;
    to.ip_plength = length(packet);
    if packet.version == 4 {
        to.ip_ttl = read(packet.ip, 8);
        net::set_ipv4(&mut to.ip_saddr, read(packet.ip, 12));
        net::set_ipv4(&mut to.ip_daddr, read(packet.ip, 16));
    } else {
        to.ip_ttl = read(packet.ip, 7);
        kernel::copy(&mut to.ip_saddr, packet.ip, 8);
        kernel::copy(&mut to.ip_daddr, packet.ip, 24);
    }
}

/// The bytes behind the Internet header. The header's own length is 0 in packets beyond 64 KiB (BIG TCP); then the
/// packet's counts.
#[inline(always)]
pub fn length(packet: &Packet) -> u32 {
    let header = (packet.payload - packet.ip) as u32;
    let (stated, behind) = match packet.version {
        4 => (u16::from_be(read(packet.ip, 2)), header),
        _ => (u16::from_be(read(packet.ip, 4)), 0),
    };
    if stated != 0 {
        return u32::from(stated).saturating_sub(behind);
    }
    let before = (packet.ip - read::<u64>(packet.skb, offset!(skb_data))) as u32;
    read::<u32>(packet.skb, offset!(skb_len)).saturating_sub(before + header)
}
