//! The ip provider: Internet packets on their way to and from the interfaces.

use super::{tcp, udp};
use crate::probe::{Arg, Support};
use crate::record;
use crate::table::{probes, programs};
use crate::types_net::{CsInfo, IfInfo, IpInfo, Ipv4Info, Ipv6Info, PktInfo};

record! {
    /// An Internet packet.
    pub struct Packet as "ip_packet" {
        /// The packet.
        0 pkt: PktInfo as "pktinfo_t *";
        /// Whose socket it is of.
        4 cs: CsInfo as "csinfo_t *";
        /// What the headers of both versions say.
        8 ip: IpInfo as "ipinfo_t *";
        /// The interface.
        12 iface: IfInfo as "ifinfo_t *";
        /// The header of IPv4.
        16 v4: Ipv4Info as "ipv4info_t *";
        /// The header of IPv6.
        20 v6: Ipv6Info as "ipv6info_t *";
    }
}

const COUNT: usize = tcp::NEEDS.len() + udp::NEEDS.len();

/// What knows the owners of the sockets of TCP and of UDP.
const NEEDS: &[Support] = &{
    let mut needs = [tcp::LEARN_USE; COUNT];
    let mut index = 0;
    while index < COUNT {
        let first = tcp::NEEDS.len();
        needs[index] = if index < first { tcp::NEEDS[index] } else { udp::NEEDS[index - first] };
        index += 1;
    }
    needs
};

programs! {
    /// send.
    SEND = "ip_send" on "net_dev_queue": Packet, NEEDS;
    /// receive.
    RECEIVE = "ip_receive" on "netif_receive_skb": Packet, NEEDS;
}

const ARGS: &[Arg] = &[
    Arg { ctype: "pktinfo_t *", field: "pkt", doc: "the packet" },
    Arg {
        ctype: "csinfo_t *",
        field: "cs",
        doc: "whose socket it is of, where it is one of TCP or UDP that is known",
    },
    Arg { ctype: "ipinfo_t *", field: "ip", doc: "what the headers of both versions say" },
    Arg { ctype: "ifinfo_t *", field: "iface", doc: "the network interface" },
    Arg { ctype: "ipv4info_t *", field: "v4", doc: "the header of IPv4, zero for others" },
    Arg { ctype: "ipv6info_t *", field: "v6", doc: "the header of IPv6, zero for others" },
];

probes! { "ip":
    "send", SEND, ARGS,
        "Fires when an Internet packet is handed to a network interface's queue; one that goes through devices on top of others \
         (VLAN, bond, bridge), at each. What the interface cuts into several (TSO) is one: args[0]->pkt_segs says how many.";
    "receive", RECEIVE, ARGS,
        "Fires when an Internet packet arrives, before it is processed, also one that is to be forwarded. What the interface \
         joined (GRO) is one: args[0]->pkt_segs says how many.";
}
