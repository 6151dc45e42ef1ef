/* Translators: members by their expressions, of the program's own structures and of the probes'. */
struct raw { int a; long b[4]; char name[8]; struct raw *next; };
struct point { int x; int y; string label; int64_t sum; };
typedef struct point point_t;

translator point_t < struct raw *R > { x = R->a; y = R->b[1]; label = R->name; sum = R->a + R->b[0]; };
translator point_t < int N > { x = N; y = N * 2; };
translator psinfo_t < int P > { pr_pid = P; pr_fname = "made up"; };

inline point_t *here = xlate <point_t *>((struct raw *)arg0);
inline point_t there[int n] = xlate <point_t>(n + 1);
inline psinfo_t *someone = xlate <psinfo_t *>(pid);
point_t kept;

BEGIN
/here->x > 0/
{
	trace(here->y);
	trace(here->label);
	trace(there[4].x);
	trace(xlate <point_t>(5).y);
	trace(xlate <struct point *>((struct raw *)arg1)->sum);
	trace(someone->pr_fname);
	trace(xlate <psinfo_t *>(someone->pr_pid + 1)->pr_pid);
	kept = xlate <point_t>(7);
	trace(kept.y);
}
