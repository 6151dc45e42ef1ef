BEGIN { tracemem(curthread, pid); }
BEGIN { tracemem(curthread, 0); }
BEGIN { tracemem(curthread, 1 << 20); }
BEGIN { tracemem(curthread); }
BEGIN { tracemem(execname, 8); }
BEGIN { tracemem(curthread, 8, execname); }
BEGIN { setopt("nosuch"); }
BEGIN { setopt("bufsize", "1m"); }
BEGIN { setopt("quiet", "perhaps"); }
BEGIN { setopt(execname); }
BEGIN { ftruncate(1); }
BEGIN { tracemem(curthread, 8, 4, 2); }
BEGIN { tracemem(curthread, "8"); }
BEGIN { trace((void)1); }
BEGIN { print((void)1); }
BEGIN { @a = count(); print(@a); trace(@a); }
BEGIN { @b = count(); @b; }
BEGIN { printm(8, curthread); printm(pid, memref(curthread, 8)); printm(8); }
