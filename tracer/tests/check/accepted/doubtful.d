/* What runs, but not as its author may think. */
syscall::read:entry
{
	x = 1;
	x = arg0;
	a[1] = 1;
	a[2] = timestamp;
	x + 1;
	execname;
}
