#!/usr/bin/env -S tracer -s
/*
 * Which process opens which file, and what becomes of it: a descriptor, or an error.
 *
 *     sudo tracer -s scripts/opens.d -c scripts/opens.sh
 */

#pragma D option quiet

dtrace:::BEGIN
{
	name[ENOENT] = "ENOENT";
	name[EACCES] = "EACCES";
	name[EISDIR] = "EISDIR";
	name[ENOTDIR] = "ENOTDIR";
	name[EEXIST] = "EEXIST";
	name[ELOOP] = "ELOOP";
	printf("%-16s %7s %4s %4s %-8s %s\n", "PROCESS", "PID", "MODE", "FD", "ERROR", "PATH");
}

syscall::open:entry
/progenyof($target)/
{
	self->path = arg0;
	self->flags = arg1;
}

syscall::openat:entry
/progenyof($target)/
{
	self->path = arg1;
	self->flags = arg2;
}

/* The path is read at the return: until the kernel has looked at it, it may not be in memory. */
syscall::open:return, syscall::openat:return
/self->path/
{
	this->error = errno == 0 ? "-" : name[errno] != NULL ? name[errno] : lltostr(errno);
	this->mode = self->flags & O_ACCMODE;
	printf("%-16s %7d %4s %4d %-8s %s\n", execname, pid,
	    this->mode == O_RDONLY ? "r" : this->mode == O_WRONLY ? "w" : "rw",
	    (int)arg0, this->error, copyinstr(self->path));
	@opened[execname, this->error] = count();
	self->path = 0;
	self->flags = 0;
}

dtrace:::END
{
	printf("\n%-16s %-8s %6s\n", "PROCESS", "ERROR", "COUNT");
	printa("%-16s %-8s %6@d\n", @opened);
}
