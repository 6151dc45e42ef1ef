/*
 * Calls on sockets at their returns, read by socket.rs: what every call has, then the addresses of those families that have any.
 */

socket:::return
/pid != $pid && args[0]->so_family != AF_UNIX/
{
	trace(pid);
	trace(execname);
	trace(args[2]);
	trace(args[3]);
	trace(args[4]);
	trace(args[0]->so_fd);
	trace(args[0]->so_family);
	trace(args[0]->so_type);
	trace(args[0]->so_protocol);
	trace(args[0]->so_ino);
	trace(args[1]->sc_fd);
	trace(args[1]->sc_fd2);
	trace(args[1]->sc_bytes);
	trace(args[1]->sc_flags);
	trace(args[1]->sc_backlog);
	trace(args[1]->sc_level);
	trace(args[1]->sc_option);
	trace(args[1]->sc_value);
	trace(args[1]->sc_family);
	trace(args[0]->so_laddr);
	trace(args[0]->so_lport);
	trace(args[0]->so_raddr);
	trace(args[0]->so_rport);
	trace(args[1]->sc_addr);
	trace(args[1]->sc_port);
}

socket:::return
/pid != $pid && args[0]->so_family == AF_UNIX/
{
	trace(pid);
	trace(execname);
	trace(args[2]);
	trace(args[3]);
	trace(args[4]);
	trace(args[0]->so_fd);
	trace(args[0]->so_family);
	trace(args[0]->so_type);
	trace(args[0]->so_protocol);
	trace(args[0]->so_ino);
	trace(args[1]->sc_fd);
	trace(args[1]->sc_fd2);
	trace(args[1]->sc_bytes);
	trace(args[1]->sc_flags);
	trace(args[1]->sc_backlog);
	trace(args[1]->sc_level);
	trace(args[1]->sc_option);
	trace(args[1]->sc_value);
	trace(args[1]->sc_family);
	trace(args[0]->so_path);
	trace(args[0]->so_rpath);
	trace(args[1]->sc_path);
}

/* What may move bytes of a socket past the calls above is counted: it is missing in what is told. */
syscall::sendmmsg:return,
syscall::recvmmsg:return,
syscall::sendfile:return,
syscall::splice:return,
syscall::io_uring_enter:return
/pid != $pid && arg1 > 0/
{
	@socket[probefunc] = count();
}
