BEGIN END { }
syscall::read:entry syscall::write:entry { trace(1); }
syscall::: entry { trace(1); }
