#!/usr/bin/env -S tracer -s
/*
 * Who sends which signal to whom, and what becomes of it: queued, ignored, already pending, handled, the end.
 * SIGCHLD, by which every child's end is told, is left out.
 *
 *     sudo tracer -s scripts/signals.d -c scripts/signals.sh
 */

#pragma D option quiet

dtrace:::BEGIN
{
	printf("%-12s %-9s %-14s %-9s %-14s %s\n", "EVENT", "SIGNAL", "FROM", "", "TO", "OUTCOME");
}

proc:::signal-send
/progenyof($target) && args[2] != SIGCHLD/
{
	printf("%-12s %-9d %-14s %-9d %-14s %s\n", "send", args[2], execname, pid, args[1]->pr_fname,
	    args[4] == 0 ? "queued" :
	    args[4] == 1 ? "ignored" :
	    args[4] == 2 ? "already pending" : "lost");
	@sent[execname, args[1]->pr_fname, args[2]] = count();
}

proc:::signal-handle
/progenyof($target) && args[0] != SIGCHLD/
{
	printf("%-12s %-9d %-14s %-9s %-14s %s\n", "handle", args[0], "", "", execname,
	    args[2] == 0 ? "default action" : "handler runs");
}

proc:::exit
/progenyof($target) && args[0] != CLD_EXITED/
{
	printf("%-12s %-9d %-14s %-9d\n", "ends by", args[1], execname, pid);
}

dtrace:::END
{
	printf("\n%-16s %-16s %8s %8s\n", "FROM", "TO", "SIGNAL", "COUNT");
	printa("%-16s %-16s %8d %8@d\n", @sent);
}
