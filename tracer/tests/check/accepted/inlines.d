/* Inlines with parameters: their arguments stand wherever the parameters do. */
inline int total[int x, int y] = x + y;
inline int twice[int x] = total[x, x];
inline string kind[int n] = n == 1 ? "one" : "many";
inline int64_t at[int *where, int index] = where[index];
inline int same[string a, string b] = a == b;
inline int *nowhere = 0;
inline uint8_t low[int x] = x;
int x;

BEGIN
/same[execname, "tracer"]/
{
	trace(total[1, 2]);
	trace(twice[pid]);
	trace(kind[total[0, 1]]);
	trace(at[(int *)arg0, 2]);
	trace(low[0x1ff]);
	trace(nowhere[1]);
	x = total[x++, x];
	y = kind[x];
	@[kind[2]] = count();
	/* What only turns out to be constant chooses a value, not the type. */
	trace(total[0, 1] ? pid : 1UL);
	trace(1 ? pid : 1UL);
	trace(sizeof (int) == 4 ? pid : "");
}

/* Constants choose: either side may be an action, and what is not chosen is no part of the program. */
inline int option = 1;

BEGIN
{
	option ? printf("%d", pid) : 1;
	option > 1 ? printf("%d", pid) : 1;
	!option ? trace(nothing) : option - 1 ? 1 : trace(pid);
	option ? @chosen[pid] = sum(option) : 1;
	option == 1 && option ? printa(@chosen) : clear(@never);
}
