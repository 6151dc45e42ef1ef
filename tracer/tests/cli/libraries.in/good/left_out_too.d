#pragma D depends_on library left_out.d
inline int GONE_TOO = GONE;
