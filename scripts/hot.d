#!/usr/bin/env -S tracer -s
/*
 * Where the processor's time goes: a thousand times a second, on each CPU, the function that runs and how it was come to (in a
 * program without frame pointers only that function is sure). A line with a hyphen ends each stack; fold.awk makes one line of each, as flame graphs are drawn from:
 *
 *     sudo tracer -s scripts/hot.d -c scripts/hot.sh
 *     sudo tracer -s scripts/hot.d -c scripts/hot.sh | awk -f scripts/fold.awk
 */

#pragma D option quiet
#pragma D option stackindent=0

/* The process runs: arg1 is where. */
profile:::profile-997
/progenyof($target) && arg1/
{
	@function[execname, ufunc(arg1)] = count();
	@process[execname, ustack(12)] = count();
}

/* The kernel runs, for the process: arg0 is where. */
profile:::profile-997
/progenyof($target) && arg0/
{
	@routine[execname, func(arg0)] = count();
	@kernel[execname, stack(12), ustack(4)] = count();
}

dtrace:::END
{
	trunc(@function, 6);
	trunc(@routine, 6);
	printf("%-12s %-40s %8s\n", "PROGRAM", "FUNCTION", "SAMPLES");
	printa("%-12s %-40A %8@d\n", @function);
	printa("%-12s %-40a %8@d\n", @routine);

	trunc(@process, 4);
	trunc(@kernel, 4);
	printf("\n-\n");
	printa("%s%k%@d\n-\n", @process);
	printa("%s%k%k%@d\n-\n", @kernel);
}
