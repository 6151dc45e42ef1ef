BEGIN
{
	trace(vtimestamp);
	stack();
	@ = stddev(1);
	trace(curpsinfo->pr_psargs);
	this->stack = 1;
}
