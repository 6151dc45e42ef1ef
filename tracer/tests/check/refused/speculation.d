BEGIN { commit(1); commit(2); }
BEGIN { trace(1); commit(1); }
BEGIN { commit(1); trace(1); }
BEGIN { commit(1); @ = count(); }
BEGIN { speculate(1); speculate(1); }
BEGIN { commit(1); speculate(1); }
BEGIN { trace(1); speculate(1); }
BEGIN { @ = count(); speculate(1); }
BEGIN { speculate(1); @ = count(); }
BEGIN { speculate(1); exit(0); }
BEGIN { if (1 == 2) { trace(1); } speculate(1); }
BEGIN { speculate(1); if (1 == 2) { @ = count(); } }
BEGIN { commit(); }
BEGIN { speculate("one"); }
BEGIN { x = speculate(1); }
BEGIN { speculation(1); }
BEGIN { speculate(1); copyout(curthread, 0, 1); }
BEGIN { speculate(1); this->x = 1; chill(1); }
