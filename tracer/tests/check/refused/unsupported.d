inline int limit = 5;
typedef struct mine mine;
extern int outside;
struct point { int x; int y; } origin;
struct color { int red; };
struct task_struct *task;
float ratio;
int fixed[10];
int (*function)(int);
translator psinfo_t < int p > { pr_pid = p; };
int ok;

BEGIN
/limit/
{
	trace(1.5);
	trace(`jiffies);
	trace(vmlinux`jiffies);
	trace(offsetof(psinfo_t, pr_pid));
	trace(xlate <psinfo_t *>(curthread)->pr_pid);
	trace(&ok);
	trace(*(mine *)1);
	trace(*(string *)arg0);
}
