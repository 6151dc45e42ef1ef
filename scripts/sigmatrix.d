#!/usr/bin/env -S tracer -s
/*
 * Signals as a matrix: a row for each sender and target, a column for each signal.
 *
 *     sudo tracer -s scripts/sigmatrix.d -c scripts/sigmatrix.sh
 */

#pragma D option quiet
#pragma D option aggsortkey

proc:::signal-send
/progenyof($target)/
{
	this->to = args[1]->pr_fname;
	@all[execname, this->to] = count();
}

proc:::signal-send /progenyof($target) && args[2] == SIGINT/ { @int[execname, this->to] = count(); }
proc:::signal-send /progenyof($target) && args[2] == SIGKILL/ { @kill[execname, this->to] = count(); }
proc:::signal-send /progenyof($target) && args[2] == SIGTERM/ { @term[execname, this->to] = count(); }
proc:::signal-send /progenyof($target) && args[2] == SIGUSR1/ { @usr1[execname, this->to] = count(); }
proc:::signal-send /progenyof($target) && args[2] == SIGPIPE/ { @pipe[execname, this->to] = count(); }
proc:::signal-send /progenyof($target) && args[2] == SIGCHLD/ { @chld[execname, this->to] = count(); }

dtrace:::END
{
	printf("%-16s %-16s %5s %5s %5s %5s %5s %5s %5s\n", "FROM", "TO", "INT", "KILL", "TERM", "USR1", "PIPE", "CHLD",
	    "ALL");
	/* Joined by their keys; a pair without such a signal has 0. */
	printa("%-16s %-16s %5@d %5@d %5@d %5@d %5@d %5@d %5@d\n", @int, @kill, @term, @usr1, @pipe, @chld, @all);
}
