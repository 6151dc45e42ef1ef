#!/bin/sh
# The workload of piperate.d: 1 MB to a reader that waits a while first, and lines that trickle.

dd if=/dev/zero bs=1000 count=1000 2>/dev/null | (sleep 0.25; cat) >/dev/null
for i in 1 2 3 4; do
    echo "line $i"
    sleep 0.05
done | cat >/dev/null
exit 0
