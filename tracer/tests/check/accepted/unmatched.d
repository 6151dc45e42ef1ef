/* with: zdefs */
nothing:::here { trace(args[0]); }
syscall::read:entry, syscall::nosuchcall:entry { trace(args[0]); }
