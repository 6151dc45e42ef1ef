#!/usr/bin/env -S tracer -Cs
#include "limits.h"
#ifdef EXTRA
BEGIN { trace(EXTRA); }
#endif
BEGIN { trace(LIMIT); exti(0); /* it's a mistake */ }
