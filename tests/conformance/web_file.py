"""A file behind a URL as an open one, read by ranges through fsspec; by obstore's S3 behind the S3 door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fsspec
from obstore.fsspec import FsspecStore

from tests.judges import s3

BLOCK = 2**16


def is_remote(where: str) -> bool:
    """Whether it is a URL, and no path."""
    return "://" in where


@contextmanager
def web_file(url: str) -> Iterator[Any]:
    """A file that is read block by block where it lies; raises where its server knows no ranges."""
    system, path = _place(url)
    with system.open(path, block_size=BLOCK) as file:
        assert file.size is not None
        yield file


def _place(url: str) -> tuple[Any, str]:
    place = s3.place(url)
    if place is None:
        return fsspec.filesystem("http", skip_instance_cache=True), url
    kind: Any = FsspecStore
    return kind("s3", skip_instance_cache=True, **place.options), f"{place.bucket}/{place.key}"
