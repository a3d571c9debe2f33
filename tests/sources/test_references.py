"""What a file names outside its repository is not read, and nobody learns from it whether it is there."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from diascope.catalogue.opening import opened_in
from diascope.errors import DiascopeError
from diascope.image.region import whole
from diascope.stores.local import LocalStore
from tests.sources.referring_files import FORMATS, Referring

NAMES = (
    "../outside/{part}",
    "sub/../../outside/{part}",
    "./../outside/{part}",
    "sub/./../../outside/{part}",
    "{root}/outside/{part}",
    "//{root}/outside/{part}",
    "file://{root}/outside/{part}",
    "..\\outside\\{part}",
    "\\..\\outside\\{part}",
    "C:\\..\\outside\\{part}",
    "C:{root}/outside/{part}",
    "%2e%2e/outside/{part}",
    "..%2Foutside%2F{part}",
    "link/{part}",
    "linked-{part}",
    "~/outside/{part}",
    "http://127.0.0.1:9/outside/{part}",
    "../outside/{part}\0",
    "../outside/{part} ",
)

NOT_FOLLOWED = {"hdf5 link", "hdf5 raw", "hdf5 virtual", "hamamatsu as mirax", "micromanager"}
"""Names that are followed nowhere, wherever the other file lies."""


def outcome(folder: Path, path: Path) -> str:
    """A digest of the pixels of all images, or the error; of a path in a repository."""
    try:
        dataset = opened_in(LocalStore(folder / "lab"), str(path.relative_to(folder / "lab")), uuid4().hex, path.name)
        found = hashlib.sha256()
        for name in dataset.images:
            level = dataset.images[name].levels[0]
            found.update(f"{name} {level.shape}".encode())
            found.update(level.read(whole(level.shape)).tobytes())
    except DiascopeError as error:
        return f"refused: {error}"
    return f"pixels: {found.hexdigest()}"


def laid(folder: Path, referring: Referring, name: str) -> Path:
    """A repository with the hostile file, beside a folder with what it names, to which links lead as well."""
    for each in ("lab", "outside"):
        shutil.rmtree(folder / each, ignore_errors=True)
    inner = folder / "lab" / "sub" if not referring.opened else folder / "lab"
    inner.mkdir(parents=True)
    told = name.format(part=referring.part.rpartition("/")[2], root=str(folder).removeprefix("/"))
    told = told.replace("//" + str(folder)[1:], "//" + str(folder)) if told.startswith("file:") else told
    if name.startswith("{root}"):
        told = f"/{told}"
    referring.write(inner, told)
    own = inner / referring.part
    (folder / "outside").mkdir()
    own.rename(folder / "outside" / own.name)
    (own.parent / "link").symlink_to(folder / "outside")
    (own.parent / f"linked-{own.name}").symlink_to(folder / "outside" / own.name)
    (own.parent / "sub").mkdir(exist_ok=True)
    # With a folder above, names that lead one up are within the repository, and those that lead out still lead out.
    return inner / referring.opened if referring.opened else inner


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.filterwarnings("ignore")
def test_what_lies_outside_is_as_what_is_not_there(format: str, tmp_path: Path) -> None:
    referring = FORMATS[format]
    for name in NAMES:
        try:
            path = laid(tmp_path, referring, name)
        except (ValueError, RuntimeError):
            continue  # no writer takes this name
        there = outcome(tmp_path, path)
        shutil.rmtree(tmp_path / "outside")
        absent = outcome(tmp_path, path)
        assert there == absent, name


@pytest.mark.parametrize("format", sorted(set(FORMATS) - NOT_FOLLOWED))
@pytest.mark.filterwarnings("ignore")
def test_what_lies_inside_is_read(format: str, tmp_path: Path) -> None:
    """Else nothing would be proven by what lies outside."""
    referring = FORMATS[format]
    folder = tmp_path / "lab" / "sub"
    folder.mkdir(parents=True)
    referring.write(folder, referring.part.rpartition("/")[2])
    path = folder / referring.opened if referring.opened else folder
    there = outcome(tmp_path, path)
    assert there.startswith("pixels"), there
    part = folder / referring.part
    shutil.rmtree(part) if part.is_dir() else part.unlink()
    assert outcome(tmp_path, path) != there
