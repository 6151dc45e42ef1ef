/* Symbols of the kernel: a variable is a place in memory, a function its address. */

BEGIN
{
	start = `jiffies;
	trace(vmlinux`jiffies - start);
	trace((uint64_t)&`vfs_read);
	trace(`vfs_read == &kernel`vfs_read);
	trace(*&`jiffies);
}
