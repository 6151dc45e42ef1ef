/* with: target=42 */
#pragma D option quiet

BEGIN { start = timestamp; }

syscall::read:entry, syscall::write:entry
/pid == $target && execname != "bash"/
{
	self->ts = timestamp;
	@calls[probefunc, execname] = count();
	printf("%s(%d, %x)\n", probefunc, arg0, arg1);
}

syscall::read:return
/self->ts/
{
	@time["read", execname] = quantize(timestamp - self->ts);
	self->ts = 0;
}

tick-1s, END { printa("%s %s %@d\n", @calls); printa(@calls, @time); clear(@calls); exit(0); }
