#!/usr/bin/env -S tracer -s
/*
 * System calls that fail, with all that is known of them, and nothing of those that do not. At its beginning nobody knows how a
 * call ends: so what is said of it is speculation, and its end decides.
 *
 *     sudo tracer -s scripts/failures.d -c scripts/failures.sh
 */

#pragma D option quiet
#pragma D option nspec=64

syscall::openat:entry, syscall::unlinkat:entry, syscall::mkdirat:entry, syscall::newfstatat:entry
/progenyof($target)/
{
	self->spec = speculation();
	self->path = arg1;
}

syscall::execve:entry, syscall::access:entry, syscall::unlink:entry, syscall::mkdir:entry, syscall::rmdir:entry, syscall::chdir:entry
/progenyof($target)/
{
	self->spec = speculation();
	self->path = arg0;
}

syscall:::entry
/self->spec/
{
	speculate(self->spec);
	printf("%s (%d) %s", execname, pid, probefunc);
}

syscall:::return
/self->spec && errno != 0/
{
	speculate(self->spec);
	printf("(\"%s\") fails with error %d\n", copyinstr(self->path), errno);
}

syscall:::return
/self->spec && errno != 0/
{
	commit(self->spec);
}

syscall:::return
/self->spec && errno != 0/
{
	@failed[probefunc, errno] = count();
	self->spec = 0;
	self->path = 0;
}

syscall:::return
/self->spec/
{
	discard(self->spec);
	self->spec = 0;
	self->path = 0;
}

dtrace:::END
{
	printf("\n%-12s %6s %6s\n", "CALL", "ERROR", "COUNT");
	printa("%-12s %6d %6@d\n", @failed);
}
