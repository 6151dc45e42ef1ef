#!/bin/sh
# The workload of udp.d: a client, and a server, its child, exchange datagrams.

exec perl -MIO::Socket::INET -e '
    my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", Proto => "udp") or die;
    my $port = $server->sockport;
    my $child = fork;
    if ($child == 0) {
        for (1 .. 3) {
            $server->recv(my $text, 1500);
            $server->send(uc $text);
        }
        exit;
    }
    my $client = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $port, Proto => "udp") or die;
    for my $text ("hello", "how are you", "good bye" x 100) {
        $client->send($text);
        $client->recv(my $answer, 1500);
    }
    waitpid $child, 0;
'
