"""Doors: each access point hands the tree to clients that know its protocol."""
