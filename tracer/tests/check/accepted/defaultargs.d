#pragma D option defaultargs
#pragma D option strsize=64
#pragma D option bufpolicy=ring
#pragma D depends_on library net.d
BEGIN { trace($1); trace($$2); s = $$3; }
