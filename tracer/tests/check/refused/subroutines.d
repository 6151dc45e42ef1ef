BEGIN
{
	trace(strjoin("a"));
	trace(strjoin("a", 1));
	trace(strchr("a", "b"));
	trace(strchr("a"));
	trace(strrchr(1, 'b'));
	trace(strstr("a", "b", 1));
	trace(strtok(1, ","));
	trace(strtok(NULL));
	trace(substr("a"));
	trace(substr("a", "b"));
	trace(index("a", 1));
	trace(rindex("a", "b", 1, 1));
	trace(lltostr("a"));
	trace(lltostr(1, 2, 3));
	trace(strtoll(1));
	trace(tolower(1));
	trace(toupper());
	trace(basename(1));
	trace(dirname("a", "b"));
	trace(cleanpath(pid));
	trace(json("a"));
	trace(json("a", 1));
	trace(htons("a"));
	trace(htonl());
	trace(ntohll(1, 2));
	trace(inet_ntoa("a"));
	trace(inet_ntoa6());
	trace(inet_ntop(2));
	trace(inet_ntop("a", curthread));
	trace(link_ntop(1, "a"));
	trace(getmajor("a"));
	trace(getminor());
	trace("a" == 1);
}
BEGIN
{
	this->p = alloca();
	this->p = alloca("a");
	this->p = copyin(1);
	this->p = copyin("a", 1);
	copyinto(1, 1);
	copyinto(1, "a", 1);
	bcopy(1, 2);
	bcopy(1, 2, "a");
	copyout(1, 2, 3);
	copyout(1, 2);
	copyoutstr(1, 2, 3);
	copyoutstr("a", 2, 3);
	chill(1);
	chill();
	x = bcopy(1, 2, 3);
	trace(mutex_owned("a"));
	trace(mutex_owner());
	trace(rw_read_held());
	trace(rw_iswriter("a"));
}
BEGIN
{
	panic();
	breakpoint();
	trace(curcpu);
	trace(curcpu->cpu_speed);
	trace(d_path());
	trace(d_path("a"));
}
