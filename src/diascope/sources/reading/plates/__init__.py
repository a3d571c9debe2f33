"""Plates of wells whose fields are folders of files: what the formats of several makers have in common."""
