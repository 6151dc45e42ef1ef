BEGIN {
	if (execname) trace(1);
	if (1) { trace(nothing); } else { nobody(); }
	if (@a) exit(0);
}
proc:::create { if (args[0]) trace(1); }
