//! TCP segments in packets: what stands in their headers.

use core::ops::Deref;

use probes_common::types_net::TcpInfo;

use crate::kernel::read;
use crate::packet::{self, Packet, Way};

/// Bits of the header's flags.
pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;

const IPPROTO_TCP: u8 = 6;

/// A TCP segment: the packet that it is in, and more.
#[derive(Clone, Copy)]
pub struct Segment {
    packet: Packet,
    /// Flags of the TCP header.
    pub flags: u8,
}

impl Deref for Segment {
    type Target = Packet;

    #[inline(always)]
    fn deref(&self) -> &Packet {
        &self.packet
    }
}

/// Finds the headers, if the packet is a TCP segment.
#[inline(always)]
pub fn find(skb: u64, way: Way) -> Option<Segment> {
    let packet = packet::find(skb, way).filter(|packet| packet.protocol == IPPROTO_TCP)?;
    Some(Segment { packet, flags: read(packet.payload, 13) })
}

/// Fills in the TCP header.
#[inline(always)]
pub fn header(to: &mut TcpInfo, segment: &Segment) {
    let at = segment.payload;
    to.tcp_sport = u16::from_be(read(at, 0));
    to.tcp_dport = u16::from_be(read(at, 2));
    to.tcp_seq = u32::from_be(read(at, 4));
    to.tcp_ack = u32::from_be(read(at, 8));
    to.tcp_offset = (read::<u8>(at, 12) >> 4) * 4;
    to.tcp_flags = segment.flags;
    to.tcp_window = u16::from_be(read(at, 14));
    to.tcp_checksum = u16::from_be(read(at, 16));
    to.tcp_urgent = u16::from_be(read(at, 18));
    to.tcp_length = packet::length(segment).saturating_sub(to.tcp_offset.into());
    to.tcp_hdr = at;
}
