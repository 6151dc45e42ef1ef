struct point { int x; int y; };
struct node { struct node *next; struct later *later; int value; };
struct later { struct node first; };
typedef struct { char name[16]; unsigned int low : 3, high : 7; int : 0; long big : 40; } packed_t;
# 1 "either.h" 1
union either { long number; char bytes[8]; struct { int low; int high; }; };
# 6 "composites.d" 2
typedef enum { RED, GREEN = 5, BLUE } color_t;
enum plain { ONE = 1, TWO };
typedef int (*handler_t)(int, char *, ...);

struct point p;
packed_t packed;
union either u;
this struct point tp;
self packed_t sp;
struct point places[int];
int fixed[10];
int grid[3][4];
this char text[ONE + 7];
string names[2];
color_t color;
enum plain plain;
handler_t handler;
struct node *list;
int *row;

BEGIN
{
	p.x = 3;
	this->tp = p;
	this->tp.y++;
	--p.y;
	packed.low = 9;
	packed.high += 2;
	packed.big = -1;
	self->sp = packed;
	places[1] = this->tp;
	places[2].x = 4;
	u.number = 5;
	u.high = u.bytes[0];
	fixed[3] = fixed[2]++;
	grid[1][2] = grid[pid][tid];
	this->text[0] = 'a';
	names[1] = execname;
	color = BLUE;
	plain = TWO;
	i = color + plain;
	fixed[i++] |= 3;
	*(row + i++) += 1;
}

BEGIN
/list->next->later->first.value && handler == NULL/
{
	list = (struct node *)curthread;
	row = fixed;
	trace(*list);
	trace(list->later->first);
	trace((*list).value);
	trace(&list->value);
	trace(&p.y);
	trace(&fixed[i] - fixed);
	trace(*(fixed + 1));
	trace(row[2]);
	trace(packed.name);
	trace(packed.low - 5 < 0);
	trace(sizeof(struct node) + sizeof(packed_t) + sizeof(union either) + sizeof(grid[0]) + sizeof(handler_t));
	trace(offsetof(packed_t, name) + offsetof(union either, high));
	trace((pid ? p : this->tp).x);
	trace((p = this->tp).y);
	trace(pid ? list : NULL);
	trace(packed.name == "abc" || "abd" > packed.name);
	trace(stringof(packed.name));
	trace(strlen(packed.name));
	trace((string)(char *)arg0);
	trace(stringof(arg1));
	printf("%s %d %p %x %c", packed.name, color, fixed, packed.high, u.bytes[1]);
	@[packed.name, color, row] = count();
	@named[places[2].x] = sum(fixed[1]);
}
