"""Pixels that lie in files as plain numbers, in whatever order of axes, types and files."""
