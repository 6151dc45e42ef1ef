#!/usr/bin/env -S tracer -s
/*
 * Which programs are run, by whom, for how long, and how they end. Children stand to the right of their parents.
 *
 *     sudo tracer -s scripts/execs.d -c scripts/execs.sh
 */

#pragma D option quiet

int depth[pid_t];
uint64_t begun[pid_t];

dtrace:::BEGIN
{
	start = timestamp;
	printf("%9s %7s %7s %s\n", "MICROS", "PID", "PPID", "WHAT");
}

proc:::create
/progenyof($target)/
{
	depth[args[0]->pr_pid] = depth[pid] + 1;
}

proc:::exec-success
/progenyof($target)/
{
	begun[pid] = timestamp;
	printf("%9d %7d %7d %*s%s\n", (timestamp - start) / 1000, pid, ppid, 2 * depth[pid], "", curpsinfo->pr_psargs);
}

proc:::exec-failure
/progenyof($target)/
{
	printf("%9d %7d %7d %*s%s: error %d\n", (timestamp - start) / 1000, pid, ppid, 2 * depth[pid], "", args[1], args[0]);
	@failed[args[0]] = count();
}

proc:::exit
/begun[pid]/
{
	printf("%9d %7d %7d %*s%s ends: %s %d\n", (timestamp - start) / 1000, pid, ppid, 2 * depth[pid], "", execname,
	    args[0] == CLD_EXITED ? "status" : "signal", args[1]);
	@micros[execname] = quantize((timestamp - begun[pid]) / 1000);
}

/* Also where no program was run: ids come again. */
proc:::exit
/progenyof($target)/
{
	depth[pid] = 0;
	begun[pid] = 0;
}

dtrace:::END
{
	printf("\n%6s %6s\n", "ERROR", "COUNT");
	printa("%6d %6@d\n", @failed);
	printf("\nmicroseconds that a program ran");
	printa(@micros);
}
