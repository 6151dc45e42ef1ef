#!/usr/bin/env -S tracer -s
/*
 * How much goes through each pipe in a tenth of a second, and who keeps whom waiting.
 *
 *     sudo tracer -s scripts/piperate.d -c scripts/piperate.sh
 */

#pragma D option quiet
#pragma D option aggsortkey

dtrace:::BEGIN
{
	printf("%6s %10s %-12s %10s %8s %8s\n", "TENTH", "PIPE", "PROCESS", "BYTES", "WRITES", "WAITED");
}

pipe:::write
/progenyof($target) && args[2] > 0/
{
	@bytes[args[0]->pipe_ino, execname] = sum(args[2]);
	@writes[args[0]->pipe_ino, execname] = count();
	/* Milliseconds in which the writer waited for room, told when it has got it. */
	@waited[args[0]->pipe_ino, execname] = sum(args[5]);
	@whole[args[0]->pipe_ino, execname] = sum(args[2]);
	@sizes[execname] = quantize(args[2]);
}

profile:::tick-100ms
{
	tenths++;
	printf("%6d\n", tenths);
	normalize(@waited, 1000000);
	printa("       %10d %-12s %10@d %8@d %8@d\n", @bytes, @writes, @waited);
	trunc(@bytes);
	trunc(@writes);
	trunc(@waited);
}

dtrace:::END
{
	printf("\nall in all\n");
	printa("       %10d %-12s %10@d\n", @whole);
	printf("\nbytes a write");
	printa(@sizes);
	trunc(@bytes);
	trunc(@writes);
	trunc(@waited);
}
