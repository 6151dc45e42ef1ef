int x;
int a[int, string];

BEGIN
{
	x = "text";
	s = "text";
	s = 1;
	s = pid;
	s++;
	x[1] = 2;
	s[1] = 2;
	a = 1;
	trace(a);
	a[1] = 2;
	a["x", 1] = 2;
	a[1, "x"] = "y";
	this->t[1] = 2;
	b[1, execname] = 2;
	trace(b[1]);
	trace(b["x", 1]);
	trace(c[1]);
	p = (int *)0;
	i = 1;
	i = p;
	a[i++, "x"] += 1;
	@[@a] = count();
}

proc:::signal-send
{
	self->who = args[1];
	who[args[1]] = 1;
	x = args[1];
	this->v = args[1]->pr_pid == 1 ? args[1] : args[1];
}
