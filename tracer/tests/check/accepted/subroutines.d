BEGIN
{
	s = "text";
	this->a = strjoin(s, execname);
	this->b = strchr(s, 'x');
	this->c = strtok(s, ",");
	this->d = strtok(NULL, ",");
	trace(this->d != NULL);
	trace(NULL == strstr(s, probefunc));
	trace(substr(s, -2, 1));
	trace(index(s, "t") + rindex(s, "t", 2));
	trace(lltostr(10, 16));
	trace(strtoll("10"));
	trace(json(s, "a.b[0]"));
	trace(toupper(tolower(s)));
	trace(strlen((char *)curthread));
	trace(stringof(curthread));
	trace(htons(1));
	trace(ntohll(1));
	trace(inet_ntoa((ipaddr_t *)curthread));
	trace(inet_ntop(AF_INET6, curthread));
	trace(link_ntop(ARPHRD_ETHER, curthread));
	trace(getmajor(1));
}

#pragma D option destructive

BEGIN
{
	this->p = alloca(8);
	this->q = (int *)copyin(arg0, 8);
	copyinto(arg0, 8, this->p);
	bcopy(this->q, this->p, 4);
	copyout(this->p, arg0, 8);
	copyoutstr("text", arg0, 5);
	chill(100);
	trace(mutex_owned(curthread) + mutex_type_adaptive(curthread) + mutex_type_spin(curthread));
	trace(mutex_owner(curthread) == NULL);
	trace(rw_read_held(curthread) + rw_write_held(curthread) + rw_iswriter(curthread));
	trace(vtimestamp);
	trace(execargs);
	trace(zonename);
	trace(jailname);
	trace((user_addr_t)arg0);
	trace((user_size_t)arg1);
	trace(ipl + jid);
}

BEGIN
{
	trace(curcpu->cpu_id + curcpu->cpu_chip);
	trace(d_path((void *)curthread));
}
