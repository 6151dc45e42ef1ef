inline int LIMIT = "five";
inline string NAME = 5;
inline int first = args[0];
inline int pid = 3;
inline int undefined = nosuch;
inline int one = 1;
inline int one = 2;
inline int table[int x] = x + 1;
int one;
typedef int word_t;
typedef char word_t;
typedef char pid_t;
enum nosuch value;
enum { bad = uid, large = 0x100000000 };
inline int a = uid + uid + uid + uid + uid + uid + uid + uid;
inline int b = a + a + a + a + a + a + a + a;
inline int c = b + b + b + b + b + b + b + b;
inline int d = c + c + c + c + c + c + c + c;

BEGIN
{
	one = 5;
	one++;
	one[1] = 2;
	trace(undefined);
	trace(one.x);
	trace(sizeof (word_t));
}
