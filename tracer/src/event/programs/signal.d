/*
 * Signals. Every record begins with a process: here the one in whose context it happens. What follows is read by signal.rs.
 * The kernel sends signals, of timers say, in whichever context it finds, also in that of the tracer (args[8]).
 */

proc:::signal-send
/pid != $pid || args[8] != 0/
{
	trace(pid);
	trace(execname);
	trace(args[2]);
	trace(args[3]->si_code);
	trace(args[3]->si_pid);
	trace(args[1]->pr_pid);
	trace(args[1]->pr_fname);
	trace(args[0]->pr_lwpid);
	trace(args[4]);
	trace(args[5]);
	trace(args[7]);
	trace(args[8]);
	trace(args[3]->si_addr);
	trace(args[3]->si_value);
}

proc:::signal-handle
/pid != $pid/
{
	trace(pid);
	trace(execname);
	trace(args[0]);
	trace(args[1]->si_code);
	trace(args[1]->si_pid);
	trace(tid);
	trace(args[2]);
}

proc:::signal-clear
/pid != $pid/
{
	trace(pid);
	trace(execname);
	trace(args[0]);
	trace(tid);
}
