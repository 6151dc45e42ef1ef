trace(1);
x = 1;
{ trace(2); }
/pid == 1/ { trace(3); }
@a = count();
BEGIN { } }
int x = 5;
int;
foo_t;
self y;
