"""What the images of a TIFF file are called after it."""

from __future__ import annotations

SUFFIXES = (".ome.tiff", ".ome.tif", ".ome.btf", ".ome.tf2", ".ome.tf8", ".companion.ome")


def stem(file_name: str) -> str:
    """The name of a file without the ending that tells its format."""
    for suffix in SUFFIXES:
        if file_name.lower().endswith(suffix):
            return file_name[: -len(suffix)] or file_name
    return file_name.rpartition(".")[0] or file_name
