"""OME-Zarr in zip files, as zarr-python, ome-zarr's users and zip write them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr

import diascope
from diascope.errors import Unreadable
from diascope.image.region import Region
from diascope.sources.zarr import source
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore

VOLUME = np.random.default_rng(0).integers(-1000, 1000, (9, 23, 31), dtype=np.int16)


def multiscale() -> dict[str, object]:
    steps = [[{"type": "scale", "scale": scale}] for scale in ([1.0, 1.0, 1.0], [1.0, 2.0, 2.0])]
    datasets = [{"path": str(k), "coordinateTransformations": step} for k, step in enumerate(steps)]
    return {"axes": [{"name": name, "type": "space"} for name in "zyx"], "datasets": datasets}


def written(path: Path, version: int, **options: object) -> None:
    """By zarr-python, with two levels."""
    ome = {"multiscales": [multiscale()]}
    store = zarr.storage.ZipStore(path, mode="w")
    group = zarr.create_group(
        store, zarr_format=version, attributes={"ome": {"version": "0.5", **ome}} if version == 3 else ome
    )
    for name, pixels in (("0", VOLUME), ("1", VOLUME[:, ::2, ::2])):
        group.create_array(name, data=np.ascontiguousarray(pixels), chunks=(4, 10, 10), **options)
    store.close()


@pytest.mark.judge
@pytest.mark.parametrize(("version", "name"), [(3, "a.ozx"), (3, "a.ome.zarr.zip"), (2, "a.zarr.zip")])
def test_zip_store_of_zarr_python(version: int, name: str, tmp_path: Path) -> None:
    written(tmp_path / name, version)
    image = diascope.open(tmp_path / name)
    assert image.name == "a"
    assert [level.shape for level in image.levels[:2]] == [(9, 23, 31), (9, 12, 16)]
    np.testing.assert_array_equal(image[...], VOLUME)


def test_shards_are_read_by_ranges(tmp_path: Path) -> None:
    written(tmp_path / "a.ozx", 3, shards=(8, 20, 20), compressors=None)
    store = CountingStore(LocalStore(tmp_path))
    level = next(iter(source.open(store, "a.ozx").images.values())).levels[0]
    before = store.count
    np.testing.assert_array_equal(level.read(Region((0, 0, 0), (4, 10, 10))), VOLUME[:4, :10, :10])
    assert store.count - before < 2000


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_folder_packed_with_its_name(method: int, tmp_path: Path) -> None:
    group = zarr.create_group(tmp_path / "b.zarr", zarr_format=2, attributes={"multiscales": [multiscale()]})
    for name in "01":
        group.create_array(name, data=VOLUME, chunks=(4, 10, 10))
    with zipfile.ZipFile(tmp_path / "b.zarr.zip", "w", method) as archive:
        for path in (tmp_path / "b.zarr").rglob("*"):
            archive.write(path, path.relative_to(tmp_path))
    np.testing.assert_array_equal(diascope.open(tmp_path / "b.zarr.zip")[...], VOLUME)


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "c.ozx", "w") as archive:
        archive.writestr("readme", b"nothing")
    with pytest.raises(Unreadable, match="neither a Zarr group nor an array"):
        diascope.open(tmp_path / "c.ozx")
    (tmp_path / "c.zip").write_bytes((tmp_path / "c.ozx").read_bytes())
    with pytest.raises(Unreadable, match="no source knows"):
        diascope.open(tmp_path / "c.zip")
