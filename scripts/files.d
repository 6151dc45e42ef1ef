#!/usr/bin/env -S tracer -s
/*
 * Which files are read and written, by whom, how much, and in what pieces.
 *
 *     sudo tracer -s scripts/files.d -c scripts/files.sh
 */

#pragma D option quiet

syscall::read:entry, syscall::write:entry, syscall::pread64:entry, syscall::pwrite64:entry
/progenyof($target)/
{
	self->path = fds[arg0].fi_pathname;
}

syscall::read:return, syscall::write:return, syscall::pread64:return, syscall::pwrite64:return
/self->path != NULL && (ssize_t)arg1 > 0/
{
	this->way = probefunc == "read" || probefunc == "pread64" ? "read" : "written";
	@bytes[execname, this->way, self->path] = sum(arg1);
	@calls[execname, this->way, self->path] = count();
	@least[execname, this->way, self->path] = min(arg1);
	@most[execname, this->way, self->path] = max(arg1);
}

syscall::read:return, syscall::write:return, syscall::pread64:return, syscall::pwrite64:return
{
	self->path = 0;
}

dtrace:::END
{
	printf("%-10s %-8s %8s %6s %6s %6s  %s\n", "PROGRAM", "HAS", "BYTES", "CALLS", "LEAST", "MOST", "FILE");
	printa("%-10s %-8s %8@d %6@d %6@d %6@d  %s\n", @bytes, @calls, @least, @most);
}
