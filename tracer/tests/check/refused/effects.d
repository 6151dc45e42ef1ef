BEGIN { system("true"); }
BEGIN { freopen("/tmp/x"); }
BEGIN { raise(SIGKILL); }
BEGIN { stop(); }
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
