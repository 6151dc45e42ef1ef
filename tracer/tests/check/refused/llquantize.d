BEGIN { @a = llquantize(1, pid, 0, 6, 20); }
BEGIN { @b = llquantize(1, 70000, 0, 6, 20); }
BEGIN { @c = llquantize(1, 10, pid, 6, 20); }
BEGIN { @d = llquantize(1, 10, -1, 6, 20); }
BEGIN { @e = llquantize(1, 10, 0, pid, 20); }
BEGIN { @f = llquantize(1, 10, 0, 70000, 20); }
BEGIN { @g = llquantize(1, 10, 0, 6, pid); }
BEGIN { @h = llquantize(1, 10, 0, 6, 70000); }
BEGIN { @i = llquantize(1, 1, 0, 6, 20); }
BEGIN { @j = llquantize(1, 10, 6, 5, 20); }
BEGIN { @k = llquantize(1, 10, 0, 6, 3); }
BEGIN { @l = llquantize(1, 10, 0, 6, 30); }
BEGIN { @m = llquantize(1, 10, 0, 20, 20); }
BEGIN { @n = llquantize(1, 10, 0, 6); }
BEGIN { @o = llquantize(1, 10, 0, 6, 20); @o = llquantize(1, 20, 0, 6, 20); }
BEGIN { @p = llquantize(1, 10, 0, 6, 20); @p = llquantize(1, 10, 1, 6, 20); }
BEGIN { @q = llquantize(1, 10, 0, 6, 20); @q = llquantize(1, 10, 0, 5, 20); }
BEGIN { @r = llquantize(1, 10, 0, 6, 20); @r = llquantize(1, 10, 0, 6, 10); }
BEGIN { @s = llquantize(1, 10, 0, 6, 20); @s = stddev(1); }
BEGIN { @t = stddev("text"); }
BEGIN { @u = stddev(1, 2); }
BEGIN { @v = llquantize(1, "10", 0, 6, 20); @w = llquantize(1, 10, 0, 6, 20, "one"); }
