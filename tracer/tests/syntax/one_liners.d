#!/usr/sbin/dtrace -s
/* Things that people write. */
#pragma D option quiet
#pragma D option aggsize=8m
#pragma D attributes Evolving/Evolving/Common provider syscall provider
#pragma D depends_on provider io
#pragma D binding "1.0" foo
#pragma ident "@(#)x.d"

BEGIN, dtrace:::END { start = timestamp }

syscall::read*:entry, syscall::write:entry,
pid$target::malloc:entry
/pid == $target && execname != "a\tb"/   /* the target only */
{
	self->ts = timestamp;
	this->n = arg2;
	@bytes[execname, probefunc] = sum(arg2);
	@ = count();
	@q = lquantize(arg0, 0, 100, 10);
}

syscall:::return
/self->ts && (errno == 0 || arg0 / 2 > 3) / /* a division and an end */
{
	printf("%d %s\n", timestamp - self->ts, stringof(args[0]->pr_fname));
	names[pid, "x"] = copyinstr(arg0);
	self->ts = 0;
	x += y ? -1 : 2u, z++;
	trace(*(int *)p & 0x7f);
	trace(((struct task_struct *)curthread)->pid);
	trace(`jiffies + vmlinux`init_task.pid);
	trace(sizeof (struct sock) + sizeof (uint64_t) + sizeof x);
	a ^^ b && c || d;
	clear(@bytes); printa("%@d", @bytes, @q);
	if (x > 1) { exit(0) } else if (x) trace($$1); else { ; }
}

tick-1s {}
42 / 1 / { trace('a'); trace('\n'); trace('ab') }
profile:::profile-997hz { @[stack()] = count() }
