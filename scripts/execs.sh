#!/bin/sh
# The workload of execs.d: programs in a row, one within another, one that is not there, and two that end badly.

/bin/true one
sh -c '/bin/true two; exec /bin/true three'
/nowhere/program 2>/dev/null
sh -c 'exit 7'
sh -c 'kill -TERM $$'
exit 0
