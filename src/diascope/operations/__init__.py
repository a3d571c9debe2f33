"""Coordinate transformations, filters, channel and axis work: each operation maps an image lazily."""
