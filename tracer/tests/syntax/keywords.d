BEGIN
{
	for (i = 0; i < 10; i++) { trace(i); }
	while (1) x;
	int y = 5;
	else trace(1);
	switch (x) { case 1: break; }
	x = if;
	x = int;
	counter = 1;
	self.x = 1;
}
