#!/usr/bin/env -S tracer -s
/*
 * What the time of system calls is made of, in microseconds: running, and waiting for something or for a CPU.
 *
 *     sudo tracer -s scripts/waits.d -c scripts/waits.sh
 */

#pragma D option quiet

syscall:::entry
/progenyof($target)/
{
	self->start = timestamp;
	self->ran = vtimestamp;
}

syscall:::return
/self->start/
{
	/* First of all: what follows takes time, too. */
	this->took = timestamp - self->start;
	this->ran = vtimestamp - self->ran;
	@calls[probefunc] = count();
	@ran[probefunc] = sum(this->ran / 1000);
	@waited[probefunc] = sum((this->took > this->ran ? this->took - this->ran : 0) / 1000);
	self->start = 0;
	self->ran = 0;
}

dtrace:::END
{
	printf("%-18s %8s %12s %12s\n", "CALL", "COUNT", "RAN", "WAITED");
	setopt("aggsortpos", "2");
	printa("%-18s %8@d %12@d %12@d\n", @calls, @ran, @waited);
}
