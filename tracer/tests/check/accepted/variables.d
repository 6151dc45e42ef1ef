int declared;
string text;
string names[int, string];
self int depth;
this string path;
self string byname[string];

syscall::openat:entry
{
	fresh = arg0;
	counted++;
	total = arg1;
	total += arg1;
	self->start = timestamp;
	this->path = copyinstr(arg1);
	this->n = pid + 1;
	text = "hello";
	text = execname;
	text = probefunc;
	text = 0;
	names[pid, execname] = this->path;
	names[1, "x"] = "y";
	self->byname["a"] = probename;
	seen[pid, execname]++;
	seen[1, probefunc] += 2;
	last[tid] = timestamp;
	self->many[arg0, "key"] = 1;
	++counted;
	counted--;
	trace(names[pid, "b"]);
	trace(seen[2, "abc"]);
	trace(last[3]);
	trace(self->many[4, text]);
	self->depth++;
	declared = fresh > 3 ? 1 : 0;
}
