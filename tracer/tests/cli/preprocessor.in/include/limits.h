#ifndef LIMITS_H
#define LIMITS_H
#define LIMIT 3
#endif
