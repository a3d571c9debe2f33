"""What grows is seen as it is, soon, and those who read it meanwhile see what was there before, or are told."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from time import sleep
from typing import Any

import numpy as np
import pytest
import tifffile

from diascope.bounded import BoundedCache
from diascope.catalogue.repository import Opened, Repository
from diascope.errors import Changed, DiascopeError
from diascope.image.cache import chunk_cache
from diascope.image.image import Image
from diascope.sources.dataset import Dataset
from diascope.stores.local import LocalStore
from tests.sources.growing import GROWING

REFRESH = 0.05
PATIENCE = 40
"""So many times of refreshing until what is seen is what is there."""

TICK = 0.02
"""Longer than one of the clock that the file system has."""


def repository(folder: Path, kept: int = 1 << 24) -> Repository:
    caches: Any = [BoundedCache(1000, weigh=lambda _: 1) for _ in range(2)]
    return Repository(
        name="images",
        store=LocalStore(folder),
        views={},
        chunks=chunk_cache(kept),
        datasets=caches[0],
        places=caches[1],
        refresh_seconds=REFRESH,
    )


def opened(place: Repository, name: str) -> Opened:
    found = place.place(name)
    assert found, name
    return place.opened(found)


def images(dataset: Dataset) -> dict[str, Image]:
    roles = {"": dataset.images, "labels/": dataset.labels}
    return {f"{role}{name}": each[name] for role, each in roles.items() for name in each}


def seen(place: Repository, name: str) -> Any:
    """The pixels by the names of the images, or what is told instead."""
    try:
        return {key: pixels(image) for key, image in images(opened(place, name).dataset).items()}
    except DiascopeError as error:
        return error


def pixels(image: Image) -> Any:
    try:
        return image[...]
    except DiascopeError as error:
        return error


def alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, Exception) or isinstance(other, Exception):
        return isinstance(one, Exception) and isinstance(other, Exception)
    return bool(np.array_equal(one, other))


# ndtiff's own writer and reader leave their files to be closed by nobody.
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed file:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.mark.parametrize("kind", GROWING)
def test_it_is_seen_as_it_is(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    place = repository(folder)
    before: list[tuple[str, Any]] = []
    for name in GROWING[kind](folder):
        now = seen(repository(folder), name)
        for _ in range(PATIENCE):
            if alike(found := seen(place, name), now):
                break
            sleep(REFRESH)
        assert alike(found, now), told(found, now)
        try:
            identity = opened(place, name).identity
        except DiascopeError as error:
            identity = repr(error)
        before.append((identity, now))
        sleep(TICK)
    assert not alike(before[0][1], before[-1][1])
    for (identity, one), (later, other) in pairwise(before):
        # Nobody was given pixels of what was an error, so that no ETag stands for them.
        was_error = isinstance(one, DiascopeError)
        assert alike(one, other) or was_error or identity != later, "other pixels have the same identity"


@pytest.mark.parametrize("kind", GROWING)
def test_readers_see_what_was_there_or_are_told(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    steps = GROWING[kind](folder)
    # Some are no image yet when they begin.
    name, first = next((name, now) for name in steps if isinstance(now := seen(repository(folder), name), dict))
    fresh = images(opened(repository(folder), name).dataset)
    for _ in steps:
        sleep(TICK)
        for key, image in fresh.items():
            found = pixels(image)
            assert any(isinstance(each, DiascopeError) for each in (found, first[key])) or alike(found, first[key]), (
                key,
                told({key: found}, first),
            )


def told(one: Any, other: Any) -> str:
    return f"{shapes(one)} are not {shapes(other)}"


def shapes(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: shapes(each) for key, each in found.items()}
    return repr(found) if isinstance(found, Exception) else (found.shape, found.ravel()[:3])


@pytest.mark.parametrize("kind", ["wells", "operetta", "micromanager", "terafly"])
def test_a_plane_that_is_overwritten_is_told_once_and_then_seen(tmp_path: Path, kind: str) -> None:
    """No version of a folder tells of it: whoever reads the plane finds out."""
    folder = tmp_path / "images"
    folder.mkdir()
    *_, name = GROWING[kind](folder)
    place = repository(folder, 0)
    first = opened(place, name)
    key = next(iter(first.dataset.images))
    before = first.dataset.images[key]
    now = pixels(before)
    for path in folder.rglob("*.tif*"):
        data = path.read_bytes()
        tifffile.imwrite(path, tifffile.imread(path) + np.uint16(1), metadata=None)
        assert path.read_bytes() != data
    assert isinstance(pixels(before), Changed)
    later = opened(place, name)
    assert later.identity != first.identity
    np.testing.assert_array_equal(later.dataset.images[key][...], now + np.uint16(1))
    assert opened(place, name).identity == later.identity
