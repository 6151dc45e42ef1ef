struct point { int x; int y; };
struct twice { int a; int a; };
# 1 "inner.h" 1
struct inner { int a; struct { int a; }; };
# 4 "composites.d" 2
struct point { int z; };
struct void_member { void v; };
struct incomplete { struct nowhere n; };
struct function_member { int f(int); };
struct bits { int a : 33; char *b : 3; int c : 0; int d : execname; float e; };
struct fields { unsigned int low : 3; int whole; };
int none[0];
int unknown[];
int negative[-1];
int text["x"];
int dynamic[pid];
int huge[1000000000];
this char large[5000];
int function(int);
int returns(int)[3];
int voids(int, void);
struct point p;
struct fields f;
struct nowhere *somewhere;
struct point *pointer;
int (*handler)(int);
int array[4];
string name;
self int mine;
float ratio;
double ratios[2];

BEGIN
{
	trace(p.z);
	trace(p->x);
	trace(pointer.x);
	trace(array[4]);
	trace(array[-1]);
	trace(array["x"]);
	trace(array[1, 2]);
	trace(array.x);
	trace(somewhere->x);
	trace(*somewhere);
	trace(sizeof(struct nowhere));
	trace(sizeof(struct nobody));
	trace(sizeof(f.low));
	trace(offsetof(struct fields, low));
	trace(offsetof(struct fields, middle));
	trace(offsetof(int, x));
	trace(offsetof(struct nowhere, x));
	trace(&f.low);
	trace(&name);
	trace(&self->mine);
	trace(&1);
	trace(&pid);
	trace(*handler);
	trace(handler + 1);
	trace(p + 1);
	trace(-p);
	trace(p == p);
	trace(p ? 1 : 2);
	trace(p && 1);
	trace((struct point)1);
	trace((int)p);
	trace((string)p);
	trace(stringof(p));
	trace(1.5 + 1);
	trace(-1.5);
	trace((int)1.5);
	trace((float)1);
	trace(strlen(p));
	p = 1;
	p = f;
	pid = 1;
	array = 5;
	array = name;
	pointer = &f;
	pointer = &p.x;
	name = array;
	name = p;
	x = 1.5;
	1 = 2;
	p++;
	f.low = "x";
	@[p] = count();
	@a[array] = count();
	@b = sum(p);
	printf("%d %s", p, array);
	exit(p);
}

BEGIN
/p/
{
}
