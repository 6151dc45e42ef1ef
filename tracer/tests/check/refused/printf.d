proc:::signal-send
{
	printf();
	printf(1);
	printf(execname);
	printf("");
	printf("%d\n");
	printf("%d %d\n", 1);
	printf("%d\n", 1, 2);
	printf("%d\n", execname);
	printf("%s\n", 1);
	printf("%s\n", curthread);
	printf("%Y\n", pid);
	printf("%z\n", 1);
	printf("tail %");
	printf("%*d\n");
	printf("%*d\n", "x", 1);
	printf("%@d\n", 1);
	printf("%d\n", args[1]);
	printf("%d %s\n", execname, pid);
	printf("%d\n", @a);
	printf("%k\n", 1);
	printf("%hd %ld %lld %llu\n", 1, 2, 3, (int64_t)4);
	printf("%hx %lx %Lf\n", 1, 2, 1.5);
	printf("%c %wc %ws\n", timestamp, (char)1, "x");
	printf("%x %d %u %o\n", curthread, curthread, curthread, curthread);
	printf("%hhd\n", (char)1);
	printf("%hs\n", "x");
	trace(args[1]);
	trace(curpsinfo == 0);
	trace(args[1] + 1);
}
