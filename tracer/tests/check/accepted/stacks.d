#pragma D option ustackframes=5
syscall::read:entry
{
	stack();
	stack(3);
	ustack();
	ustack(7, 256);
	jstack(2);
	ustack(500);
	trace(stack(1));
	printf("%k %-10k|%a|%A|%s|%p", stack(2), ustack(), curthread, arg1, usym(arg1), curthread);
	sym((uintptr_t)curthread); func(arg0); mod(arg0);
	usym(arg1); ufunc(arg1); umod(arg1); uaddr(arg1);
	@a[stack(), execname, usym(arg1)] = count();
	@b[ustack(9)] = quantize(arg2);
}
END
{
	printa("%k %s %A %@d\n", @a);
	printa("%k", @b);
}
syscall::write:entry
{
	trace(caller);
	printf("%a %x %d %s", caller, caller, stackdepth, sym(caller));
	@c[caller, stackdepth, mod(caller)] = count();
	this->a = ucaller + ustackdepth + uregs[R_RIP] + uregs[R_SP] + uregs[14];
}
BEGIN /stackdepth > 3/ { from = caller; this->depth = stackdepth - 1; trace(caller == from); @depths[stackdepth, caller] = count(); }
END { printf("%a %d", caller, stackdepth); sym(caller); }
