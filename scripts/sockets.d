#!/usr/bin/env -S tracer -s
/*
 * What processes do with sockets: whom they talk to, which calls they make, how long these take, and what fails.
 *
 *     sudo tracer -s scripts/sockets.d -c scripts/sockets.sh
 */

#pragma D option quiet

socket::connect:return
/progenyof($target) && args[1]->sc_family == AF_UNIX/
{
	printf("%s (%d) connects to %s: %s\n", execname, pid, args[1]->sc_path, args[2] == 0 ? "yes" : "no");
}

socket::connect:return
/progenyof($target) && args[1]->sc_family != AF_UNIX/
{
	printf("%s (%d) connects to %s:%d: %s\n", execname, pid, args[1]->sc_addr, args[1]->sc_port,
	    args[2] == 0 ? "yes" : "no");
}

socket::accept*:return
/progenyof($target) && args[2] >= 0/
{
	printf("%s (%d) accepts %s:%d as descriptor %d\n", execname, pid, args[0]->so_raddr, args[0]->so_rport, args[0]->so_fd);
}

socket:::return
/progenyof($target)/
{
	@calls[execname, probefunc] = count();
	@time[execname, probefunc] = sum(args[4] / 1000);
}

socket:::return
/progenyof($target) && args[2] < 0/
{
	@failed[execname, probefunc, args[3]] = count();
}

socket::read:return, socket::recv*:return
/progenyof($target) && args[2] > 0/
{
	@taken["bytes a read"] = quantize(args[2]);
}

dtrace:::END
{
	printf("\n%-16s %-12s %10s\n", "PROCESS", "CALL", "COUNT");
	printa("%-16s %-12s %10@d\n", @calls);
	printf("\n%-16s %-12s %10s\n", "PROCESS", "CALL", "MICROS");
	printa("%-16s %-12s %10@d\n", @time);
	printf("\n%-16s %-12s %10s %6s\n", "PROCESS", "FAILED", "ERRNO", "COUNT");
	printa("%-16s %-12s %10d %6@d\n", @failed);
	printa(@taken);
}
