#!/bin/sh
# The workload of sockets.d: a TCP server that takes its time, its client, and a line to the system's log over a Unix socket.

exec perl -MIO::Socket::INET -MSocket -e '
    my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die;
    my $port = $server->sockport;
    if (fork == 0) {
        my $client = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port) or die;
        syswrite $client, "x" x 1000 for 1 .. 20;
        shutdown $client, 1;
        sysread $client, my $answer, 100;
        exit;
    }
    my $client = $server->accept;
    1 while sysread $client, my $line, 512;
    select undef, undef, undef, 0.1;
    syswrite $client, "done";
    wait;
    IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 1);
    socket my $log, AF_UNIX, SOCK_DGRAM, 0;
    connect $log, pack_sockaddr_un("/nowhere/log");
'
