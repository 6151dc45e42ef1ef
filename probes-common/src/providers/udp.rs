//! The udp provider: datagrams on their way to and from the interface.

use crate::probe::{Arg, Support};
use crate::record;
use crate::table::{probes, programs, supports};
use crate::types_net::{CsInfo, IpInfo, PktInfo, UdpInfo, UdpsInfo};

record! {
    /// A UDP datagram, and the socket that sends it or that it is for.
    pub struct Datagram as "udp_datagram" {
        /// The packet.
        0 pkt: PktInfo as "pktinfo_t *";
        /// Whose socket it is.
        4 cs: CsInfo as "csinfo_t *";
        /// The Internet header.
        8 ip: IpInfo as "ipinfo_t *";
        /// The socket.
        12 udps: UdpsInfo as "udpsinfo_t *";
        /// The datagram's header.
        16 udp: UdpInfo as "udpinfo_t *";
    }
}

supports! {
    /// Learns who uses a socket, when a call on it begins: the last process that did owns it.
    LEARN_USE = "udp_learn_use" on "sys_enter";
    /// Learns the port that a socket has got by a call.
    LEARN_PORT = "udp_learn_port" on "sys_exit";
    /// Learns the socket of a datagram that is sent by the call that gives it its port.
    LEARN_SEND = "udp_learn_send" on "net_dev_queue";
}

pub(super) const NEEDS: &[Support] = &[LEARN_USE, LEARN_PORT, LEARN_SEND];

/// The map of the sockets by their ends, in which the tracer puts those that were before it.
pub const DATAGRAMS: &str = "DATAGRAMS";

programs! {
    /// send.
    SEND = "udp_send" on "net_dev_queue": Datagram, NEEDS;
    /// receive.
    RECEIVE = "udp_receive" on "netif_receive_skb": Datagram, NEEDS;
}

const ARGS: &[Arg] = &[
    Arg { ctype: "pktinfo_t *", field: "pkt", doc: "the packet" },
    Arg { ctype: "csinfo_t *", field: "cs", doc: "whose socket it is" },
    Arg { ctype: "ipinfo_t *", field: "ip", doc: "the Internet header" },
    Arg { ctype: "udpsinfo_t *", field: "udps", doc: "the socket" },
    Arg { ctype: "udpinfo_t *", field: "udp", doc: "the datagram's header" },
];

probes! { "udp":
    "send", SEND, ARGS,
        "Fires when a datagram of a socket is handed to a network interface's queue. Of one in fragments, the first.";
    "receive", RECEIVE, ARGS,
        "Fires when a datagram arrives that is for a socket of this machine, before it is processed. A socket is known by the \
         calls that are made on it; the kernel's own are not.";
}
