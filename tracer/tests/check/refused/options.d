#pragma D option quite
#pragma D option strsize
#pragma D option strsize=huge
#pragma D option switchrate=0
#pragma D option quiet=perhaps
#pragma error only for another system
BEGIN { }
#pragma D option cpu=1
