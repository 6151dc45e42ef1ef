inline int LIMIT = 5;
inline int TWICE = LIMIT * 2;
inline string SHELL = "bash";
inline pid_t me = pid;
typedef uint16_t port_t;
typedef int *where_t;
typedef port_t other_t;
enum color { red, green = 5, blue } painted;
enum color another;
enum { small = -1, ORDINARY };

port_t port;
where_t place;

BEGIN
/execname == SHELL && me > LIMIT/
{
	port = 0x12345;
	place = (where_t)arg0;
	painted = blue;
	another = green | red;
	trace((port_t)LIMIT + sizeof (port_t) + sizeof port);
	trace(blue + TWICE + small);
	@ = lquantize(arg0, 0, TWICE * 100, LIMIT);
	trace(SHELL);
	trace(*place);
}
