BEGIN { system("true"); }
BEGIN { freopen("/tmp/x"); }
BEGIN { raise(SIGKILL); }
BEGIN { stop(); }
BEGIN { chill(1); copyout(curthread, 0, 1); }
