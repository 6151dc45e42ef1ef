#pragma D depends_on library units.d
#pragma D depends_on library tcp.d
#pragma D depends_on library left_out.d
BEGIN { trace(TWO); }
