#!/bin/sh
# The workload of signals.d: a child that catches USR1, ignores USR2 and dies of TERM; another that cannot escape KILL.

sh -c 'trap "echo caught" USR1; trap "" USR2; sleep 3 & while :; do wait; done' &
catcher=$!
sleep 0.2
kill -USR1 "$catcher"
sleep 0.2
kill -USR2 "$catcher"
sleep 0.2
kill -TERM "$catcher"
wait "$catcher"

sleep 60 &
sleeper=$!
sleep 0.1
kill -STOP "$sleeper"
sleep 0.1
kill -CONT "$sleeper"
sleep 0.1
kill -KILL "$sleeper"
wait "$sleeper"
exit 0
