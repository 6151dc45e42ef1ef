# 1 "real.d"
# 1 "<command-line>"
# 20 "real.d"
BEGIN
{
	trace(1;
}
#line 7
END { x = ; }
