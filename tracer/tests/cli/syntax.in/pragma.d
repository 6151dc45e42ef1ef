#pragma D option strsiez=3

BEGIN
{
	exit(0);
}
