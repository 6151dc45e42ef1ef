#!/usr/bin/env -S tracer -s
/*
 * TCP connections from the handshake to TIME_WAIT: each segment as its sender and its receiver see it, each change of state,
 * and the process that it belongs to, although most of this happens where that process does not run.
 *
 *     sudo tracer -s scripts/tcp.d -c scripts/tcp.sh
 */

#pragma D option quiet

dtrace:::BEGIN
{
	start = timestamp;
	mine[$target] = 1;
	printf("%10s %7s %-16s %5s %5s\n", "MICROS", "PID", "", "HERE", "THERE");
}

proc:::create
/progenyof($target)/
{
	mine[args[0]->pr_pid] = 1;
}

tcp:::state-change
/mine[args[1]->cs_pid]/
{
	printf("%10d %7d %-16s %5d %5d  %s -> %s\n", (timestamp - start) / 1000, args[1]->cs_pid, args[1]->cs_comm,
	    args[3]->tcps_lport, args[3]->tcps_rport, tcp_state_string[args[5]->tcps_state],
	    tcp_state_string[args[3]->tcps_state]);
}

tcp:::send, tcp:::receive
/mine[args[1]->cs_pid]/
{
	printf("%10d %7d %-16s %5d %5d    %-7s %s%s%s%s%s seq %u ack %u window %d, %d bytes\n",
	    (timestamp - start) / 1000, args[1]->cs_pid, args[1]->cs_comm, args[3]->tcps_lport, args[3]->tcps_rport, probename,
	    args[4]->tcp_flags & TH_SYN ? "S" : "", args[4]->tcp_flags & TH_FIN ? "F" : "",
	    args[4]->tcp_flags & TH_RST ? "R" : "", args[4]->tcp_flags & TH_PUSH ? "P" : "",
	    args[4]->tcp_flags & TH_ACK ? "." : "",
	    args[4]->tcp_seq, args[4]->tcp_ack, args[4]->tcp_window, args[4]->tcp_length);
	@bytes[args[1]->cs_pid, probename] = sum(args[4]->tcp_length);
}

tcp:::connect-refused
/mine[args[1]->cs_pid]/
{
	printf("%10d %7d %-16s is refused by %s:%d\n", (timestamp - start) / 1000, args[1]->cs_pid, args[1]->cs_comm,
	    args[3]->tcps_raddr, args[3]->tcps_rport);
}

dtrace:::END
{
	printf("\n%7s %-10s %10s\n", "PID", "", "BYTES");
	printa("%7d %-10s %10@d\n", @bytes);
}
