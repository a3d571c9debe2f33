"""A file behind a URL as an open one, read by ranges through fsspec."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fsspec

BLOCK = 2**16


@contextmanager
def web_file(url: str) -> Iterator[Any]:
    """A file that is read block by block where it lies; raises where its server knows no ranges."""
    system = fsspec.filesystem("http", skip_instance_cache=True)
    with system.open(url, block_size=BLOCK) as file:
        assert file.size is not None
        yield file
