#!/usr/bin/env -S tracer -s
/*
 * How long a thread that could run waits in a queue, how long it then has the CPU, and why it leaves it: by program.
 *
 *     sudo tracer -s scripts/rundelay.d -c scripts/rundelay.sh
 */

#pragma D option quiet

uint64_t queued[id_t];

dtrace:::BEGIN
{
	mine[$target] = 1;
}

proc:::create
/progenyof($target)/
{
	mine[args[0]->pr_pid] = 1;
}

/* About another thread than the one that runs: the one that is put into a queue, or taken from it. */
sched:::enqueue
/mine[args[1]->pr_pid]/
{
	queued[args[0]->pr_lwpid] = timestamp;
}

sched:::dequeue
/queued[args[0]->pr_lwpid]/
{
	@delay[args[1]->pr_fname] = quantize((timestamp - queued[args[0]->pr_lwpid]) / 1000);
	queued[args[0]->pr_lwpid] = 0;
}

sched:::on-cpu
/mine[pid]/
{
	self->on = timestamp;
}

sched:::off-cpu
/self->on/
{
	@slice[execname] = quantize((timestamp - self->on) / 1000);
	@left[execname, curlwpsinfo->pr_state == SSLEEP ? "to wait" : "for another"] = count();
	self->on = 0;
}

dtrace:::END
{
	printf("microseconds in the queue");
	printa(@delay);
	printf("microseconds on the CPU");
	printa(@slice);
	printf("%-16s %-12s %8s\n", "PROGRAM", "LEAVES", "TIMES");
	printa("%-16s %-12s %8@d\n", @left);
}
