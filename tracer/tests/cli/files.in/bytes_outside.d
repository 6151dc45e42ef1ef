/* café */
BEGIN { café = 1; }
