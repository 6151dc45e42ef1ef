syscall:::entry /pid == 1 { trace(1); }
syscall:::entry /pid == / { trace(2); }
syscall:::entry /pid == 1/
END { trace(3); }
syscall:::entry pid == 1/ { trace(4); }
a:b:c:d:e { trace(5); }
99999999999 { trace(6); }
syscall:::entry /*p > 1/ { trace(7); }
