syscall::read:entry
/excename == "x" && nosuch > 1 && self->ts/
{
	trace(args);
	trace(printf);
	trace(tcp_state_string);
	trace(this->late);
	this->late = 1;
	trace(early);
	early = 2;
	trace(early + early);
	pid = 5;
	SIGINT = 1;
	x = y = 1;
	5 = x;
	execname[1] = 2;
	arg0++;
	trace(elsewhere[1]);
	elsewhere[1] = 1;
	sum = 1;
}
BEGIN { trace(PROT_WRITE | PROT_READ); }

syscall::read:entry
/execname == cat || probefunk != probefunc || elsewhere == "here" || sh == execname/
{
	self->first = 1;
	trace(self->frist);
}
