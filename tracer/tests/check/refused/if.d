BEGIN {
	if (execname) trace(1);
	if (1) { trace(nothing); } else { nobody(); }
	if (@a) exit(0);
}
proc:::create { if (curpsinfo) trace(1); }
BEGIN { 1 / 0 ? trace(1) : trace(2); }
