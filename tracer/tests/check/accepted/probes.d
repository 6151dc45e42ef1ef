proc:::signal-send
/args[2] == SIGKILL && args[1]->pr_pid == 7/
{
	printf("%d %s -> %d %s %s\n", pid, execname, args[1]->pr_pid, args[1]->pr_fname, args[1]->pr_psargs);
	trace((*args[1]).pr_uid);
	trace(args[0]->pr_lwpid);
	trace(arg2);
	trace(arg9);
}
syscall::read:return
/errno == EAGAIN || arg0 == -1/
{
	trace(args[0]);
	@[probefunc] = sum(arg1);
}
syscall:::entry { @entries[probefunc] = count(); }
syscall::read:entry, syscall::*read*:entry { trace(args[2]); }
profile-97 { @pc[arg0] = count(); trace(arg1 == NULL); }
tick-1s {}
1 { trace("by id"); }
fbt::vfs_*:entry { @functions[probefunc, arg0] = count(); }
fbt::tcp_*:return, tcp_sendmsg:entry { trace(arg1); }
/* What other systems call their kernel. */
tcp:kernel::send, syscall:freebsd:read:entry, sched:unix::on-cpu, io:genunix::start { }
END
