/*
 * TCP connections, read by tcp.rs. The process that a record begins with is the connection's owner.
 */

tcp:::state-change
{
	trace(args[1]->cs_pid);
	trace(args[1]->cs_comm);
	trace(args[1]->cs_cid);
	trace(args[3]->tcps_laddr);
	trace(args[3]->tcps_lport);
	trace(args[3]->tcps_raddr);
	trace(args[3]->tcps_rport);
	trace(args[5]->tcps_state);
	trace(args[3]->tcps_state);
}

tcp:::send,
tcp:::receive
{
	trace(args[1]->cs_pid);
	trace(args[1]->cs_comm);
	trace(args[1]->cs_cid);
	trace(args[3]->tcps_laddr);
	trace(args[3]->tcps_lport);
	trace(args[3]->tcps_raddr);
	trace(args[3]->tcps_rport);
	trace(args[4]->tcp_flags);
	trace(args[4]->tcp_seq);
	trace(args[4]->tcp_ack);
	trace(args[4]->tcp_length);
	trace(args[4]->tcp_window);
}

tcp:::connect-request,
tcp:::connect-established,
tcp:::connect-refused,
tcp:::accept-established,
tcp:::accept-refused
{
	trace(args[1]->cs_pid);
	trace(args[1]->cs_comm);
	trace(args[1]->cs_cid);
	trace(args[3]->tcps_laddr);
	trace(args[3]->tcps_lport);
	trace(args[3]->tcps_raddr);
	trace(args[3]->tcps_rport);
}
