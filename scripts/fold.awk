# Makes one line of each stack that hot.d prints: program;outermost;...;innermost SAMPLES, as flame graphs are drawn from.

/^-$/ {
    if (stacks++) {
        line = frame[1]
        for (i = n - 1; i > 1; i--)
            line = line ";" frame[i]
        print line, frame[n]
    }
    n = 0
    next
}
/./ { frame[++n] = $1 }
