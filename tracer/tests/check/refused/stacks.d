BEGIN { x = stack(); }
BEGIN { x = sym(arg0) + 1; }
BEGIN { stack(0); }
BEGIN { stack(pid); }
BEGIN { stack(1, 2); }
BEGIN { ustack(-1); }
BEGIN { ustack(3, pid); }
BEGIN { ustack(1, 2, 3); }
BEGIN { usym(); }
BEGIN { usym("main"); }
BEGIN { printf("%k", pid); }
BEGIN { printf("%d", stack()); }
BEGIN { printf("%A", sym(arg0)); }
BEGIN { a[ustack()] = 1; }
BEGIN { @a[stack(3)] = count(); }
BEGIN { @a[stack(4)] = count(); }
BEGIN { @b[stack(3)] = count(); }
END { printa("%s", @b); }
BEGIN { trace(uregs[pid]); }
BEGIN { trace(uregs[R_NONE]); }
BEGIN { trace(uregs[-1]); }
BEGIN { uregs = 1; }
