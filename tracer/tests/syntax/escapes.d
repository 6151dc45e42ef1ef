BEGIN { trace("]0;title [31m ‮" "x") }
