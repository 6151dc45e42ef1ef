syscall::opne:entry { }
sycall::read:entry { }
nosuchprobe { trace(args[0]); }
tick-5parsecs { }
99999 { }
syscall::*zzz*: { }
sched:::cpucaps-sleep { }
io:::wait-start { }
lockstat:::adaptive-acquire { }
lockstat:::adaptive-blok { }
sysinfo:::rawch { }
vminfo:::zfod { }
mib:::tcpInErrs { }
vfs:::entry { }
nfsv3:::op-read-start { }
syscall:freebsd:kevent:entry { }
fsinfo:::read { }
sdt:::interrupt-start { }
sched::resume:on-cpu { }
tick-0ns { }
profile-0 { }
profile-5001 { }
profile-199us { }
cpc:::cycles-all-1000000 { }
cpc:::cpu_clock-all-0 { }
cpc:::cpu_clock-any-1 { }
cpc:::cpu_clock-all-umask_0x1-5000 { }
cpc:::nothing-all-5000 { }
cpc:::cpu_clock-all { }
proc:::signal-send
/execname/
{
	trace(args[1]->pr_pdi);
	trace(args[1].pr_pid);
	trace(args[1]->zzzzzzzzzzz);
	trace(args[99]);
	trace(args[pid]);
	trace(args[1, 2]);
	trace(arg1->pr_pid);
	trace(args[1][0]);
	trace(curthread->pid);
	trace(args[2]->x);
	trace((int)args[1]);
	trace(stringof(args[1]));
}
proc:::signal-send /curpsinfo/ { }
BEGIN { trace(args[0]); }
proc:::signal-send, syscall::read:entry { trace(args[1]); }
tcp:::state-change
/args[3]->tcps_raddr == "localhost"/
{
	trace(args[0]);
	trace(tcp_state_string["x"]);
	trace(tcp_state_string[1, 2]);
}
fbt::vfs_raed:entry { }
fbt::vfs_read:entry { trace(args[0]); }
fbt::vfs_read:return { trace(args[2]); }
fbt:nfs::entry { }
