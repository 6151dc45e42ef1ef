#!/bin/sh
# The workload of sigmatrix.d: signals between a shell and its children, and from the kernel for a broken pipe.

sleep 60 &
sleep 0.1
kill -TERM $!
wait $!
sleep 60 &
sleep 0.1
kill -KILL $!
wait $!
sh -c 'trap "" USR1; for i in 1 2 3; do kill -USR1 $$; done'
yes 2>/dev/null | head -n 1 >/dev/null
sh -c 'trap "" INT; kill -INT $$'
exit 0
