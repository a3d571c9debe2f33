"""Files of every format, spoilt at random, until a reader does what none may do."""
