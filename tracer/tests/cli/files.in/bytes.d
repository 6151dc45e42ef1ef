BEGIN { trace("ÿþ"); }
