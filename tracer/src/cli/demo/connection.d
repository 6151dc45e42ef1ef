/*
 * One TCP connection, $1 being the server's port: each clause records what a step of the ladder needs.
 */

tcp:::send,
tcp:::receive
/args[4]->tcp_sport == $1 || args[4]->tcp_dport == $1/
{
	trace(args[4]->tcp_sport);
	trace(args[4]->tcp_dport);
	trace(args[4]->tcp_flags);
	trace(args[4]->tcp_seq);
	trace(args[4]->tcp_ack);
	trace(args[4]->tcp_length);
	trace(args[4]->tcp_window);
}

tcp:::state-change
/args[3]->tcps_lport == $1 || args[3]->tcps_rport == $1/
{
	trace(args[3]->tcps_lport);
	trace(args[5]->tcps_state);
	trace(args[3]->tcps_state);
}

socket::connect:entry,
socket::accept*:entry,
socket::close:entry
/progenyof($target) && args[0]->so_family == AF_INET/
{
	trace(execname);
	trace(pid);
	trace(args[0]->so_fd);
	trace(args[1]->sc_addr);
	trace(args[1]->sc_port);
}

socket:::return
/progenyof($target) && args[0]->so_family == AF_INET && probefunc != "close"/
{
	trace(execname);
	trace(pid);
	trace(args[2]);
	trace(args[3]);
}
