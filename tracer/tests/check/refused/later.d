BEGIN
{
	trace(vtimestamp);
	stack();
	trace(strjoin("a", "b"));
	@ = stddev(1);
	trace(curpsinfo->pr_psargs);
	this->stack = 1;
}
