#pragma D option quiet;
#pragma option quiet
#pragma D optoin quiet
#pragma D
#pragma D option
#pragma D depends_on thing x
#pragma once
#define X 1
#whatever
#error not on Linux
BEGIN {
#pragma D option destructive
	trace(1);
}
