/* with: zdefs */
nothing:::here { trace(arg0); }
syscall::read:entry, syscall::nosuchcall:entry { trace(args[0]); }
