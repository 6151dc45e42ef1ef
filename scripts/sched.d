#!/usr/bin/env -S tracer -s
/*
 * How long threads run on a CPU, how long they wait for one when they could run, how long they sleep, and where in the
 * kernel they go to sleep.
 *
 *     sudo tracer -s scripts/sched.d -c scripts/sched.sh
 */

#pragma D option quiet

sched:::on-cpu
/progenyof($target)/
{
	self->on = timestamp;
	@times[execname] = count();
}

sched:::off-cpu
/self->on/
{
	@ran[execname] = quantize((timestamp - self->on) / 1000);
	@total[execname] = sum((timestamp - self->on) / 1000);
	self->on = 0;
}

sched:::off-cpu
/progenyof($target) && curlwpsinfo->pr_state == SSLEEP/
{
	asleep[tid] = timestamp;
	@asleep[execname, stack(4)] = count();
}

sched:::wakeup
/asleep[args[0]->pr_lwpid]/
{
	@slept[args[1]->pr_fname] = max((timestamp - asleep[args[0]->pr_lwpid]) / 1000);
	asleep[args[0]->pr_lwpid] = 0;
}

sched:::enqueue
/args[0]->pr_lwpid != 0/
{
	queued[args[0]->pr_lwpid] = timestamp;
}

sched:::dequeue
/queued[args[0]->pr_lwpid]/
{
	@waited[args[2]->cpu_id] = quantize((timestamp - queued[args[0]->pr_lwpid]) / 1000);
	queued[args[0]->pr_lwpid] = 0;
}

sched:::preempt
/progenyof($target)/
{
	@preempted[execname] = count();
}

END
{
	printf("%-16s %10s %10s %10s\n", "PROGRAM", "ON CPU", "PREEMPTED", "RAN us");
	printa("%-16s %@10d %@10d %@10d\n", @times, @preempted, @total);
	printf("\n%-16s %21s\n", "PROGRAM", "LONGEST SLEEP us");
	printa("%-16s %@21d\n", @slept);
	printf("\nMicroseconds at a time on a CPU:\n");
	printa("%s%@d\n", @ran);
	printf("\nMicroseconds that a thread waits in the queue of a CPU:\n");
	printa("CPU %d%@d\n", @waited);
	printf("\nWhere they go to sleep:\n");
	printa("%s%k%@d\n", @asleep);
}
