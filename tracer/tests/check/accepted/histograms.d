BEGIN { @a = llquantize(timestamp, 10, 0, 6, 20); @a = llquantize(1, 10, 0, 6, 20, 5); }
BEGIN { @b[execname] = llquantize(-1, 2, 0, 62, 2); @c = stddev(pid); @d = quantize(pid, -1); @e = lquantize(pid, 0, 10, 1, 2); }
END { printa("%s %@d\n", @b); printa("%@u\n", @c); printa(@d, @e); }
