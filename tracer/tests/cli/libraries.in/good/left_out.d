#pragma D depends_on provider nosuchprovider
inline int GONE = nosuchname;
