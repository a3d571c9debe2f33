"""What ``pip install diascope`` puts on a disk without any extra: people install it on laptops."""

from __future__ import annotations

from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

MOST = 630_000_000
"""Bytes of the default install; what Python compiles of it, some 65 million more, makes 700 MB of it."""


def test_the_default_install_stays_small() -> None:
    sizes = {name: _size(distribution(name)) for name in _installed_with("diascope")}
    assert {"numpy", "numba", "llvmlite", "imagecodecs", "uvloop"} <= set(sizes), "those of uvicorn's extra too"
    assert not {"zarr", "h5py", "dask"} & set(sizes), "what only an extra has"
    largest = sorted(sizes, key=sizes.__getitem__)[-8:]
    assert sum(sizes.values()) < MOST, {name: sizes[name] >> 20 for name in largest}


def _installed_with(name: str) -> set[str]:
    """The distributions that one needs here, itself among them."""
    found: set[tuple[str, frozenset[str]]] = set()
    waiting = [(name, frozenset[str]())]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += _needed(*each)
    return {name for name, _ in found}


def _needed(name: str, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    wanted = map(Requirement, distribution(name).requires or ())
    return [
        (canonicalize_name(each.name), frozenset(each.extras))
        for each in wanted
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras | {""})
    ]


def _size(installed: Distribution) -> int:
    """Bytes of its files, without those that Python compiles."""
    paths = [Path(str(installed.locate_file(path))) for path in installed.files or () if path.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file())
