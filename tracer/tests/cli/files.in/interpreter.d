#!/usr/bin/env -S tracer -s

BEGIN
{
	exit(0);
}
