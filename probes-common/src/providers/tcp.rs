//! The tcp provider: segments, connections and their states, with DTrace's arguments in DTrace's places.
use crate::probe::{Arg, Attach, Probe, Program, Support};
use crate::record;
use crate::schema::Described;
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

/// Learns which process owns which socket and which connection has which addresses, from changes of state.
pub const LEARN_STATE: Support =
    Support { name: "tcp_learn_state", attach: Attach::RawTracepoint("inet_sock_set_state") };
/// Learns who uses a connection: the last process that did owns it.
pub const LEARN_USE: Support = Support { name: "tcp_learn_use", attach: Attach::RawTracepoint("sys_enter") };
/// Learns the owner of an accepted connection.
pub const LEARN_ACCEPT: Support =
    Support { name: "tcp_learn_accept", attach: Attach::RawTracepoint("sys_exit") };
/// Learns the connection of the segments that go out, and remembers the headers of a handshake.
pub const LEARN_SEND: Support =
    Support { name: "tcp_learn_send", attach: Attach::RawTracepoint("net_dev_queue") };
/// Remembers the headers of a handshake's segments that come in.
pub const LEARN_RECEIVE: Support =
    Support { name: "tcp_learn_receive", attach: Attach::RawTracepoint("netif_receive_skb") };
/// Forgets a socket that is gone.
pub const FORGET: Support = Support { name: "tcp_forget", attach: Attach::RawTracepoint("tcp_destroy_sock") };

// Support programs that have to see an event before the clauses do come first.
pub(super) const NEEDS: &[Support] =
    &[LEARN_STATE, LEARN_USE, LEARN_ACCEPT, LEARN_SEND, LEARN_RECEIVE, FORGET];

macro_rules! programs {
    ($($(#[doc = $doc:literal])* $name:ident = $symbol:literal, $tracepoint:literal, $record:ty;)*) => { $(
        $(#[doc = $doc])*
        pub const $name: Program = Program {
            name: $symbol,
            attach: Attach::RawTracepoint($tracepoint),
            family: false,
            record: &<$record>::DEF,
            needs: NEEDS,
        };
    )* };
}

programs! {
    /// state-change.
    STATE_CHANGE = "tcp_state_change", "inet_sock_set_state", TcpStateChange;
    /// state-change of a TIME_WAIT socket, which has no `tcp_sock` any more.
    TIME_WAIT = "tcp_time_wait", "netif_receive_skb", TcpStateChange;
    /// send.
    SEND = "tcp_send", "net_dev_queue", TcpSegment;
    /// receive.
    RECEIVE = "tcp_receive", "netif_receive_skb", TcpSegment;
    /// connect-request.
    CONNECT_REQUEST = "tcp_connect_request", "net_dev_queue", TcpSegment;
    /// connect-established.
    CONNECT_ESTABLISHED = "tcp_connect_established", "inet_sock_set_state", TcpSegment;
    /// connect-refused.
    CONNECT_REFUSED = "tcp_connect_refused", "inet_sock_set_state", TcpSegment;
    /// accept-established.
    ACCEPT_ESTABLISHED = "tcp_accept_established", "inet_sock_set_state", TcpSegment;
    /// accept-refused.
    ACCEPT_REFUSED = "tcp_accept_refused", "net_dev_queue", TcpSegment;
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

macro_rules! probe {
    ($function:literal, $name:literal, $program:ident, $args:ident, $doc:literal) => {
        Probe {
            provider: "tcp",
            function: $function,
            name: $name,
            program: &$program,
            discriminator: 0,
            args: $args,
            doc: $doc,
        }
    };
}

/// The probes, in the order of their ids.
pub const PROBES: &[Probe] = &[
    probe!(
        "",
        "state-change",
        STATE_CHANGE,
        STATE_ARGS,
        "Fires when a connection's end, or a listening socket, changes its state, TIME_WAIT included. Mostly in softirq: \
         args[1]->cs_pid is the owner, pid a stranger. At SYN_SENT the local port is not chosen yet; at SYN_RECEIVED \
         older kernels do not say the remote end. The end of TIME_WAIT is a timer that the kernel does not show."
    ),
    probe!(
        "time-wait",
        "state-change",
        TIME_WAIT,
        STATE_ARGS,
        "Fires when the peer's FIN arrives for an end that was closed and that the kernel keeps in FIN_WAIT2 without a \
         socket of its own: FIN_WAIT2 becomes TIME_WAIT."
    ),
    probe!(
        "",
        "send",
        SEND,
        SEGMENT_ARGS,
        "Fires when a segment is handed to the network interface's queue. What the interface cuts into several (TSO) is \
         one: args[0]->pkt_segs says how many."
    ),
    probe!(
        "",
        "receive",
        RECEIVE,
        SEGMENT_ARGS,
        "Fires when a segment arrives for a connection or a listening port of this machine, before it is processed; the \
         state is that before. What the interface joined (GRO) is one: args[0]->pkt_segs says how many."
    ),
    probe!(
        "",
        "connect-request",
        CONNECT_REQUEST,
        SEGMENT_ARGS,
        "Fires when a SYN is sent: once, and again when it is repeated."
    ),
    probe!(
        "",
        "connect-established",
        CONNECT_ESTABLISHED,
        SEGMENT_ARGS,
        "Fires when a connection that this end opened is established, with the peer's SYN and ACK."
    ),
    probe!(
        "",
        "connect-refused",
        CONNECT_REFUSED,
        SEGMENT_ARGS,
        "Fires when an attempt to connect is refused, with the peer's RST; without a segment when an ICMP message \
         refused it."
    ),
    probe!(
        "",
        "accept-established",
        ACCEPT_ESTABLISHED,
        SEGMENT_ARGS,
        "Fires when a connection to a listening socket is established, with the ACK that ended the handshake. It belongs \
         to the owner of the listening socket until it is accepted."
    ),
    probe!(
        "",
        "accept-refused",
        ACCEPT_REFUSED,
        SEGMENT_ARGS,
        "Fires when a SYN for a port on which nobody listens is answered, with the RST that is sent. There is no socket \
         and no owner."
    ),
];
