int *where;
syscall::read:entry
{
	where = (int *)arg1;
	trace(*where);
	trace(where[3]);
	trace(*(where + 1));
	trace(*(uint8_t *)arg1);
	trace(where - (int *)arg0);
	trace(where == NULL);
	trace(where ? 1 : 0);
	trace((uint64_t)where + 1);
	trace(curthread);
	printf("%p %a\n", where, where);
	where++;
	++where;
	where += 2;
	this->p = (char *)arg1;
	trace(pid == 1 ? where : 0);
	@[where] = count();
	copied[where] = 1;
	trace(**(int **)arg1);
	trace(!where);
	trace((int)where);
	trace(copyinstr((uintptr_t)where));
}
