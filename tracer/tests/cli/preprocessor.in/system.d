/* The C library's headers are words that D knows, and the names say which DTrace this is. */
#include <errno.h>
#include <fcntl.h>
#if !defined(__linux) || !defined(__unix) || !defined(__SVR4) || !defined(__SUNW_D_64)
#error "a name of DTrace's is not defined"
#endif
BEGIN { trace(ENOENT | O_CREAT); trace(nosuch); }
