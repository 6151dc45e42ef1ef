syscall::open*:entry { self->spec = speculation(); speculate(self->spec); printf("%s", probefunc); }
syscall:::entry /self->spec/ { speculate(self->spec); }
syscall:::return /self->spec/ { speculate(self->spec); trace(arg0); if (errno) { printf("failed"); } }
syscall::open*:return /self->spec && errno/ { commit(self->spec); self->spec = 0; }
syscall::open*:return /self->spec/ { discard(self->spec); self->spec = 0; }
BEGIN { discard(1); printf("discarding records nothing"); }
END { speculate(1); trace(1); commit(1); }
END { if (1 == 2) { speculate(1); } trace(2); }
