#!/bin/sh
# The workload of threads.d: a program with a thread that works and one that waits, and a child.

exec perl -Mthreads -e '
    my $works = threads->create(sub { my $s = 0; $s += $_ for 1 .. 1000000; $s });
    my $waits = threads->create(sub { select undef, undef, undef, 0.05 });
    $_->join for $works, $waits;
    exec "true" if fork == 0;
    wait;
'
