#!/usr/bin/env -S tracer -s
/*
 * Which process sends datagrams to whom, how large, who gets them, and what their packets look like.
 *
 *     sudo tracer -s scripts/udp.d -c scripts/udp.sh
 */

#pragma D option quiet
#pragma D option scope=tree

udp:::send,
udp:::receive
{
	printf("%-16s %-7s %s:%d -> %s:%d, %d bytes\n", args[1]->cs_comm, probename, args[2]->ip_saddr, args[4]->udp_sport,
	    args[2]->ip_daddr, args[4]->udp_dport, args[4]->udp_length - 8);
	@datagrams[args[1]->cs_comm, probename] = count();
	@bytes[args[1]->cs_comm, probename] = sum(args[4]->udp_length - 8);
}

ip:::send
{
	@packets[args[3]->if_name, args[2]->ip_ver == 4 ? args[4]->ipv4_protostr : args[5]->ipv6_nextstr] = quantize(
	    args[2]->ip_plength);
}

END
{
	printf("\n%-16s %-8s %10s %10s\n", "PROGRAM", "", "DATAGRAMS", "BYTES");
	printa("%-16s %-8s %@10d %@10d\n", @datagrams, @bytes);
	printf("\nBytes of the packets sent, without their Internet headers:\n");
	printa("%s %s%@d\n", @packets);
}
