nosuch_t unknown;
uint46_t typo;
void nothing;
psinfo_t *record;
static int stored;
int pid;
int twice;
string twice;
int array[psinfo_t];
this int local[int];
int nested[int][int];

syscall::read:entry
{
	trace(execname - 1);
	trace(execname + "x");
	trace(execname == 1);
	trace(execname == 'x');
	trace(execname ? 1 : 0);
	trace(execname && 1);
	trace(-execname);
	trace(!execname);
	trace(1 ? execname : 2);
	trace((int)execname);
	trace((string)arg0);
	trace(*arg0);
	trace(*(void *)arg0);
	trace((void *)arg0 + 1);
	trace(1 - (int *)arg0);
	trace((int *)arg0 * 2);
	trace((char *)arg0 - (int *)arg1);
	trace(sizeof (void));
	trace(5 / 0);
	trace(5 % (3 - 3));
	trace(sizeof (nosuch_t));
	trace(arg0[1]);
	trace(arg0.x);
	trace(arg0->x);
	trace(stringof(arg0));
}
