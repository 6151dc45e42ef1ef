#!/bin/sh
# The workload of tcp.d: a server and a client, its child, exchange a few words; then a port on which nobody listens.

exec perl -MIO::Socket::INET -e '
    my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1) or die;
    my $port = $server->sockport;
    my $child = fork;
    if ($child == 0) {
        $server->close;
        my $client = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port) or die;
        $client->print("How do you do?\n");
        $client->flush;
        $client->getline;
        $client->close;
        exit;
    }
    my $client = $server->accept;
    $client->getline;
    $client->print("Very well, thank you.\n");
    $client->flush;
    $client->getline;
    $client->close;
    $server->close;
    waitpid $child, 0;
    IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port);
'
