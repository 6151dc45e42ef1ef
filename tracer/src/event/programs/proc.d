/*
 * The life of processes, read by life.rs.
 */

proc:::create
/pid != $pid/
{
	trace(pid);
	trace(execname);
	trace(args[0]->pr_pid);
	trace(args[0]->pr_fname);
}

proc:::lwp-create
/pid != $pid && args[1]->pr_pid != args[0]->pr_lwpid/
{
	trace(pid);
	trace(execname);
	trace(args[0]->pr_lwpid);
}

proc:::exec-success
/pid != $pid/
{
	trace(pid);
	trace(execname);
	trace(args[0]);
	trace(args[1]);
}

proc:::exec-failure
/pid != $pid/
{
	trace(pid);
	trace(execname);
	trace(args[0]);
	trace(args[1]);
}

proc:::exit
/pid != $pid/
{
	trace(pid);
	trace(execname);
	trace(args[0]);
	trace(args[1]);
	trace(ppid);
}

/* wait, waitpid and their like: how long, and for whom. */
syscall::wait4:entry
/pid != $pid/
{
	self->since = timestamp;
}

syscall::wait4:return
/self->since && arg1 > 0/
{
	trace(pid);
	trace(execname);
	trace(arg1);
	trace(timestamp - self->since);
}

syscall::wait4:return
{
	self->since = 0;
}
