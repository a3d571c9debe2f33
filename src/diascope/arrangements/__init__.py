"""How the root tree is laid out."""
