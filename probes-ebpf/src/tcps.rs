//! What D sees of a TCP connection: `csinfo_t` and `tcpsinfo_t`, from what is remembered of it and from its `tcp_sock`.

use probes_common::connections::{Connection, Ends};
use probes_common::names::tcp_state;
use probes_common::types_net::{CsInfo, TcpsInfo};

use crate::connections;
use crate::constants::{offset, scope};
use crate::firing::{Wants, bit};
use crate::kernel::read;
use crate::{net, scope};

/// A connection as an event finds it.
pub struct Subject {
    /// Its sock, 0 where there is none.
    pub sk: u64,
    /// What is remembered of it, or of the socket that listens for it.
    pub connection: Option<&'static mut Connection>,
    /// Its state.
    pub state: u32,
}

/// Fills in what is wanted of the connection, if the session is about its owner: says whether it is.
#[inline(always)]
pub fn fill(
    cs: &mut CsInfo,
    cs_wants: Wants,
    tcps: &mut TcpsInfo,
    wants: Wants,
    subject: Subject,
    ends: &Ends,
) -> bool {
    let Subject { sk, connection, state } = subject;
    let id = connection.as_ref().map_or(sk, |connection| if sk == 0 { connection.id } else { sk });
    let cs_wanted = cs_wants.field(bit!(CsInfo, cs_addr));
    let wanted = wants.field(bit!(TcpsInfo, tcps_addr));
    let mut active = 0;
    if cs_wanted || wanted || wants.field(bit!(TcpsInfo, tcps_iss)) || !scope::is_open() {
        let owner = connections::owner(sk, connection);
        if !scope::of(owner.map_or(0, |owner| owner.pid)) {
            return false;
        }
        active = owner.map_or(0, |owner| owner.active);
        if cs_wanted {
            connections::describe(cs, sk, id, ends.netns, owner);
        }
    }
    if wanted {
        let local = net::words(&ends.local) == net::words(&ends.remote)
            || net::is_loopback(&ends.local) && net::is_loopback(&ends.remote);
        tcps.tcps_addr = sk;
        tcps.tcps_local = local.into();
        tcps.tcps_active = active as i32;
        tcps.tcps_lport = ends.local_port;
        tcps.tcps_rport = ends.remote_port;
        tcps.tcps_state = state as i32;
        tcps.tcps_laddr = ends.local;
        tcps.tcps_raddr = ends.remote;
    }
    if wants.field(bit!(TcpsInfo, tcps_iss)) {
        sequence(tcps, sk, active, state);
    }
    if wants.field(bit!(TcpsInfo, tcps_sack_fack)) {
        selective(tcps, sk);
    }
    windows(tcps, wants, sk);
    true
}

/// Sequence numbers. Linux does not keep the initial ones; it counts the bytes since: all that were acknowledged, the SYN
/// of an active open included, and all that were received, without the SYN (tcp_snd_una_update, tcp_rcv_nxt_update and
/// tcp_create_openreq_child in net/ipv4).
#[inline(always)]
fn sequence(tcps: &mut TcpsInfo, sk: u64, active: u32, state: u32) {
    tcps.tcps_suna = read(sk, offset!(tcp_snd_una));
    tcps.tcps_snxt = read(sk, offset!(tcp_snd_nxt));
    tcps.tcps_smax = tcps.tcps_snxt;
    tcps.tcps_rnxt = read(sk, offset!(tcp_rcv_nxt));
    tcps.tcps_rack = read(sk, offset!(tcp_rcv_wup));
    tcps.tcps_iss = 0;
    tcps.tcps_irs = 0;
    if sk == 0 || state == tcp_state::LISTEN {
        return;
    }
    let acknowledged = read::<u64>(sk, offset!(tcp_bytes_acked)) as u32;
    if acknowledged == 0 && tcps.tcps_suna == 0 {
        return;
    }
    let syn = if active == 0 { 1 } else { 0 };
    tcps.tcps_iss = tcps.tcps_suna.wrapping_sub(acknowledged).wrapping_sub(syn);
    if tcps.tcps_rnxt != 0 {
        let received = read::<u64>(sk, offset!(tcp_bytes_received)) as u32;
        tcps.tcps_irs = tcps.tcps_rnxt.wrapping_sub(received).wrapping_sub(1);
    }
}

/// The scoreboard of selective acknowledgements: `highest_sack` is the segment behind the highest one acknowledged, null
/// behind the last (tcp_highest_sack_seq, include/net/tcp.h). A segment's sequence number begins its `cb`.
#[inline(always)]
fn selective(tcps: &mut TcpsInfo, sk: u64) {
    let highest = read::<u64>(sk, offset!(tcp_highest_sack));
    tcps.tcps_sack_fack = if read::<u32>(sk, offset!(tcp_sacked_out)) == 0 {
        read(sk, offset!(tcp_snd_una))
    } else if highest == 0 {
        read(sk, offset!(tcp_snd_nxt))
    } else {
        read(highest, offset!(skb_cb))
    };
    let hint = read::<u64>(sk, offset!(tcp_retransmit_hint));
    tcps.tcps_sack_snxt = if hint == 0 { 0 } else { read(hint, offset!(skb_cb)) };
}

#[inline(always)]
fn windows(tcps: &mut TcpsInfo, wants: Wants, sk: u64) {
    if wants.field(bit!(TcpsInfo, tcps_swnd)) {
        tcps.tcps_swnd = read(sk, offset!(tcp_snd_wnd));
        tcps.tcps_rwnd = read(sk, offset!(tcp_rcv_wnd));
        // Two bit fields of four bits, in one byte (struct tcp_options_received, include/linux/tcp.h).
        let scales = read::<u8>(sk, offset!(tcp_scales));
        tcps.tcps_snd_ws = (scales & 15).into();
        tcps.tcps_rcv_ws = (scales >> 4).into();
    }
    if wants.field(bit!(TcpsInfo, tcps_cwnd)) {
        tcps.tcps_mss = read(sk, offset!(tcp_mss_cache));
        tcps.tcps_cwnd_segs = read(sk, offset!(tcp_snd_cwnd));
        tcps.tcps_ssthresh_segs = read(sk, offset!(tcp_snd_ssthresh));
        tcps.tcps_packets_out = read(sk, offset!(tcp_packets_out));
        tcps.tcps_cwnd = bytes(tcps.tcps_cwnd_segs, tcps.tcps_mss);
        tcps.tcps_cwnd_ssthresh = bytes(tcps.tcps_ssthresh_segs, tcps.tcps_mss);
    }
    if wants.field(bit!(TcpsInfo, tcps_rto)) {
        tcps.tcps_rto = milliseconds(read(sk, offset!(icsk_rto)));
        tcps.tcps_rtt = read::<u32>(sk, offset!(tcp_srtt_us)) >> 3;
        tcps.tcps_srtt = tcps.tcps_rtt;
        tcps.tcps_rtt_sd = read::<u32>(sk, offset!(tcp_mdev_us)) >> 2;
    }
    if wants.field(bit!(TcpsInfo, tcps_retransmit)) {
        tcps.tcps_retransmit = read::<u8>(sk, offset!(icsk_retransmits)).into();
        tcps.tcps_dupacks = read::<u32>(sk, offset!(tcp_sacked_out)) as i32;
    }
}

/// Segments in bytes, at most what 32 bits hold: TCP_INFINITE_SSTHRESH, 0x7fffffff segments, is more.
#[inline(always)]
fn bytes(segments: u32, size: u32) -> u32 {
    let bytes = u64::from(segments) * u64::from(size);
    if bytes > u64::from(u32::MAX) || segments == 0x7fff_ffff { u32::MAX } else { bytes as u32 }
}

#[inline(always)]
fn milliseconds(jiffies: u32) -> u32 {
    (u64::from(jiffies) * scope!(tick) / 1_000_000) as u32
}
