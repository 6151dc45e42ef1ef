#pragma D depends_on library units.d
#pragma D depends_on provider syscall
inline int twice[int n] = n * TWO;
