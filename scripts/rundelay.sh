#!/bin/sh
# The workload of rundelay.d: more that compute than there are CPUs, and one that wants little, and soon.

for i in 1 2 3 4; do
    awk 'BEGIN { for (i = 0; i < 3000000; i++) s += i }' &
done
for i in 1 2 3 4 5 6 7 8 9 10; do
    sleep 0.01
done
wait
exit 0
