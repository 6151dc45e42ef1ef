#!/usr/bin/env -S tracer -s
/*
 * Which process writes into which pipe, in what sizes, who waits for whom and for how long, and how a pipe ends.
 *
 *     sudo tracer -s scripts/pipes.d -c scripts/pipes.sh
 */

#pragma D option quiet

pipe:::create
/progenyof($target)/
{
	printf("%s (%d) creates pipe %d: reads at %d, writes at %d, %d bytes\n", execname, pid, args[0]->pipe_ino,
	    args[1], args[2], args[0]->pipe_capacity);
}

pipe:::write
/progenyof($target) && args[2] > 0/
{
	@written[args[0]->pipe_ino, execname] = sum(args[2]);
	@sizes = quantize(args[2]);
}

pipe:::read
/progenyof($target) && args[2] > 0/
{
	@read[args[0]->pipe_ino, execname] = sum(args[2]);
}

pipe:::block
/progenyof($target)/
{
	@waited[execname, args[2] == 1 ? "for room" : "for data"] = sum(args[1] / 1000);
}

pipe:::broken
/progenyof($target)/
{
	printf("%s (%d) writes to pipe %d, which nobody reads any more\n", execname, pid, args[0]->pipe_ino);
}

dtrace:::END
{
	printf("\n%10s %-16s %12s\n", "PIPE", "WRITER", "BYTES");
	printa("%10d %-16s %12@d\n", @written);
	printf("\n%10s %-16s %12s\n", "PIPE", "READER", "BYTES");
	printa("%10d %-16s %12@d\n", @read);
	printf("\n%-16s %-12s %12s\n", "WAITS", "", "MICROSECONDS");
	printa("%-16s %-12s %12@d\n", @waited);
	printf("\nbytes a write");
	printa(@sizes);
}
