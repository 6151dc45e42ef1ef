inline int HALF = nosuch / 2;
inline int TEXT = "text";
