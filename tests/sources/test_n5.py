"""N5 as TensorStore, z5py and people write it."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tensorstore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import diascope
from diascope.errors import DiascopeError, Unreadable
from diascope.image.level import read_whole
from diascope.image.region import Region
from diascope.sources.n5 import source
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from diascope.testing.sources import check_source
from tests.judges.bdv import PACKAGES, missing
from tests.judges.required import required
from tests.sources.n5_files import VOLUME, added, bdv, container, cosem, dataset, paintera, plain, pyramid

TYPES = ("uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64")

PACKINGS: list[dict[str, Any]] = [
    {"type": "raw"},
    {"type": "gzip", "level": 1},
    {"type": "gzip", "useZlib": True},
    {"type": "bzip2"},
    {"type": "xz"},
    {"type": "zstd"},
    {"type": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1},
    {"type": "blosc", "cname": "zlib", "clevel": 3, "shuffle": 0},
]


@pytest.mark.parametrize("write", [container, bdv, cosem])
def test_containers_keep_the_contract(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "a.n5")
    check_source(source, tmp_path / "a.n5")


@pytest.mark.judge
@pytest.mark.parametrize("packing", PACKINGS, ids=str)
def test_packings_of_tensorstore(packing: dict[str, Any], tmp_path: Path) -> None:
    dataset(tmp_path / "a.n5", VOLUME, packing)
    np.testing.assert_array_equal(diascope.open(tmp_path / "a.n5")[...], VOLUME)


@pytest.mark.judge
@pytest.mark.parametrize("name", TYPES)
def test_types_of_tensorstore(name: str, tmp_path: Path) -> None:
    pixels = VOLUME.astype(name) - np.dtype(name).type(3)
    dataset(tmp_path / "a.n5", pixels)
    image = diascope.open(tmp_path / "a.n5")
    assert image.dtype == np.dtype(name)
    np.testing.assert_array_equal(image[...], pixels)


WRITER = """
import sys, numpy, z5py
with z5py.File(sys.argv[1], mode="a", use_zarr_format=False) as file:
    pixels = numpy.load(sys.argv[2])
    file.create_dataset("deep/er/cells", data=pixels, chunks=(4, 10, 10), compression=sys.argv[3])
"""


@pytest.mark.judge
@pytest.mark.parametrize("packing", ["raw", "gzip", "bzip2"])
def test_z5py(packing: str, tmp_path: Path) -> None:
    required(missing())
    np.save(tmp_path / "pixels.npy", VOLUME)
    places = map(str, (tmp_path / "a.n5", tmp_path / "pixels.npy"))
    command = [sys.executable, "-W", "ignore", "-c", WRITER, *places, packing]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(PACKAGES)}, check=True, timeout=60)
    found = diascope.open_dataset(tmp_path / "a.n5")
    assert list(found.images) == ["deep/er/cells"]
    np.testing.assert_array_equal(found.images["deep/er/cells"][...], VOLUME)


def block(pixels: Any, packed: bytes, mode: int = 0) -> bytes:
    return struct.pack(f">HH{pixels.ndim}I", mode, pixels.ndim, *pixels.shape[::-1]) + packed


def lz4_stream(data: bytes, piece: int = 100) -> bytes:
    """As lz4-java writes it, the second piece as it is."""
    out = b""
    for k, at in enumerate(range(0, len(data), piece)):
        part = data[at : at + piece]
        packed = part if k == 1 else imagecodecs.lz4_encode(part)
        out += struct.pack("<8sBiiI", b"LZ4Block", 0x10 if k == 1 else 0x20, len(packed), len(part), 0) + packed
    return out + struct.pack("<8sBiiI", b"LZ4Block", 0x10, 0, 0, 0)


def by_hand(path: Path, compression: dict[str, Any], data: bytes) -> None:
    added(path, dimensions=[20, 10], blockSize=[20, 10], dataType="uint8", compression=compression)
    (path / "0").mkdir()
    (path / "0" / "0").write_bytes(data)


FLAT = np.arange(200, dtype=np.uint8).reshape(10, 20)


def test_lz4_streams_of_java(tmp_path: Path) -> None:
    by_hand(tmp_path / "a.n5", {"type": "lz4", "blockSize": 100}, block(FLAT, lz4_stream(FLAT.tobytes())))
    np.testing.assert_array_equal(diascope.open(tmp_path / "a.n5")[...], FLAT)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (block(FLAT, FLAT.tobytes(), mode=1), "as many values as it likes"),
        (block(FLAT, FLAT.tobytes(), mode=2), "an object"),
        (block(FLAT, FLAT.tobytes()[:-1]), "corrupt"),
        (block(FLAT, FLAT.tobytes() + b"\0"), "corrupt"),
        (block(np.zeros((11, 20), np.uint8), bytes(220)), r"blocks have at most \(10, 20\)"),
        (block(np.zeros((10, 20, 1), np.uint8), FLAT.tobytes()), "3 axes instead of 2"),
        (b"", "corrupt"),
    ],
)
def test_damaged_blocks_are_refused(data: bytes, reason: str, tmp_path: Path) -> None:
    by_hand(tmp_path / "a.n5", {"type": "raw"}, data)
    with pytest.raises(Unreadable, match=reason):
        diascope.open(tmp_path / "a.n5")[...]


def test_blocks_that_are_short_or_missing_are_zeros(tmp_path: Path) -> None:
    by_hand(tmp_path / "a.n5", {"type": "raw"}, block(FLAT[:4, :7], FLAT[:4, :7].tobytes()))
    expected = np.zeros_like(FLAT)
    expected[:4, :7] = FLAT[:4, :7]
    np.testing.assert_array_equal(diascope.open(tmp_path / "a.n5")[...], expected)
    (tmp_path / "a.n5" / "0" / "0").rename(tmp_path / "gone")
    assert not source.open(LocalStore(tmp_path), "a.n5").images["a"][...].any()


def test_axes_and_resolution_of_tensorstore(tmp_path: Path) -> None:
    plain(tmp_path / "a.n5")
    image = diascope.open(tmp_path / "a.n5")
    assert [(axis.name, axis.unit) for axis in image.axes] == [(name, "nanometer") for name in "zyx"]
    assert image.levels[0].scale == (40.0, 4.0, 4.0)


def test_pyramid_of_n5_viewer(tmp_path: Path) -> None:
    pyramid(tmp_path / "a.n5")
    image = diascope.open(tmp_path / "a.n5")
    assert image.name == "a"
    assert {axis.unit for axis in image.axes} == {"micrometer"}
    assert [level.scale for level in image.levels] == [(2.0, 0.5, 0.5), (2.0, 1.0, 1.0)]
    assert image.levels[1].translation == (0.0, 0.25, 0.25)
    np.testing.assert_array_equal(read_whole(image.levels[1]), VOLUME[:, ::2, ::2])


def test_transforms_of_cosem(tmp_path: Path) -> None:
    cosem(tmp_path / "a.n5")
    (image,) = diascope.open_dataset(tmp_path / "a.n5").images.values()
    assert image.name == "fibsem"
    assert [level.scale for level in image.levels] == [(4.0, 2.0, 2.0), (8.0, 4.0, 4.0)]
    assert image.levels[1].translation == (2.0, 1.0, 1.0)
    assert {axis.unit for axis in image.axes} == {"nanometer"}


def test_transforms_of_cosem_told_x_first(tmp_path: Path) -> None:
    told = {"axes": ["x", "y", "z"], "units": ["nm", "nm", "um"], "scale": [2, 3, 4], "translate": [5, 6, 7]}
    dataset(tmp_path / "a.n5", VOLUME, transform={**told, "ordering": "F"})
    image = diascope.open(tmp_path / "a.n5")
    assert image.levels[0].scale == (4.0, 3.0, 2.0)
    assert image.levels[0].translation == (7.0, 6.0, 5.0)
    assert [axis.unit for axis in image.axes] == ["micrometer", "nanometer", "nanometer"]


def test_paintera(tmp_path: Path) -> None:
    paintera(tmp_path / "a.n5")
    dataset_ = diascope.open_dataset(tmp_path / "a.n5")
    assert list(dataset_.images) == ["cells"]
    image = dataset_.images["cells"]
    assert image.kind == "labels"
    assert [level.scale for level in image.levels[:2]] == [(40.0, 4.0, 4.0), (40.0, 8.0, 8.0)]
    assert [level.translation for level in image.levels[:2]] == [(0.0, 0.0, 8.0), (0.0, 2.0, 10.0)]
    np.testing.assert_array_equal(image[...], VOLUME % 10)


def test_multisets_of_labels_are_refused(tmp_path: Path) -> None:
    dataset(tmp_path / "a.n5", VOLUME.astype(np.uint8), isLabelMultiset=True)
    with pytest.raises(Unreadable, match="multisets of labels"):
        diascope.open(tmp_path / "a.n5")


def test_setups_of_bigdataviewer(tmp_path: Path) -> None:
    bdv(tmp_path / "a.n5")
    images = diascope.open_dataset(tmp_path / "a.n5").images
    assert list(images) == ["setup0", "setup1"]
    image = images["setup1"]
    assert image.axis_names == "tzyx"
    assert [level.shape for level in image.levels] == [(3, 9, 23, 31), (3, 9, 12, 16)]
    assert image.levels[0].scale == (1.0, 2.0, 0.5, 0.5)
    np.testing.assert_array_equal(image[2], VOLUME + 21)
    np.testing.assert_array_equal(image[:, 3], np.stack([VOLUME[3] + 1 + 10 * t for t in range(3)]))


def test_a_time_unlike_the_first_is_refused(tmp_path: Path) -> None:
    bdv(tmp_path / "a.n5")
    added(tmp_path / "a.n5" / "setup0" / "timepoint1" / "s0", dimensions=[30, 23, 9])
    image = diascope.open_dataset(tmp_path / "a.n5").images["setup0"]
    np.testing.assert_array_equal(image[0], VOLUME)
    with pytest.raises(Unreadable, match="unlike the first time"):
        image[1]


def test_imagej_tells_its_axes(tmp_path: Path) -> None:
    dataset(
        tmp_path / "a.n5", VOLUME, pixelWidth=0.2, pixelHeight=0.3, pixelDepth=1, pixelUnit="um", numChannels=9,
        numSlices=1, numFrames=1,
    )  # fmt: skip
    image = diascope.open(tmp_path / "a.n5")
    assert image.axis_names == "cyx"
    assert image.levels[0].scale == (1.0, 0.3, 0.2)


def test_images_of_a_container_are_looked_up_without_listing_it(tmp_path: Path) -> None:
    container(tmp_path / "a.n5")
    pyramid(tmp_path / "a.n5" / "pyramid")
    images = diascope.open_dataset(tmp_path / "a.n5").images
    assert list(images) == ["pyramid", "some/floats", "some/raw"]
    assert "pyramid/s0" not in images
    assert "some" not in images
    assert "../a.n5/some/raw" not in images
    np.testing.assert_array_equal(images["some/floats"][...], VOLUME[0].astype(np.float32))


def test_a_dataset_that_is_added_is_seen(tmp_path: Path) -> None:
    container(tmp_path / "a.n5")
    images = source.open(LocalStore(tmp_path), "a.n5").images
    assert "some/more" not in images
    dataset(tmp_path / "a.n5" / "some" / "more", VOLUME)
    assert list(images) == ["some/floats", "some/more", "some/raw"]
    np.testing.assert_array_equal(images["some/more"][...], VOLUME)


def test_only_touched_blocks_are_read(tmp_path: Path) -> None:
    dataset(tmp_path / "a.n5", VOLUME, {"type": "raw"})
    store = CountingStore(LocalStore(tmp_path))
    level = next(iter(source.open(store, "a.n5").images.values())).levels[0]
    store.count = 0
    level.read(Region((0, 0, 0), (9, 10, 10)))
    assert store.count == 16 + 10 * 10 * 10 * 2  # TensorStore writes blocks whole


def test_a_folder_with_other_attributes_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "attributes.json").write_text('{"colour": "blue"}', encoding="utf-8")
    with pytest.raises(Unreadable, match="no source knows"):
        diascope.open(tmp_path / "folder")


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = (
    "dimensions", "blockSize", "dataType", "compression", "axes", "units", "resolution", "pixelResolution",
    "downsamplingFactors", "transform", "multiscales", "offset", "numChannels", "pixelWidth", "painteraData",
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(KEYS), value=values, head=st.binary(max_size=24))
def test_hostile_attributes_and_blocks(key: str, value: Any, head: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.n5"
    if not path.exists():
        dataset(path, VOLUME)
        (path / "good.json").write_bytes((path / "attributes.json").read_bytes())
    attributes = json.loads((path / "good.json").read_bytes()) | {key: value}
    (path / "attributes.json").write_text(json.dumps(attributes), encoding="utf-8")
    first = path / "0" / "0" / "0"
    first.write_bytes(head + first.read_bytes()[len(head) :])
    try:
        image = diascope.open_dataset(path).images["a"]
        corner = image.levels[0].read(Region((0,) * len(image.axes), (1,) * len(image.axes)))
    except DiascopeError as error:
        assert "a.n5" in str(error)  # noqa: PT017
        return
    assert corner.dtype == image.dtype


def test_tensorstore_reads_the_same_edge(tmp_path: Path) -> None:
    dataset(tmp_path / "a.n5", VOLUME)
    theirs = tensorstore.open({"driver": "n5", "kvstore": f"file://{tmp_path}/a.n5/"}).result()[25:, 20:, 5:]
    ours = diascope.open(tmp_path / "a.n5").levels[0].read(Region((5, 20, 25), (9, 23, 31)))
    np.testing.assert_array_equal(ours, theirs.read().result().T)
