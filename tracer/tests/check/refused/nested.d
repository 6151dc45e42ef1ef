BEGIN { trace(1 + (2 + (3 + nosuch))); trace("a" + ("b" + ("c" - 1))); }
BEGIN { self->x = self->x + 1; this->y += 1; z = z ? 1 : 2; trace(z); trace(self->x); }
