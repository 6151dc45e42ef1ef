BEGIN
{
	trace(vtimestamp);
	@ = stddev(1);
	trace(curpsinfo->pr_psargs);
	this->stack = 1;
}
