/* What headers hold beside declarations that D knows. */
#define PORT 80
typedef __signed__ char tiny_t;
__extension__ typedef unsigned long long wide_t __attribute__((__aligned__(8)));
_Static_assert(sizeof (wide_t) == 8, "a ) in a string");
static inline unsigned short swapped(unsigned short port)
{
	if (port != 0) { port = (port >> 8) | (port << 8); }
	return port;
}
extern __inline__ int twice(int n) { __asm__ volatile ("nop }" : : : "memory"); return 2 * n; }
inline static int half(int n) { return n / 2; }
inline int quarter(int n);
inline int LIMIT = 7;
extern int named(const char *__restrict__ name, int list[restrict 4]) __asm__("name") __attribute__((__nothrow__ ));
enum events { IN = 1, EDGE = 1u << 31, ALL = 0xffffffffULL << 32 };
struct entry {
	__volatile__ int counter;
	union { int a; long b; };
	struct { } none;
	wide_t rest[0];
};
