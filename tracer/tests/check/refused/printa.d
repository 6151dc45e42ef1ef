syscall::read:entry
{
	@plain = count();
	@keyed[pid, execname] = count();
	@other[execname] = count();
	@numbers[pid] = count();
	@histogram[pid, execname] = quantize(arg0);
}

END
{
	printa("%d %@d\n", @plain);
	printa("%s %s %@d\n", @keyed);
	printa("%d %d %@d\n", @keyed);
	printa("%d %s %@s\n", @keyed);
	printa("%@d %@d\n", @plain);
	printa("%*d %@d\n", @keyed);
	printa(@keyed, @other);
	printa("%d %s %@d %@d\n", @keyed, @histogram);
	printa("%d %s %@d %@d\n", @keyed, @keyed);
	printa("%*d %s %@d\n", @plain);
	printa("%@hd %@ld\n", @plain);
	printa(@other, @numbers);
}
