//! The D types of the network providers.
use crate::record;
use crate::schema::Ip;

record! {
    /// A packet.
    pub struct PktInfo as "pktinfo_t" {
        /// Address of its `sk_buff`, 0 where there is no packet.
        0 pkt_addr: u64 as "uintptr_t";
        /// Index of the network interface.
        1 pkt_ifindex: u32 as "uint32_t";
        /// Segments on the wire: more than 1 when the interface cuts or joins them (TSO, GRO).
        2 pkt_segs: u32 as "uint32_t";
    }

    /// Whose connection it is.
    pub struct CsInfo as "csinfo_t" {
        /// Address of the kernel's `sock`, 0 where there is none.
        0 cs_addr: u64 as "uintptr_t";
        /// Connection id: the same number for all events of a connection's end, once it has a socket; before, that of
        /// the listening socket.
        0 cs_cid: u64 as "uint64_t";
        /// The process that owns the socket, 0 where it is not known.
        0 cs_pid: i32 as "pid_t";
        /// The user who owns it.
        0 cs_uid: u32 as "uid_t";
        /// The owner's name, as the kernel keeps it.
        0 cs_comm: [u8; 16] as "char[16]";
        /// Network namespace, the number that /proc/PID/ns/net shows.
        0 cs_netns: u32 as "uint32_t";
        /// Unused, zero.
        0 cs_pad: u32 as "uint32_t";
    }

    /// The Internet header.
    pub struct IpInfo as "ipinfo_t" {
        /// Version, 4 or 6.
        0 ip_ver: u8 as "uint8_t";
        /// Hops it may still make (TTL, hop limit).
        0 ip_ttl: u8 as "uint8_t";
        /// Unused, zero.
        0 ip_pad: u16 as "uint16_t";
        /// Bytes behind the Internet header.
        0 ip_plength: u32 as "uint32_t";
        /// Source address.
        0 ip_saddr: Ip as "string";
        /// Destination address.
        0 ip_daddr: Ip as "string";
    }

    /// The state of a TCP connection's end.
    pub struct TcpsInfo as "tcpsinfo_t" {
        /// Address of the kernel's `tcp_sock`, 0 where there is none (a TIME_WAIT socket, a port without a listener).
        0 tcps_addr: u64 as "uintptr_t";
        /// 1 when both ends are on this machine.
        0 tcps_local: i32 as "int";
        /// 1 when this end opened the connection.
        0 tcps_active: i32 as "int";
        /// Local port.
        0 tcps_lport: u16 as "uint16_t";
        /// Remote port.
        0 tcps_rport: u16 as "uint16_t";
        /// State, TCP_STATE_*: at state-change the new one.
        0 tcps_state: i32 as "int";
        /// Local address.
        0 tcps_laddr: Ip as "string";
        /// Remote address.
        0 tcps_raddr: Ip as "string";
        /// Initial send sequence number.
        1 tcps_iss: u32 as "uint32_t";
        /// Initial receive sequence number, 0 before the peer's SYN.
        1 tcps_irs: u32 as "uint32_t";
        /// First sequence number sent and not acknowledged.
        1 tcps_suna: u32 as "uint32_t";
        /// Next sequence number to send.
        1 tcps_snxt: u32 as "uint32_t";
        /// Highest sequence number sent, plus one: on Linux the same as tcps_snxt.
        1 tcps_smax: u32 as "uint32_t";
        /// Next sequence number expected.
        1 tcps_rnxt: u32 as "uint32_t";
        /// Highest sequence number acknowledged to the peer.
        1 tcps_rack: u32 as "uint32_t";
        /// Highest sequence number that the peer acknowledged selectively.
        2 tcps_sack_fack: u32 as "uint32_t";
        /// Next sequence number to retransmit in a selective recovery, 0 outside.
        2 tcps_sack_snxt: u32 as "uint32_t";
        /// Send window in bytes: what the peer will take.
        3 tcps_swnd: u32 as "uint32_t";
        /// Receive window in bytes: what the peer was last told.
        3 tcps_rwnd: u32 as "uint32_t";
        /// Scale of the send window, a power of two.
        3 tcps_snd_ws: i32 as "int32_t";
        /// Scale of the receive window, a power of two.
        3 tcps_rcv_ws: i32 as "int32_t";
        /// Congestion window in bytes: tcps_cwnd_segs times tcps_mss.
        4 tcps_cwnd: u32 as "uint32_t";
        /// Slow start threshold in bytes, 0xffffffff while there is none.
        4 tcps_cwnd_ssthresh: u32 as "uint32_t";
        /// Largest segment in bytes.
        4 tcps_mss: u32 as "uint32_t";
        /// Congestion window in segments, as Linux counts it.
        4 tcps_cwnd_segs: u32 as "uint32_t";
        /// Slow start threshold in segments.
        4 tcps_ssthresh_segs: u32 as "uint32_t";
        /// Segments sent and neither acknowledged nor retired.
        4 tcps_packets_out: u32 as "uint32_t";
        /// Retransmission time-out in milliseconds.
        5 tcps_rto: u32 as "uint32_t";
        /// Smoothed round trip time in microseconds.
        5 tcps_rtt: u32 as "uint32_t";
        /// The same, by FreeBSD's name.
        5 tcps_srtt: u32 as "uint32_t";
        /// Mean deviation of the round trip time in microseconds.
        5 tcps_rtt_sd: u32 as "uint32_t";
        /// How often the oldest segment was retransmitted after a time-out.
        6 tcps_retransmit: i32 as "int";
        /// Duplicate acknowledgements, or with SACK the segments acknowledged selectively.
        6 tcps_dupacks: i32 as "int";
    }

    /// The state that a TCP connection's end had before.
    pub struct TcplsInfo as "tcplsinfo_t" {
        /// State, TCP_STATE_*.
        0 tcps_state: i32 as "int";
        /// Unused, zero.
        0 tcps_pad: i32 as "int";
    }

    /// The header of a TCP segment.
    pub struct TcpInfo as "tcpinfo_t" {
        /// Source port.
        0 tcp_sport: u16 as "uint16_t";
        /// Destination port.
        0 tcp_dport: u16 as "uint16_t";
        /// Sequence number.
        0 tcp_seq: u32 as "uint32_t";
        /// Acknowledgement number.
        0 tcp_ack: u32 as "uint32_t";
        /// Length of the header in bytes.
        0 tcp_offset: u8 as "uint8_t";
        /// Flags, TH_*.
        0 tcp_flags: u8 as "uint8_t";
        /// Window as it stands in the header, not scaled.
        0 tcp_window: u16 as "uint16_t";
        /// Checksum; of a segment sent, often only begun: the interface completes it.
        0 tcp_checksum: u16 as "uint16_t";
        /// Urgent pointer.
        0 tcp_urgent: u16 as "uint16_t";
        /// Bytes of payload.
        0 tcp_length: u32 as "uint32_t";
        /// Address of the header in the kernel.
        0 tcp_hdr: u64 as "uintptr_t";
    }

    /// A UDP socket.
    pub struct UdpsInfo as "udpsinfo_t" {
        /// Address of the kernel's `udp_sock`.
        0 udps_addr: u64 as "uintptr_t";
        /// Local address, zero where it takes any.
        0 udps_laddr: Ip as "string";
        /// Remote address, zero where it is not connected.
        0 udps_raddr: Ip as "string";
        /// Local port.
        0 udps_lport: u16 as "uint16_t";
        /// Remote port, zero where it is not connected.
        0 udps_rport: u16 as "uint16_t";
        /// Unused, zero.
        0 udps_pad: u32 as "uint32_t";
    }

    /// The header of a UDP datagram.
    pub struct UdpInfo as "udpinfo_t" {
        /// Source port.
        0 udp_sport: u16 as "uint16_t";
        /// Destination port.
        0 udp_dport: u16 as "uint16_t";
        /// Bytes of header and payload.
        0 udp_length: u16 as "uint16_t";
        /// Checksum; of a datagram sent, often only begun: the interface completes it.
        0 udp_checksum: u16 as "uint16_t";
        /// Address of the header in the kernel.
        0 udp_hdr: u64 as "struct udphdr *";
    }

    /// A network interface.
    pub struct IfInfo as "ifinfo_t" {
        /// Its name.
        0 if_name: [u8; 16] as "string";
        /// 1 for the one that leads back to this machine.
        0 if_local: i8 as "int8_t";
        /// Unused, zero.
        0 if_pad: [u8; 7] as "char[7]";
        /// Address of its `net_device`.
        0 if_addr: u64 as "uintptr_t";
        /// Address of its network namespace's `net`.
        0 if_ipstack: u64 as "netstackid_t";
    }

    /// The header of an IPv4 packet; zero for others.
    pub struct Ipv4Info as "ipv4info_t" {
        /// Version: 4.
        0 ipv4_ver: u8 as "uint8_t";
        /// Bytes of the header.
        0 ipv4_ihl: u8 as "uint8_t";
        /// Type of service.
        0 ipv4_tos: u8 as "uint8_t";
        /// Flags: 4 for not to be fragmented, 2 for more fragments to come.
        0 ipv4_flags: u8 as "uint8_t";
        /// Bytes of the packet, header included.
        0 ipv4_length: u16 as "uint16_t";
        /// Identification: the same for all fragments of a packet.
        0 ipv4_ident: u16 as "uint16_t";
        /// Where the fragment begins, in units of 8 bytes.
        0 ipv4_offset: u16 as "uint16_t";
        /// Hops it may still make.
        0 ipv4_ttl: u8 as "uint8_t";
        /// The protocol of what it carries, IPPROTO_*.
        0 ipv4_protocol: u8 as "uint8_t";
        /// Checksum of the header.
        0 ipv4_checksum: u16 as "uint16_t";
        /// Unused, zero.
        0 ipv4_pad: u16 as "uint16_t";
        /// The protocol's name, `<unknown>` for a rare one.
        0 ipv4_protostr: [u8; 16] as "string";
        /// Source address, in the order of the network.
        0 ipv4_src: u32 as "ipaddr_t";
        /// Destination address, in the order of the network.
        0 ipv4_dst: u32 as "ipaddr_t";
        /// Source address.
        0 ipv4_saddr: Ip as "string";
        /// Destination address.
        0 ipv4_daddr: Ip as "string";
        /// Address of the header in the kernel.
        0 ipv4_hdr: u64 as "struct iphdr *";
    }

    /// The header of an IPv6 packet; zero for others.
    pub struct Ipv6Info as "ipv6info_t" {
        /// Version: 6.
        0 ipv6_ver: u8 as "uint8_t";
        /// Traffic class.
        0 ipv6_tclass: u8 as "uint8_t";
        /// Bytes behind the header.
        0 ipv6_plen: u16 as "uint16_t";
        /// Flow label.
        0 ipv6_flow: u32 as "uint32_t";
        /// The protocol of what follows the header, IPPROTO_*.
        0 ipv6_nexthdr: u8 as "uint8_t";
        /// Hops it may still make.
        0 ipv6_hlim: u8 as "uint8_t";
        /// Unused, zero.
        0 ipv6_pad: u16 as "uint16_t";
        /// Unused, zero.
        0 ipv6_pad2: u32 as "uint32_t";
        /// The protocol's name, `<unknown>` for a rare one.
        0 ipv6_nextstr: [u8; 16] as "string";
        /// Address of the source address in the kernel.
        0 ipv6_src: u64 as "in6_addr_t *";
        /// Address of the destination address in the kernel.
        0 ipv6_dst: u64 as "in6_addr_t *";
        /// Source address.
        0 ipv6_saddr: Ip as "string";
        /// Destination address.
        0 ipv6_daddr: Ip as "string";
        /// Address of the header in the kernel.
        0 ipv6_hdr: u64 as "struct ipv6hdr *";
    }

    /// A socket. At the return of close only its descriptor, family, type and protocol are left.
    pub struct SockInfo as "sockinfo_t" {
        /// Its descriptor; of accept's return and of socket's, the new one; -1 where there is none yet.
        0 so_fd: i32 as "int";
        /// Address family, AF_*.
        0 so_family: i32 as "int";
        /// Type, SOCK_*.
        0 so_type: i32 as "int";
        /// Protocol, IPPROTO_*.
        0 so_protocol: i32 as "int";
        /// Its inode, as /proc/PID/fd shows it; 0 where there is none yet.
        1 so_ino: u64 as "uint64_t";
        /// Address of the kernel's `sock`: the csinfo_t's cs_addr.
        0 so_addr: u64 as "uintptr_t";
        /// Local address; zero for a Unix socket.
        2 so_laddr: Ip as "string";
        /// Remote address; zero where it is not connected, and for a Unix socket.
        2 so_raddr: Ip as "string";
        /// Local port.
        2 so_lport: u16 as "uint16_t";
        /// Remote port.
        2 so_rport: u16 as "uint16_t";
        /// Unused, zero.
        2 so_pad: u32 as "uint32_t";
        /// Path that a Unix socket is bound to, `@` first for an abstract one.
        3 so_path: [u8; 112] as "char[112]";
        /// Path that the peer of a connected Unix socket is bound to.
        4 so_rpath: [u8; 112] as "char[112]";
    }

    /// What a call on a socket was given.
    pub struct SockCall as "sockcall_t" {
        /// The descriptor that it was given; for socketpair the first of the new ones, at its return.
        0 sc_fd: i32 as "int";
        /// The second new descriptor, at socketpair's return; else -1.
        1 sc_fd2: i32 as "int";
        /// Bytes asked for or offered; of an iovec, its sum over the first 64 parts.
        2 sc_bytes: u64 as "uint64_t";
        /// Flags: MSG_* of send and receive, SOCK_NONBLOCK and SOCK_CLOEXEC of accept4, SHUT_* of shutdown.
        0 sc_flags: i32 as "int";
        /// Queue length that listen asked for.
        0 sc_backlog: i32 as "int";
        /// Level of getsockopt and setsockopt, SOL_*, IPPROTO_*.
        0 sc_level: i32 as "int";
        /// Option of getsockopt and setsockopt, SO_*, TCP_* and so on.
        0 sc_option: i32 as "int";
        /// Value of that option where it is an int; of getsockopt at its return.
        3 sc_value: i32 as "int";
        /// Family of the address given to or filled in by the call, AF_UNSPEC where there is none.
        4 sc_family: u16 as "uint16_t";
        /// Port in that address.
        4 sc_port: u16 as "uint16_t";
        /// The Internet address.
        4 sc_addr: Ip as "string";
        /// The path, of a Unix address, `@` first for an abstract one.
        5 sc_path: [u8; 112] as "char[112]";
    }
}
