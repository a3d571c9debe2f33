"""Bytes that are packed, whole files and single chunks of them."""
