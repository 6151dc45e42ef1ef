syscall::openat:entry
/execname == "sh" || "bash" == execname || probefunc == "openat" || execname > "m"/
{
	this->name = pid == 1 ? "init" : execname;
	trace(this->name == execname);
	trace(stringof(execname));
	trace((string)execname);
	trace(strlen(copyinstr(arg1)) + strlen(probefunc));
	trace(copyinstr(arg1, 16) != "");
	trace(execname == probefunc);
	trace(probefunc == probename ? "same" : probefunc);
	printf("%s %10.5s %S\n", execname, probefunc, "literal");
}
