unsigned float x;
long char y;
int int z;
self this int a;
struct { int b } c;
struct d { int e; f };
enum { 1 };
int g[3;
int (*h;
BEGIN { x = (unsigned string)1; y = sizeof (; z = offsetof(int); w = xlate(x); }
