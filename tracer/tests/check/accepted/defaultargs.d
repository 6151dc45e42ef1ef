#pragma D option defaultargs
#pragma D option strsize=64
#pragma D option bufpolicy=ring
BEGIN { trace($1); trace($$2); s = $$3; }
