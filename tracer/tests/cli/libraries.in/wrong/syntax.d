inline int = 3;
