#pragma D option destructive
BEGIN { raise(); }
BEGIN { raise("KILL"); }
BEGIN { stop(1); }
BEGIN { system(execname); }
BEGIN { system("echo %d"); }
BEGIN { system(""); }
BEGIN { freopen(1); }
BEGIN { freopen("a%d", execname); }
BEGIN { speculate(1); raise(9); }
BEGIN { speculate(1); system("true"); }
BEGIN { freopen("."); }
