/* Symbols that the kernel does not have, and modules. */

BEGIN
{
	trace(`jifies);
	trace(`no_such_thing_at_all);
	trace(`hidden);
	trace(nomodule`jiffies);
	trace(curthread->pid);
	trace(((struct task_struct *)arg0)->pid);
}
BEGIN
{
	trace(sizeof (struct vmlinux`nothing));
	trace(sizeof (ext4`inode_t));
}
