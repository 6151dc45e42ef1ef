/* with: target=42 arg=ls arg=0x10 arg=-3 arg=0xffffffffffffffff arg=read arg=12345678901 arg=execname arg="two" */
syscall::$5:entry
/pid == $target && execname == $$1 && arg0 == $2 && arg1 == $3 && arg2 == $4/
{
	trace($pid + $uid + $6);
	trace($$target);
	trace(progenyof($target));
	trace($7 == $8);
	exit($2);
}
