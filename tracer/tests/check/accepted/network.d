tcp:::state-change
/args[3]->tcps_raddr == "127.0.0.1" || args[3]->tcps_laddr != "::1" || "" == args[3]->tcps_raddr/
{
	@[args[3]->tcps_raddr, tcp_state_string[args[3]->tcps_state]] = count();
	self->peer = args[3]->tcps_raddr;
	trace(args[3]->tcps_raddr == args[3]->tcps_laddr);
	trace(args[3]->tcps_raddr == execname);
	trace(args[3]->tcps_state == TCP_STATE_ESTABLISHED || args[3]->tcps_state == TCPS_LISTEN);
	printf("%s %d\n", args[3]->tcps_raddr, args[3]->tcps_rport);
}

tcp:::send
/args[4]->tcp_flags & (TH_SYN|TH_FIN)/
{
	@bytes[args[2]->ip_daddr] = sum(args[2]->ip_plength);
}

ip:::send
/args[4] != NULL && args[5] == 0/
{
	trace(!args[4] || args[3] != args[2]);
	this->port = args[4] ? 1 : 0;
}

ip:::receive
/args[4]/
{
	trace(args[4]->ipv4_ttl);
}
