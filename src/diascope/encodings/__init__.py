"""How pixels and bytes are encoded: one file an encoding, each a function that gives equal bytes for equal input."""
