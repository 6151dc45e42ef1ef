BEGIN
{
	trace();
	trace(1, 2);
	trace(nosuch());
	nosuch(1);
	pritnf("x");
	exit();
	exit("now");
	exit(1, 2);
	x = trace(1);
	x = exit(1) + 1;
	trace(strlen(1));
	trace(strlen());
	trace(copyinstr(execname));
	trace(copyinstr(1, "x"));
	trace(progenyof("x"));
	trace(rand(1));
}
