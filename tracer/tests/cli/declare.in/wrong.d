provider app { probe start(int, ); probe stop(); probe stop(); }
