"""Every shared file that opens from the disk opens from an S3 bucket and a web server, with the same pixels."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import diascope
from diascope.catalogue.catalogue import catalogue
from diascope.catalogue.opening import source_of
from diascope.catalogue.repository import Place, Repository
from diascope.errors import DiascopeError
from diascope.image.image import Image
from diascope.image.region import Region
from diascope.settings import RepositorySettings, Settings
from diascope.sources.dataset import Dataset
from tests.conftest import shared_data_folder
from tests.judges import object_stores as servers
from tests.judges.required import required
from tests.test_shared_data import opened_path

pytestmark = [pytest.mark.judge, pytest.mark.filterwarnings("ignore::ResourceWarning")]

LARGEST = 512
"""Pixels of a row or a column that are compared."""

MOST_IMAGES = 4


def wanted(row: dict[str, str]) -> bool:
    return row["format"] != "malformed"


@cache
def repository(kind: str) -> Repository:
    """All shared files, behind a server that others wrote."""
    folder = shared_data_folder()
    assert folder
    entry = s3(folder) if kind == "s3" else RepositorySettings(url=f"{servers.nginx(folder)}/")
    return catalogue(Settings(repositories={"shared": entry})).repository("shared")


def s3(folder: Path) -> RepositorySettings:
    keys = {"access_key_id": servers.ACCESS, "secret_access_key": servers.SECRET}
    return RepositorySettings.model_validate(
        {"url": "s3://shared", "endpoint": servers.s3_of(folder), "region": servers.REGION, "credentials": keys}
    )


@pytest.mark.parametrize("kind", ["s3", "http"])
def test_it_opens_from_afar_with_the_same_pixels(kind: str, shared_data: Path, shared_row: dict[str, str]) -> None:
    required(servers.lacking("moto" if kind == "s3" else "nginx"))
    path = opened_path(shared_data, shared_row)
    try:
        here = diascope.open_dataset(path)
        expected = pixels_of(here)
    except DiascopeError:
        with pytest.raises(DiascopeError):
            pixels_of(opened(repository(kind), path.relative_to(shared_data).as_posix()))
        return
    there = opened(repository(kind), path.relative_to(shared_data).as_posix())
    assert list(there.images) == list(here.images)
    assert list(there.labels) == list(here.labels)
    assert list(there.associated) == list(here.associated)
    for found, pixels in zip(pixels_of(there), expected, strict=True):
        assert found.dtype == pixels.dtype
        np.testing.assert_array_equal(found, pixels)


def opened(repository: Repository, path: str) -> Dataset:
    stat = repository.store.stat(path)
    assert stat is not None
    source = source_of(repository.store, path, stat)
    if source is None:
        raise DiascopeError(f"{path} is no image")
    return repository.opened(Place("image", path, repository._members.bound(source))).dataset


def pixels_of(dataset: Dataset) -> list[NDArray[np.generic]]:
    """A plane of each of the first images."""
    return [plane(dataset.images[name]) for name in list(dataset.images)[:MOST_IMAGES]]


def plane(image: Image) -> NDArray[np.generic]:
    level = image.levels[0]
    wide = ["yxc".find(axis) >= 0 for axis in image.axis_names]
    start = tuple(0 if whole else size // 2 for whole, size in zip(wide, level.shape, strict=True))
    ends = zip(wide, level.shape, start, strict=True)
    return level.read(Region(start, tuple(min(size, LARGEST) if whole else at + 1 for whole, size, at in ends)))
