int x, *y, z[10];
self int in_call;
this string name;
string names[int, string];
uint64_t stamps[pid_t];
typedef struct foo { int a:3, b; char *c; struct { int d; } e; union u f[2]; } foo_t;
enum color { RED, GREEN = 4, BLUE };
typedef int (*handler)(int, foo_t *, ...);
unsigned long long int big;
long unsigned huge;
extern const volatile char *const *p;
inline int limit = 2 * 8;
inline string label[int code, string other] = code == 1 ? "one" : other;
translator foo_t < struct bar *B > {
	a = B->x;
	c = "const";
};
BEGIN { f = (foo_t *)0; g = (handler)x; h = (handler)-1; i = (other)-1; n = xlate<foo_t *>(f)->a; o = offsetof(foo_t, c); }
