"""Waist 1: the lazy multiscale image that sources open, operations map and layouts lay out."""
