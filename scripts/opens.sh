#!/bin/sh
# The workload of opens.d: files that are there, that are not, and that are something else.

LC_ALL=C
export LC_ALL
cat /etc/passwd >/dev/null
echo hello >/tmp/opens.$$
cat /tmp/opens.$$ /tmp/opens.missing >/dev/null 2>&1
cat /etc/passwd/name 2>/dev/null
(echo no >/etc) 2>/dev/null
rm /tmp/opens.$$
exit 0
