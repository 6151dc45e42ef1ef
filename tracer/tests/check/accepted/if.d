/* Conditions inside clauses. */
BEGIN {
	if (pid == 1) trace("one");
	else if (pid == 2) { trace("two"); x = 1; }
	else { y = "other"; if (x) printf("%s", y); }
	trace(x);
	if (curthread) ; else exit(1);
	if (x++) @a[x] = count();
}
syscall::read:entry /execname == "cat"/ {
	if (arg2 > 100) {
		self->big = 1;
		if (arg2 > 1000) { if (arg2 > 10000) { trace(arg2); } }
	} else self->big = 0;
}
END { if (1) {} }
