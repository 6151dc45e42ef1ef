/* Pragmas, wherever they stand. */
#pragma D option quiet
#pragma D option strsize=64
#pragma D attributes Evolving/Evolving/Common known
#pragma D attributes Stable/Stable/ISA provider syscall args
#pragma D attributes private/Private/Unknown another
#pragma D binding "1.6.3" known
#pragma D depends_on provider syscall
#pragma D depends_on module vmlinux
#pragma D ident "some version"
#pragma ident "another"
inline int known = 1;
inline int another = 2;
BEGIN
{
#pragma D option defaultargs
	trace(known + $1);
}
