//! TCP segments in packets: where the headers are, and what stands in them.
//!
//! A header is read where the kernel has it, from the linear part of the packet. IPv6 extension headers, fragments and
//! VLAN tags inside the packet are not followed: such a segment is not seen.

use probes_common::connections::Ends;
use probes_common::types_net::{IpInfo, PktInfo, TcpInfo};

use crate::constants::offset;
use crate::firing::{Wants, bit};
use crate::kernel::{self, read};
use crate::net;

/// Bits of the header's flags.
pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

const IPPROTO_TCP: u8 = 6;
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

/// Where the headers of a segment are.
#[derive(Clone, Copy)]
pub struct Segment {
    /// The `sk_buff`.
    pub skb: u64,
    /// The Internet header.
    pub ip: u64,
    /// The TCP header.
    pub tcp: u64,
    /// Version of the Internet protocol.
    pub version: u8,
    /// Flags of the TCP header.
    pub flags: u8,
}

/// Finds the headers, if the packet is a TCP segment.
#[inline(always)]
pub fn find(skb: u64, way: Way) -> Option<Segment> {
    let protocol = read::<u16>(skb, offset!(skb_protocol));
    if protocol != IPV4 && protocol != IPV6 {
        return None;
    }
    let ip = match way {
        Way::Out => {
            read::<u64>(skb, offset!(skb_head)) + u64::from(read::<u16>(skb, offset!(skb_network_header)))
        }
        // The network header is not set yet; the link's header has been taken off.
        Way::In => read(skb, offset!(skb_data)),
    };
    let (version, next, length) = if protocol == IPV4 {
        let fragment = u16::from_be(read(ip, 6)) & 0x1fff;
        let next = if fragment == 0 { read(ip, 9) } else { 0u8 };
        (4, next, u64::from(read::<u8>(ip, 0) & 15) * 4)
    } else {
        (6, read(ip, 6), u64::from(IPV6_HEADER))
    };
    if next != IPPROTO_TCP {
        return None;
    }
    let tcp = ip + length;
    Some(Segment { skb, ip, tcp, version, flags: read(tcp, 13) })
}

/// The ends, seen from this side: of a packet that comes in, the destination is local.
#[inline(always)]
pub fn ends(segment: &Segment, way: Way, ends: &mut Ends) {
    let device = read::<u64>(segment.skb, offset!(skb_dev));
    ends.netns = net::namespace(read(device, offset!(dev_net)));
    let (source, destination, source_port, destination_port) = match way {
        Way::Out => (&mut ends.local, &mut ends.remote, &mut ends.local_port, &mut ends.remote_port),
        Way::In => (&mut ends.remote, &mut ends.local, &mut ends.remote_port, &mut ends.local_port),
    };
    if segment.version == 4 {
        net::set_ipv4(source, read(segment.ip, 12));
        net::set_ipv4(destination, read(segment.ip, 16));
    } else {
        kernel::copy(source, segment.ip, 8);
        kernel::copy(destination, segment.ip, 24);
    }
    *source_port = u16::from_be(read(segment.tcp, 0));
    *destination_port = u16::from_be(read(segment.tcp, 2));
}

/// Fills in what is wanted of the description of the packet.
#[inline(always)]
pub fn packet(to: &mut PktInfo, wants: Wants, skb: u64) {
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
pub fn internet(to: &mut IpInfo, segment: &Segment) {
    to.ip_ver = segment.version;
    to.ip_pad = 0;
    to.ip_plength = length(segment);
    if segment.version == 4 {
        to.ip_ttl = read(segment.ip, 8);
        net::set_ipv4(&mut to.ip_saddr, read(segment.ip, 12));
        net::set_ipv4(&mut to.ip_daddr, read(segment.ip, 16));
    } else {
        to.ip_ttl = read(segment.ip, 7);
        kernel::copy(&mut to.ip_saddr, segment.ip, 8);
        kernel::copy(&mut to.ip_daddr, segment.ip, 24);
    }
}

/// Fills in the TCP header.
#[inline(always)]
pub fn header(to: &mut TcpInfo, segment: &Segment) {
    let at = segment.tcp;
    to.tcp_sport = u16::from_be(read(at, 0));
    to.tcp_dport = u16::from_be(read(at, 2));
    to.tcp_seq = u32::from_be(read(at, 4));
    to.tcp_ack = u32::from_be(read(at, 8));
    to.tcp_offset = (read::<u8>(at, 12) >> 4) * 4;
    to.tcp_flags = segment.flags;
    to.tcp_window = u16::from_be(read(at, 14));
    to.tcp_checksum = u16::from_be(read(at, 16));
    to.tcp_urgent = u16::from_be(read(at, 18));
    to.tcp_length = length(segment).saturating_sub(to.tcp_offset.into());
    to.tcp_hdr = at;
}

/// The bytes behind the Internet header. The header's own length is 0 in packets beyond 64 KiB (BIG TCP); then the
/// packet's counts.
#[inline(always)]
fn length(segment: &Segment) -> u32 {
    let header = (segment.tcp - segment.ip) as u32;
    let (stated, behind) = match segment.version {
        4 => (u16::from_be(read(segment.ip, 2)), header),
        _ => (u16::from_be(read(segment.ip, 4)), 0),
    };
    if stated != 0 {
        return u32::from(stated).saturating_sub(behind);
    }
    let before = (segment.ip - read::<u64>(segment.skb, offset!(skb_data))) as u32;
    read::<u32>(segment.skb, offset!(skb_len)).saturating_sub(before + header)
}
