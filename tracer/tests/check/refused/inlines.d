inline int sum[int x, int y] = x + y;
inline int nameless[int] = 1;
inline int pair[int x, int x] = x;
inline int wrong[int x] = nosuch + x;
inline string text[int x] = x;
inline int store[int x] = x++;
inline int pid[int x] = x;
inline int sum = 5;
inline int itself[int x] = itself[x - 1];
int sum;

BEGIN
{
	trace(sum);
	trace(sum[1]);
	trace(sum["a", 1]);
	trace(sum[1, 2, 3]);
	sum[1, 2] = 3;
	sum = 4;
	trace(wrong[1]);
	trace(x);
}
