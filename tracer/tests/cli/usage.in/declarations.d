int hits;
