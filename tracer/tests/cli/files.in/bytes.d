/* café */
BEGIN { trace("ÿþ"); } // naïve
