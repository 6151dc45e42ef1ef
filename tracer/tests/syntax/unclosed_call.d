BEGIN
{
	trace(1;
	trace(2));
	x = 1 +;
	y = 2 y = 3;
	exit(0);
}
