extern int outside;
translator psinfo_t < int p > { pr_pid = p; };

BEGIN
{
	trace(`jiffies);
	trace(vmlinux`jiffies);
	trace(xlate <psinfo_t *>(curthread)->pr_pid);
}
