#!/bin/sh
# The workload of pipes.d: a reader slower than its writer, a writer slower than its reader, and one nobody listens to.

dd if=/dev/zero bs=4096 count=64 2>/dev/null | (sleep 0.3; cat) >/dev/null
(sleep 0.3; echo late) | cat >/dev/null
yes 2>/dev/null | head -n 1 >/dev/null
exit 0
