#!/bin/sh
# The workload of syscalls.d: many short calls, a few that wait, some that fail.

dd if=/dev/zero of=/dev/null bs=512 count=2000 2>/dev/null
cat /nowhere/a /nowhere/b 2>/dev/null
sleep 0.1
exit 0
