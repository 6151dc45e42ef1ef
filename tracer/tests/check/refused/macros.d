// with: arg=abc arg=99999999999999999999 arg=unused
BEGIN
{
	trace($target);
	trace($4);
	trace($$4);
	trace($1);
	trace($2);
	trace($tarpet);
	trace($nosuchvariable);
}
syscall::$4:entry { }
