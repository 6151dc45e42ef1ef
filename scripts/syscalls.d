#!/usr/bin/env -S tracer -s
/*
 * System calls by program: how many, how many in vain, how long they take, and which take longest.
 *
 *     sudo tracer -s scripts/syscalls.d -c scripts/syscalls.sh
 */

#pragma D option quiet

syscall:::entry
/progenyof($target)/
{
	self->start = timestamp;
}

syscall:::return
/self->start/
{
	this->micros = (timestamp - self->start) / 1000;
	@calls[execname] = count();
	@failed[execname] = sum(errno != 0 ? 1 : 0);
	@time[execname] = sum(this->micros);
	@slowest[execname, probefunc] = sum(this->micros);
	@each[execname] = quantize(this->micros);
	self->start = 0;
}

dtrace:::END
{
	printf("%-16s %8s %8s %12s\n", "PROGRAM", "CALLS", "FAILED", "MICROSECONDS");
	printa("%-16s %8@d %8@d %12@d\n", @calls, @failed, @time);

	trunc(@slowest, 8);
	printf("\nwhat took longest\n%-16s %-16s %12s\n", "PROGRAM", "CALL", "MICROSECONDS");
	printa("%-16s %-16s %12@d\n", @slowest);

	printf("\nmicroseconds a call");
	printa(@each);
}
