BEGIN
{
	@a = 1;
	@b = count;
	@c[1][2] = count();
	@d += 1;
	x = @e = count();
	@f[] = count();
	@ = max(1) + 2;
}
