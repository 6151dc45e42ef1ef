inline int total[int x, int y] = x + y;
inline int nameless[int] = 1;
inline int pair[int x, int x] = x;
inline int wrong[int x] = nosuch + x;
inline string text[int x] = x;
inline int store[int x] = x++;
inline int pid[int x] = x;
inline int total = 5;
inline int itself[int x] = itself[x - 1];
int total;

BEGIN
{
	trace(total);
	trace(total[1]);
	trace(total["a", 1]);
	trace(total[1, 2, 3]);
	total[1, 2] = 3;
	total = 4;
	trace(wrong[1]);
	trace(x);
}
