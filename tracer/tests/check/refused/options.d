#pragma D option quite
#pragma D option strsize
#pragma D option strsize=huge
#pragma D option switchrate=0
#pragma D option quiet=perhaps
#pragma error only for another system
BEGIN { }
#pragma D option cpu=many
#pragma D option bufpolicy=full
#pragma D option nspec=0
#pragma D option incdir=/usr/include
