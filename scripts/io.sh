#!/bin/sh
# The workload of io.d: writes past the cache, writes into it that are waited for, and reads past it.

file=${TRACER_TEST_DISK:-/tmp}/tracer-io-sample
dd if=/dev/zero of="$file" bs=64k count=4 oflag=direct 2>/dev/null
dd if=/dev/zero of="$file" bs=4k count=8 conv=notrunc,fsync 2>/dev/null
dd if="$file" of=/dev/null bs=128k count=1 iflag=direct 2>/dev/null
rm "$file"
