inline int mine = 3;
#pragma D attributes Unstable/Private/ISA mine

dtrace:::BEGIN
{
	trace(mine);
	exit(0);
}
