#include "compiler.h"
struct entry e;
BEGIN { e.counter = PORT + LIMIT; e.b = ALL; this->t = (tiny_t)-1; trace(EDGE > 0 && sizeof (wide_t) == 8); exit(0); }
