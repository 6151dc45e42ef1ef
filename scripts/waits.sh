#!/bin/sh
# The workload of waits.d: calls that compute, calls that wait for time, for data, for another process.

dd if=/dev/zero of=/dev/null bs=1M count=200 2>/dev/null
sleep 0.1
(sleep 0.1; echo late) | cat >/dev/null
exit 0
