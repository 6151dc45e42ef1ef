#!/usr/bin/env -S tracer -s
/*
 * Which process makes which requests to block devices, for which files, and how long they take.
 *
 *     sudo tracer -s scripts/io.d -c scripts/io.sh
 */

#pragma D option quiet

BEGIN
{
	printf("%-8s %-10s %2s %8s %10s %s\n", "DEVICE", "PROGRAM", "", "BYTES", "TIME us", "FILE");
}

io:::start
/progenyof($target)/
{
	begun[arg0] = timestamp;
	by[arg0] = execname;
}

io:::done
/begun[arg0]/
{
	this->took = (timestamp - begun[arg0]) / 1000;
	printf("%-8s %-10s %2s %8d %10d %s\n", args[1]->dev_statname, by[arg0], args[0]->b_flags & B_READ ? "R" : "W",
	    args[0]->b_bcount, this->took, args[2]->fi_pathname);
	@took[args[1]->dev_statname] = quantize(this->took);
	@bytes[args[1]->dev_statname, args[0]->b_flags & B_READ ? "read" : "written"] = sum(args[0]->b_bcount);
	begun[arg0] = 0;
	by[arg0] = 0;
}

END
{
	printf("\n%-8s %-8s %12s\n", "DEVICE", "", "BYTES");
	printa("%-8s %-8s %@12d\n", @bytes);
	printf("\nMicroseconds from start to done:\n");
	printa("%s%@d\n", @took);
}
