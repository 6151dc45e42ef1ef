#!/bin/sh
# The workload of tcplife.d: three requests with answers, a client that breaks off, and a port on which nobody listens.

exec perl -MIO::Socket::INET -MSocket -e '
    my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 5) or die;
    my $port = $server->sockport;
    my $child = fork;
    if ($child == 0) {
        close $server;
        for my $size (10, 1000, 100000) {
            my $client = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port) or die;
            syswrite $client, "$size\n";
            1 while sysread $client, my $answer, 65536;
        }
        my $client = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port) or die;
        setsockopt $client, SOL_SOCKET, SO_LINGER, pack("ii", 1, 0);
        syswrite $client, "7\n";
        exit;
    }
    for (1 .. 4) {
        my $client = $server->accept;
        my $size = <$client>;
        select undef, undef, undef, 0.02;
        local $SIG{PIPE} = "IGNORE";
        syswrite $client, "x" x $size if $size > 7;
    }
    close $server;
    waitpid $child, 0;
    IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port);
'
