#!/usr/bin/env -S tracer -s
/*
 * Threads: who begins which, how long each lives, how much of that it runs, and what it asks of the kernel.
 *
 *     sudo tracer -s scripts/threads.d -c scripts/threads.sh
 */

#pragma D option quiet

dtrace:::BEGIN
{
	start = timestamp;
	printf("%9s %-12s %7s %7s  %s\n", "MICROS", "PROGRAM", "PID", "THREAD", "WHAT");
}

proc:::lwp-create
/progenyof($target)/
{
	printf("%9d %-12s %7d %7d  begins %s %d\n", (timestamp - start) / 1000, execname, pid, tid,
	    args[1]->pr_pid == pid ? "thread" : "process", args[0]->pr_lwpid);
}

proc:::lwp-start
/progenyof($target)/
{
	self->begun = timestamp;
	self->ran = vtimestamp;
}

syscall:::entry
/self->begun/
{
	self->calls++;
}

proc:::lwp-exit
/self->begun/
{
	printf("%9d %-12s %7d %7d  ends after %d calls: it lived %d microseconds and ran %d\n", (timestamp - start) / 1000,
	    execname, pid, tid, self->calls, (timestamp - self->begun) / 1000, (vtimestamp - self->ran) / 1000);
	@calls[execname, pid == tid ? "first" : "others"] = sum(self->calls);
	@lived[execname, pid == tid ? "first" : "others"] = avg((timestamp - self->begun) / 1000);
	@threads[execname, pid == tid ? "first" : "others"] = count();
}

dtrace:::END
{
	printf("\n%-12s %-8s %8s %8s %12s\n", "PROGRAM", "THREADS", "COUNT", "CALLS", "MEAN LIFE");
	printa("%-12s %-8s %8@d %8@d %12@d\n", @threads, @calls, @lived);
}
