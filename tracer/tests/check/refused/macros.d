/* with: arg=abc arg=99999999999999999999 arg=a.b arg=nosuchname arg=unused */
BEGIN
{
	trace($target);
	trace($8);
	trace($$8);
	trace($1);
	trace($2);
	trace($tarpet);
	trace($nosuchvariable);
	trace($3);
	trace($4);
}
syscall::$8:entry { }
