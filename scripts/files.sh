#!/bin/sh
# The workload of files.d: a file written in large pieces, copied in small ones, and read in part.

file=/tmp/files.$$
dd if=/dev/zero of=$file bs=4096 count=16 2>/dev/null
dd if=$file of=$file.copy bs=512 2>/dev/null
head -c 1000 $file.copy >/dev/null
rm $file $file.copy
exit 0
