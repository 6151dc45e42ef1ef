struct out { int x; int y; string s; };
struct in { int a; };
typedef struct out out_t;
translator out_t < struct in *I > { x = I->a; z = 1; x = 2; s = I->a; y = nosuch; };
translator out_t < struct in *I > { x = I->a; };
translator int < struct in *I > { x = I->a; };
translator out_t < long > { x = 1; };
translator struct nosuch < long l > { x = 1; };
translator out_t < string s > { x = 1; };
inline out_t *good = xlate <out_t *>("text");
inline int bad = xlate <out_t *>("text");
inline out_t *many[int n] = xlate <out_t *>(n);

BEGIN
{
	trace(xlate <out_t *>((struct in *)arg0)->z);
	trace(xlate <out_t *>((struct in *)arg0).x);
	trace(xlate <out_t>((struct in *)arg0)->x);
	trace(xlate <out_t *>(args)->x);
	trace(xlate <out_t *>(1)->x);
	trace(xlate <int>(1));
	trace(good->y);
	this->p = good;
	good = 0;
	trace(xlate <psinfo_t *>(1)->pr_pid);
}
