"""Real images of every format, by path and by URL, in notebooks and pickled."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path

import numpy as np
import pytest

import diascope
from diascope.errors import DiascopeError
from diascope.image.level import Level, read_whole
from tests.conftest import manifest

AFFORDABLE = 1 << 22
"""Pixels of a level that are compared."""


def compared(mine: Level, other: Level) -> bool:
    pixels = (read_whole(mine), read_whole(other))
    return np.array_equal(*pixels, equal_nan=mine.dtype.kind in "fc")


def first_of_each_format(folder: Path) -> Iterator[Path]:
    """The first image of each format that opens here; the malformed have tests of their own."""
    seen: set[str] = set()
    for row in manifest(folder):
        if row["path"].startswith("malformed/") or row["format"] in seen:
            continue
        try:
            diascope.open(folder / row["path"])
        except DiascopeError:
            continue
        seen.add(row["format"])
        yield folder / row["path"]


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_each_format_is_the_same_by_path_and_by_url(shared_data: Path, server: Callable[[Path], str]) -> None:
    base = f"{server(shared_data)}/data/{shared_data.name}"
    count = 0
    for path in first_of_each_format(shared_data):
        local = diascope.open(path)
        if local.dtype.kind == "c":
            continue
        remote = diascope.open(f"{base}/{path.relative_to(shared_data).as_posix()}")
        again = pickle.loads(pickle.dumps(local))  # noqa: S301
        # OME-Zarr has no word for a picture of more than a byte a colour.
        assert remote.kind == local.kind or (local.kind, local.dtype.itemsize) == ("rgb", 2), path
        assert (remote.axes, remote.shape, remote.dtype) == (local.axes, local.shape, local.dtype), path
        assert remote.world == local.world, path
        assert [level.scale for level in remote.levels] == [level.scale for level in local.levels], path
        assert "<img" in local._repr_html_() or prod(local.shape) > AFFORDABLE, path
        for k, level in enumerate(local.levels):
            if prod(level.shape) <= AFFORDABLE:
                assert compared(level, remote.levels[k]), path
                assert compared(level, again.levels[k]), path
        count += 1
    assert count > 10
