"""When a repository looks again at what it has seen."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic

import mrcfile
import numpy as np
import pytest

from diascope.catalogue import repository as module
from diascope.catalogue.catalogue import catalogue
from diascope.catalogue.repository import Repository
from diascope.registry import registry
from diascope.settings import RepositorySettings, Settings
from diascope.sources.source import stat_version
from diascope.stores.store import Store
from diascope.testing.synthetic_file import source

TEXT = '{"axes": "yx", "shape": [%d, 9]}'


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = monotonic()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "monotonic", made)
    return made


@pytest.fixture
def looks() -> Iterator[list[str]]:
    """The paths whose version was looked at."""
    seen: list[str] = []

    def version(store: Store, path: str) -> str:
        seen.append(path)
        return stat_version(store, path)

    with registry("sources").including("synthetic", replace(source, version=version)):
        yield seen


@pytest.fixture
def made(tmp_path: Path) -> Callable[[float], Repository]:
    write(tmp_path, 5)

    def repository(refresh_seconds: float) -> Repository:
        repositories = {"r": RepositorySettings(path=tmp_path)}
        return catalogue(Settings(repositories=repositories, refresh_seconds=refresh_seconds)).repositories["r"]

    return repository


def write(folder: Path, height: int) -> None:
    """As a program does that saves a file anew."""
    (folder / "new").write_text(TEXT % height)
    os.replace(folder / "new", folder / "a.synthetic.json")  # noqa: PTH105


def height(repository: Repository) -> int:
    place = repository.place("a.synthetic.json")
    assert place is not None
    return repository.opened(place).dataset.images["a"].size("y")


def test_a_version_is_looked_at_once_in_an_interval(
    made: Callable[[float], Repository], clock: Clock, looks: list[str]
) -> None:
    repository = made(10)
    clock.now = 1000.0
    for _ in range(5):
        height(repository)
        clock.now += 1.9
    assert looks == ["a.synthetic.json"]
    clock.now = 1010.0
    height(repository)
    assert len(looks) == 2


def test_a_change_is_seen_after_the_interval(
    made: Callable[[float], Repository], clock: Clock, looks: list[str], tmp_path: Path
) -> None:
    repository = made(10)
    clock.now = 1000.0
    assert height(repository) == 5
    write(tmp_path, 7)
    assert height(repository) == 5
    clock.now = 1010.0
    assert height(repository) == 7


def test_without_an_interval_a_change_is_seen_at_once(
    made: Callable[[float], Repository], looks: list[str], tmp_path: Path
) -> None:
    repository = made(0)
    assert height(repository) == 5
    write(tmp_path, 7)
    assert height(repository) == 7


def test_what_is_named_as_other_files_are_is_an_image_by_its_bytes(tmp_path: Path) -> None:
    root = tmp_path / "images"
    root.mkdir()
    mrcfile.write(root / "density.map", np.zeros((2, 3, 4), np.float32))
    (root / "page.js.map").write_text('{"version": 3}')
    (root / "notes.xml").write_text("<notes/>")
    (root / "broken.tif").write_text("")
    found = catalogue(Settings(repositories={"images": RepositorySettings(path=root)})).repository("images")
    what = {"broken.tif": "image", "density.map": "image", "notes.xml": "file", "page.js.map": "file"}
    assert {each.path: each.what for each in found.listed("")} == what
    assert {each.path: each.what for each in found.listed_from("", "")} == what
    for name, kind in what.items():
        place = found.place(name)
        assert place is not None
        assert place.what == kind
