syscall::read:entry
{
	@a = count();
	@a = sum(arg0);
	@b[pid] = count();
	@b[pid, tid] = count();
	@b[execname] = count();
	@c = sum(execname);
	@c = sum();
	@c = count(1);
	@d = cuont();
	@d = nosuchfunction();
	@d = trace(1);
	@d = strlen("x");
	@e = quantize(execname);
	@e = quantize(1, 2, 3);
	@e = sum(@a);
	@f = lquantize(arg0, arg1, 10, 1);
	@f = lquantize(arg0, 0, arg1, 1);
	@f = lquantize(arg0, 0, 10, arg1);
	@f = lquantize(arg0, 0x100000000, 10, 1);
	@f = lquantize(arg0, 0, 0x100000000, 1);
	@f = lquantize(arg0, 0, 10, 0);
	@f = lquantize(arg0, 0, 10, 100);
	@f = lquantize(arg0, 10, 0, 1);
	@f = lquantize(arg0, 0, 1000000, 1);
	@g = lquantize(arg0, 0, 10, 1);
	@g = lquantize(arg0, 1, 10, 1);
	@g = lquantize(arg0, 0, 11, 1);
	@g = lquantize(arg0, 0, 10, 2);
	count();
	x = count();
	trace(@a);
	trace(@a + 1);
}

END
{
	printa(@nosuch);
	printa(@ab);
	clear(@nosuch);
	trunc(@nosuch);
	normalize(@nosuch, 1);
	denormalize(@nosuch);
	clear(1);
	clear(@a, @b);
	clear();
	trunc(1);
	trunc();
	trunc(@a, "x");
	normalize(@a);
	normalize(@a, "x");
	normalize(@a, 0);
	normalize(1, 1);
	denormalize(@a, 1);
	clear(@b[1]);
	printa();
	printa("%@d");
	printa("%@d", 1);
	printa(1);
}
BEGIN { @step = lquantize(1, 0, 100000, 70000); }
