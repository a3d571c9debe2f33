"""Servers of images beside one another, on the same work: ``python -m benchmarks.servers``."""
