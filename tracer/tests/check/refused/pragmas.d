#pragma D option strsize=1
#pragma D attributes Stable known
#pragma D attributes Stable/Firm/Common known
#pragma D attributes Stable/Stable/Common provider syscall probes
#pragma D attributes Stable/Stable/Common provider nobody args
#pragma D attributes Stable/Stable/Common provider syscall args more
#pragma D attributes Stable/Stable/Common unknown
#pragma D binding "one" known
#pragma D binding "1.0" missing
#pragma D binding 1.0
#pragma D depends_on provider nobody
#pragma D depends_on module nosuch
#pragma D depends_on library nosuch.d
#pragma D depends_on kernel it
#pragma D warning no such pragma
#pragma D error given up
#pragma option quiet
inline int known = 1;
BEGIN { trace(known); }
