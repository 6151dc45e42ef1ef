#pragma D depends_on library a_uses.d
inline int FOUR = twice[TWO];
