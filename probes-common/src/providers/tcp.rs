//! The tcp provider: segments, connections and their states, with DTrace's arguments in DTrace's places.

use crate::probe::{Arg, Support};
use crate::record;
use crate::table::{probes, programs, supports};
use crate::types_net::{CsInfo, IpInfo, PktInfo, TcpInfo, TcplsInfo, TcpsInfo};

record! {
    /// A TCP segment, and the connection that it belongs to.
    pub struct TcpSegment as "tcp_segment" {
        /// The packet.
        0 pkt: PktInfo as "pktinfo_t *";
        /// Whose connection it is.
        4 cs: CsInfo as "csinfo_t *";
        /// The Internet header.
        8 ip: IpInfo as "ipinfo_t *";
        /// The connection.
        16 tcps: TcpsInfo as "tcpsinfo_t *";
        /// The segment's header.
        28 tcp: TcpInfo as "tcpinfo_t *";
    }

    /// A TCP connection's end changes its state.
    pub struct TcpStateChange as "tcp_state_change" {
        /// Whose connection it is.
        4 cs: CsInfo as "csinfo_t *";
        /// The connection, in its new state.
        16 tcps: TcpsInfo as "tcpsinfo_t *";
        /// The state before.
        32 ls: TcplsInfo as "tcplsinfo_t *";
    }
}

supports! {
    /// Learns which process owns which socket and which connection has which addresses, from changes of state.
    LEARN_STATE = "tcp_learn_state" on "inet_sock_set_state";
    /// Learns who uses a connection: the last process that did owns it.
    LEARN_USE = "tcp_learn_use" on "sys_enter";
    /// Learns the owner of an accepted connection.
    LEARN_ACCEPT = "tcp_learn_accept" on "sys_exit";
    /// Learns the connection of the segments that go out, and remembers the headers of a handshake.
    LEARN_SEND = "tcp_learn_send" on "net_dev_queue";
    /// Remembers the headers of a handshake's segments that come in.
    LEARN_RECEIVE = "tcp_learn_receive" on "netif_receive_skb";
    /// Forgets a socket that is gone.
    FORGET = "tcp_forget" on "tcp_destroy_sock";
}

// Support programs that have to see an event before the clauses do come first.
pub(super) const NEEDS: &[Support] =
    &[LEARN_STATE, LEARN_USE, LEARN_ACCEPT, LEARN_SEND, LEARN_RECEIVE, FORGET];

programs! {
    /// state-change.
    STATE_CHANGE = "tcp_state_change" on "inet_sock_set_state": TcpStateChange, NEEDS;
    /// state-change of a TIME_WAIT socket, which has no `tcp_sock` any more.
    TIME_WAIT = "tcp_time_wait" on "netif_receive_skb": TcpStateChange, NEEDS;
    /// send.
    SEND = "tcp_send" on "net_dev_queue": TcpSegment, NEEDS;
    /// receive.
    RECEIVE = "tcp_receive" on "netif_receive_skb": TcpSegment, NEEDS;
    /// connect-request.
    CONNECT_REQUEST = "tcp_connect_request" on "net_dev_queue": TcpSegment, NEEDS;
    /// connect-established.
    CONNECT_ESTABLISHED = "tcp_connect_established" on "inet_sock_set_state": TcpSegment, NEEDS;
    /// connect-refused.
    CONNECT_REFUSED = "tcp_connect_refused" on "inet_sock_set_state": TcpSegment, NEEDS;
    /// accept-established.
    ACCEPT_ESTABLISHED = "tcp_accept_established" on "inet_sock_set_state": TcpSegment, NEEDS;
    /// accept-refused.
    ACCEPT_REFUSED = "tcp_accept_refused" on "net_dev_queue": TcpSegment, NEEDS;
}

const SEGMENT_ARGS: &[Arg] = &[
    Arg { ctype: "pktinfo_t *", field: "pkt", doc: "the packet" },
    Arg { ctype: "csinfo_t *", field: "cs", doc: "whose connection it is" },
    Arg { ctype: "ipinfo_t *", field: "ip", doc: "the Internet header" },
    Arg { ctype: "tcpsinfo_t *", field: "tcps", doc: "the connection" },
    Arg { ctype: "tcpinfo_t *", field: "tcp", doc: "the segment's header" },
];

const STATE_ARGS: &[Arg] = &[
    Arg { ctype: "void", field: "", doc: "nothing" },
    Arg { ctype: "csinfo_t *", field: "cs", doc: "whose connection it is" },
    Arg { ctype: "void", field: "", doc: "nothing" },
    Arg { ctype: "tcpsinfo_t *", field: "tcps", doc: "the connection, in its new state" },
    Arg { ctype: "void", field: "", doc: "nothing" },
    Arg { ctype: "tcplsinfo_t *", field: "ls", doc: "the state before" },
];

probes! { "tcp":
    "state-change", STATE_CHANGE, STATE_ARGS,
        "Fires when a connection's end, or a listening socket, changes its state, TIME_WAIT included. Mostly in softirq: \
         args[1]->cs_pid is the owner, pid a stranger. At SYN_SENT the local port is not chosen yet; at SYN_RECEIVED \
         older kernels do not say the remote end. The end of TIME_WAIT is a timer that the kernel does not show.";
    "state-change" in "time-wait", TIME_WAIT, STATE_ARGS,
        "Fires when the peer's FIN arrives for an end that was closed and that the kernel keeps in FIN_WAIT2 without a \
         socket of its own: FIN_WAIT2 becomes TIME_WAIT.";
    "send", SEND, SEGMENT_ARGS,
        "Fires when a segment is handed to the network interface's queue. What the interface cuts into several (TSO) is \
         one: args[0]->pkt_segs says how many.";
    "receive", RECEIVE, SEGMENT_ARGS,
        "Fires when a segment arrives for a connection or a listening port of this machine, before it is processed; the \
         state is that before. What the interface joined (GRO) is one: args[0]->pkt_segs says how many.";
    "connect-request", CONNECT_REQUEST, SEGMENT_ARGS,
        "Fires when a SYN is sent: once, and again when it is repeated.";
    "connect-established", CONNECT_ESTABLISHED, SEGMENT_ARGS,
        "Fires when a connection that this end opened is established, with the peer's SYN and ACK.";
    "connect-refused", CONNECT_REFUSED, SEGMENT_ARGS,
        "Fires when an attempt to connect is refused, with the peer's RST; without a segment when an ICMP message \
         refused it.";
    "accept-established", ACCEPT_ESTABLISHED, SEGMENT_ARGS,
        "Fires when a connection to a listening socket is established, with the ACK that ended the handshake. It belongs \
         to the owner of the listening socket until it is accepted.";
    "accept-refused", ACCEPT_REFUSED, SEGMENT_ARGS,
        "Fires when a SYN for a port on which nobody listens is answered, with the RST that is sent. There is no socket \
         and no owner.";
}
