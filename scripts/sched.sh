#!/bin/sh
# The workload of sched.d: one that sleeps, two that hand lines to each other, and two that compute at once.

sleep 0.2
(for line in 1 2 3 4 5; do echo $line; sleep 0.02; done) | cat >/dev/null
for one in 1 2; do
	sh -c 'count=0; while [ $count -lt 100000 ]; do count=$((count + 1)); done' &
done
wait
