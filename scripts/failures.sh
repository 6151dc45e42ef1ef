#!/bin/sh
# The workload of failures.d: calls that fail, among many that do not.

PATH=/usr/bin:/bin
LC_ALL=C
export PATH LC_ALL
cat /etc/passwd /nowhere/file >/dev/null 2>&1
mkdir /tmp 2>/dev/null
rmdir /nowhere/folder 2>/dev/null
/nowhere/program 2>/dev/null
ls /etc >/dev/null
exit 0
