#!/usr/bin/env -S tracer -s
dtrace:::BEGIN{}
syscall::read:entry/pid==1/{trace(1)}
*:::, :::, tick-10ms, pid$1::mal*:entry, fbt::tcp_*:entry, syscall::[rw]*:[!e]*, -x { }
:::/!self->t/ /* between */ { }
:::/(arg0 & 1) / 2/ // between
{ (void)printf("a\\b\"%c\n", 'x'); }
:::/ *(int *)arg0 / { x = *(uint32_t *)arg1; y = (int)arg0 == -1; z = (x)-1; }
:::/a[1]/{ this->p = (struct foo *)copyin(arg0, sizeof (struct foo)); trace((string)this->p->name); }
::: { trace(((struct sock *)arg0)->__sk_common.skc_family); p = &`x; self->a[1, "b"] = 2; this->x++; --x; }
::: { printf("%d", (x) ? 1 : 2); stringof(x) == "a"; sizeof(x) * 2; sizeof (int) * 2; -sizeof x; }
::: { a = b = c; a <<= 1; a ? b : c ? d : e; (a, b); f(a, (b, c)); a.provider->string.self; }
::: { if (a) b; if (a) { b } else c; if (a) (b); else { } }
::: { trace(0xFFull); trace(017); trace(10ul); trace(1.5); trace(.5); trace(1e3f); trace($$1); trace($target); }
::: { @ = count(); @[pid] = count(); printa(@); printa("%@d", @a, @b); @a[(int)pid, "x", x ? 1 : 2] = sum(-1); }
::: { offsetof(struct foo, bar); xlate <psinfo_t *> (curthread)->pr_pid; xlate<foo_t>(x).y; (foo)(bar); (foo)!bar; }
::: { ; ; }
this int x; self string y; struct foo; struct foo { int a; }; enum { A, B }; const char *s; foo_t *p; foo_t q, r;
typedef struct bar { struct foo f; int (*g)(void); char b[16]; unsigned :3; } bar; bar v; int w[A + 1];
::: { (bar)-1; (bar *)x; sizeof (bar); }
tick-1s
