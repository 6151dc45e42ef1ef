#!/usr/bin/env -S tracer -s
/*
 * The life of each TCP connection, a line an end: who, with whom, how long, how much, and how it went.
 *
 *     sudo tracer -s scripts/tcplife.d -c scripts/tcplife.sh
 */

#pragma D option quiet

/* By the connection's id, which it keeps from its first segment to its last. */
uint64_t begun[uint64_t];
uint64_t sent[uint64_t];
uint64_t received[uint64_t];

dtrace:::BEGIN
{
	mine[$target] = 1;
	printf("%-10s %7s %-6s %5s    %-5s %8s %8s %8s  %s\n", "PROCESS", "PID", "", "HERE", "THERE", "MICROS", "SENT", "RECEIVED",
	    "END");
}

proc:::create
/progenyof($target)/
{
	mine[args[0]->pr_pid] = 1;
}

tcp:::connect-request
/mine[args[1]->cs_pid]/
{
	begun[args[1]->cs_cid] = timestamp;
}

tcp:::state-change
/mine[args[1]->cs_pid] && args[3]->tcps_state == TCP_STATE_SYN_RECEIVED/
{
	begun[args[1]->cs_cid] = timestamp;
}

tcp:::send
/begun[args[1]->cs_cid]/
{
	sent[args[1]->cs_cid] += args[4]->tcp_length;
}

tcp:::receive
/begun[args[1]->cs_cid]/
{
	received[args[1]->cs_cid] += args[4]->tcp_length;
}

tcp:::state-change
/begun[args[1]->cs_cid] && (args[3]->tcps_state == TCP_STATE_CLOSED || args[3]->tcps_state == TCP_STATE_TIME_WAIT)/
{
	this->id = args[1]->cs_cid;
	this->end = args[5]->tcps_state == TCP_STATE_SYN_SENT ? "never was" :
	    args[3]->tcps_state == TCP_STATE_TIME_WAIT ? "closed first" :
	    args[5]->tcps_state == TCP_STATE_LAST_ACK ? "closed last" : "reset";
	printf("%-10s %7d %-6s %5d -> %-5d %8d %8d %8d  %s\n", args[1]->cs_comm, args[1]->cs_pid,
	    args[3]->tcps_active ? "client" : "server", args[3]->tcps_lport, args[3]->tcps_rport,
	    (timestamp - begun[this->id]) / 1000, sent[this->id], received[this->id], this->end);
	@ends[this->end] = count();
	@micros["microseconds"] = quantize((timestamp - begun[this->id]) / 1000);
	begun[this->id] = 0;
	sent[this->id] = 0;
	received[this->id] = 0;
}

dtrace:::END
{
	printf("\n%-14s %6s\n", "END", "COUNT");
	printa("%-14s %6@d\n", @ends);
	printa(@micros);
}
