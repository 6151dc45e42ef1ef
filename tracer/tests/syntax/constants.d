BEGIN
{
	a = 09;
	b = 0b101;
	c = 0x;
	d = 12abc;
	e = 18446744073709551616;
	f = 10ms;
	g = 1.5.2;
	h = '';
	i = 'x;
	j = "abc;
	k = 'abcdefghi';
	l = 4k;
	m = 1e999;
	n = $;
	o = vmlinux`;
	p = “quoted”;
	q = #define;
	r = a[];
	s = 1();
}
