#!/bin/sh
# The workload of hot.d: one that computes, and one that keeps the kernel busy.

perl -e 'for (1 .. 2000000) { $s += $_ * $_; $t = "$s" if $_ % 3 == 0 }'
dd if=/dev/zero of=/dev/null bs=1M count=2000 2>/dev/null
exit 0
