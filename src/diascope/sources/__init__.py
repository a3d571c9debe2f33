"""Formats that are read: each source turns stored bytes into images."""
