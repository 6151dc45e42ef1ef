extern int outside;

BEGIN
{
	trace(`jiffies);
	trace(vmlinux`jiffies);
}
