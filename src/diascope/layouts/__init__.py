"""Formats that are served: each layout turns an image into a tree of virtual files."""
