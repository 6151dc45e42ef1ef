/*
 * Pipes and FIFOs, read by pipe.rs. $1 is the pipe that the tracer writes its output to, 0 for none: to tell what is told of it
 * would have no end.
 */

pipe:::create
/pid != $pid && args[0]->pipe_ino != $1/
{
	trace(pid);
	trace(execname);
	trace(args[0]->pipe_ino);
	trace(args[0]->pipe_fd);
	trace(args[0]->pipe_fifo);
	trace(args[0]->pipe_bytes);
	trace(args[0]->pipe_capacity);
	trace(args[1]);
	trace(args[2]);
	trace(args[3]);
}

pipe:::read,
pipe:::write
/pid != $pid && args[0]->pipe_ino != $1/
{
	trace(pid);
	trace(execname);
	trace(args[0]->pipe_ino);
	trace(args[0]->pipe_fd);
	trace(args[0]->pipe_fifo);
	trace(args[0]->pipe_bytes);
	trace(args[0]->pipe_capacity);
	trace(args[1]);
	trace(args[2]);
	trace(args[3]);
	trace(args[4]);
	trace(args[5]);
}

pipe:::block-start
/pid != $pid && args[0]->pipe_ino != $1/
{
	trace(pid);
	trace(execname);
	trace(args[0]->pipe_ino);
	trace(args[0]->pipe_fd);
	trace(args[0]->pipe_fifo);
	trace(args[0]->pipe_bytes);
	trace(args[0]->pipe_capacity);
	trace(args[2]);
}

pipe:::close-end
/pid != $pid && args[0]->pipe_ino != $1/
{
	trace(pid);
	trace(execname);
	trace(args[0]->pipe_ino);
	trace(args[0]->pipe_fd);
	trace(args[0]->pipe_fifo);
	trace(args[0]->pipe_bytes);
	trace(args[0]->pipe_capacity);
	trace(args[0]->pipe_end);
	trace(args[1]);
}

/* What may move bytes of a pipe past read and write is counted: it is missing in what is told. */
syscall::splice:return,
syscall::tee:return,
syscall::vmsplice:return,
syscall::sendfile:return,
syscall::io_uring_enter:return
/pid != $pid && arg1 > 0/
{
	@pipe[probefunc] = count();
}
