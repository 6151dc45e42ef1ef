/* Read before what depends on it. */
#pragma D attributes Evolving/Evolving/Common TWO
inline int TWO = 2;
struct pair { int left; int right; };
translator struct pair < int N > { left = N; right = N + TWO; };
typedef struct pair pair_t;
