#pragma D option destructive
BEGIN
{
	tracemem(curthread, 16);
	tracemem(curthread, 16, 4);
	tracemem(arg0, 4 * 8, pid);
	print(pid);
	print(execname);
	print(curthread);
	system("echo %s %d", execname, pid);
	freopen("/tmp/out.%d", pid);
	freopen("");
	ftruncate();
	setopt("quiet");
	setopt("stackindent", "4");
	raise(SIGUSR1);
	raise(pid);
	stop();
}
