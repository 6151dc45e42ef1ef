syscall::read:entry
{
	@ = count();
	@total = sum(arg2);
	@keyed[pid, execname] = avg(arg2);
	@keyed[1, "a much longer name than the kernel keeps"] = avg(1);
	@least[probefunc] = min(arg2 / 2);
	@most["x"] = max(1);
	@most[execname] = max(2);
	@power[pid] = quantize(arg2);
	@weighted[pid] = quantize(arg2, arg0);
	@lines = lquantize(arg2, 0, 1024, 64);
	@lines = lquantize(arg0, 0, 4 * 256, 0x40, 1);
	@ones = lquantize(arg2, -5, 5);
}

END
{
	printa(@);
	printa(@keyed);
	printa("%d %s %@d\n", @keyed);
	printa("%@d\n", @total);
	printa("%@10x %@d\n", @total, @ones);
	printa(@power, @weighted);
	clear(@total);
	trunc(@keyed);
	trunc(@keyed, 5);
	trunc(@power, -arg0);
	normalize(@total, 1000);
	denormalize(@total);
	exit(3);
}
