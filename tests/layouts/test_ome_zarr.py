"""OME-Zarr 0.5 and 0.4, judged by zarr-python, TensorStore and two validators; broken twins must be rejected."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import yaozarrs
import zarr
from numpy.typing import NDArray
from ome_zarr_models import open_ome_zarr

from diascope.errors import Unreadable
from diascope.image.affine import affine
from diascope.image.image import Image
from diascope.image.level import read_whole
from diascope.image.metadata import Channel
from diascope.image.pyramid import with_pyramid
from diascope.image.region import Region
from diascope.layouts.layout import Layout
from diascope.layouts.ome_zarr import layout, layout_0_4
from diascope.operations.contrast import limits
from diascope.operations.planes import taken
from diascope.testing.layouts import unreadable
from diascope.testing.synthetic import ramp
from diascope.tree.file import Tree
from tests.judges import tensor_store, zarr_python
from tests.layouts.on_disk import changed, written

LAYOUTS = [layout, layout_0_4]
DRIVERS = {"ome-zarr": "zarr3", "ome-zarr-0_4": "zarr"}
VERSIONS = {"ome-zarr": "0.5", "ome-zarr-0_4": "0.4"}
FIRST_CHUNK = {"ome-zarr": "0/c/0/0/0", "ome-zarr-0_4": "0/0/0/0"}

PYRAMID = with_pyramid(ramp("zyx", (5, 700, 533), np.int16, chunk_shape=(2, 100, 90), name="pyramid"))
IMAGES = [
    ramp("yx", (37, 53), np.uint8, name="plane"),
    PYRAMID,
    ramp("cyx", (3, 270, 190), np.uint8, kind="rgb", levels=2, chunk_shape=(3, 64, 64), name="colours"),
    ramp("tczyx", (2, 3, 4, 20, 31), np.float32, name="everything"),
    ramp("zyx", (5, 37, 53), np.uint32, kind="labels", levels=2, name="labels"),
]

each_layout = pytest.mark.parametrize("kind", LAYOUTS, ids=lambda layout: layout.name)
each_image = pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)


def document(kind: Layout, image: Image) -> dict[str, Any]:
    """The attributes of the group, those of 0.5 without their key."""
    name = image.name + kind.suffix
    path = f"{name}/zarr.json" if kind is layout else f"{name}/.zattrs"
    file = kind.tree(image).file(path)
    assert file is not None
    found: dict[str, Any] = json.loads(file.read(0, None))
    return found["attributes"]["ome"] if kind is layout else found


def by_tensorstore(kind: Layout, where: str) -> NDArray[Any]:
    return tensor_store.array(DRIVERS[kind.name], where)


def by_zarr(path: Path) -> NDArray[Any]:
    return np.asarray(zarr.open_array(path, mode="r")[...])


@pytest.mark.judge
@each_layout
@each_image
def test_every_level_is_right_over_http(kind: Layout, image: Image, tree_server: Callable[[Tree], str]) -> None:
    url = f"{tree_server(kind.tree(image))}/data/{image.name}{kind.suffix}"
    group = zarr_python.group(url)
    assert open_ome_zarr(group, version=VERSIONS[kind.name]) is not None
    for k, level in enumerate(image.levels):
        pixels = read_whole(level)
        array = group[str(k)]
        assert isinstance(array, zarr.Array)
        assert array.dtype == level.dtype
        assert np.array_equal(array[...], pixels)
        assert np.array_equal(by_tensorstore(kind, f"{url}/{k}"), pixels)


@pytest.mark.judge
@each_layout
@pytest.mark.parametrize(
    "dtype",
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128".split(),  # noqa: SIM905
)
def test_every_type_of_pixel_is_right(kind: Layout, dtype: str, tmp_path: Path) -> None:
    image = ramp("yx", (13, 21), dtype)
    top = written(kind.tree(image), tmp_path)
    for read in (by_zarr(top / "0"), by_tensorstore(kind, f"{top}/0")):
        assert read.dtype == image.dtype
        assert np.array_equal(read, image[...])


@pytest.mark.judge
@each_layout
@each_image
def test_validators_take_the_metadata(kind: Layout, image: Image, tmp_path: Path) -> None:
    top = written(kind.tree(image), tmp_path)
    found = open_ome_zarr(zarr.open_group(top, mode="r"), version=VERSIONS[kind.name])
    assert type(found).__name__ == ("ImageLabel" if image.kind == "labels" else "Image")
    yaozarrs.validate_zarr_store(top)


@pytest.mark.judge
@each_layout
@pytest.mark.parametrize("twin", ["scale of two", "no axes", "axes out of order", "missing level"])
def test_validators_reject_broken_metadata(kind: Layout, twin: str, tmp_path: Path) -> None:
    top = written(kind.tree(PYRAMID), tmp_path)
    _break(kind, top, twin)
    with pytest.raises((RuntimeError, ValueError)):
        open_ome_zarr(zarr.open_group(top, mode="r"), version=VERSIONS[kind.name])
    with pytest.raises(ValueError, match="validation error"):
        yaozarrs.validate_zarr_store(top)


def _break(kind: Layout, top: Path, twin: str) -> None:
    if twin == "missing level":
        shutil.rmtree(top / "1")
        return

    def other(data: bytes) -> bytes:
        whole = json.loads(data)
        multiscale = (whole["attributes"]["ome"] if kind is layout else whole)["multiscales"][0]
        if twin == "scale of two":
            multiscale["datasets"][0]["coordinateTransformations"][0]["scale"].pop()
        if twin == "no axes":
            del multiscale["axes"]
        if twin == "axes out of order":
            multiscale["axes"].insert(0, {"name": "c", "type": "channel"})
            multiscale["axes"].append({"name": "t", "type": "time"})
        return json.dumps(whole).encode()

    changed(top / ("zarr.json" if kind is layout else ".zattrs"), other)


@pytest.mark.judge
@each_layout
@pytest.mark.parametrize(
    "change",
    [lambda data: data[: len(data) // 2], lambda data: data[:20] + bytes(len(data) - 20), lambda _: b""],
    ids=["truncated", "zeroed", "empty"],
)
def test_readers_reject_broken_chunks(kind: Layout, change: Callable[[bytes], bytes], tmp_path: Path) -> None:
    top = written(kind.tree(PYRAMID), tmp_path)
    changed(top / FIRST_CHUNK[kind.name], change)
    for read in (lambda: by_zarr(top / "0"), lambda: by_tensorstore(kind, f"{top}/0")):
        assert not _reads(read, read_whole(PYRAMID.levels[0]))


@pytest.mark.judge
@each_layout
def test_readers_reject_swapped_chunks(kind: Layout, tmp_path: Path) -> None:
    top = written(kind.tree(PYRAMID), tmp_path)
    first = top / FIRST_CHUNK[kind.name]
    changed(first, lambda _: first.with_name("1").read_bytes())
    for read in (lambda: by_zarr(top / "0"), lambda: by_tensorstore(kind, f"{top}/0")):
        assert not _reads(read, read_whole(PYRAMID.levels[0]))


def _reads(read: Callable[[], NDArray[Any]], pixels: NDArray[Any]) -> bool:
    """Whether a reader gives these pixels, without an error."""
    try:
        return np.array_equal(read(), pixels)
    except (RuntimeError, ValueError):
        return False


@each_layout
def test_a_binned_level_lies_half_a_pixel_further(kind: Layout) -> None:
    (multiscale,) = document(kind, PYRAMID)["multiscales"]
    finest = multiscale["datasets"][0]["coordinateTransformations"]
    assert finest == [{"type": "scale", "scale": [2.0, 0.5, 0.25]}]
    scale, translation = multiscale["datasets"][2]["coordinateTransformations"]
    assert scale == {"type": "scale", "scale": [2.0, 2.0, 1.0]}
    assert translation == {"type": "translation", "translation": [0.0, 1.5 * 0.5, 1.5 * 0.25]}


@each_layout
def test_axes_tell_type_and_unit(kind: Layout) -> None:
    (multiscale,) = document(kind, IMAGES[3])["multiscales"]
    assert multiscale["axes"] == [
        {"name": "t", "type": "time", "unit": "second"},
        {"name": "c", "type": "channel"},
        {"name": "z", "type": "space", "unit": "micrometer"},
        {"name": "y", "type": "space", "unit": "micrometer"},
        {"name": "x", "type": "space", "unit": "micrometer"},
    ]


@each_layout
def test_channels_tell_name_colour_and_window(kind: Layout) -> None:
    channels = (Channel(name="DAPI", colour="0000ff", window=(100.0, 900.0)), Channel(window=(0.0, 70_000.0)))
    image = replace(ramp("cyx", (2, 20, 30)), channels=channels)
    assert document(kind, image)["omero"]["channels"] == [
        {
            "label": "DAPI",
            "color": "0000FF",
            "active": True,
            "window": {"min": 0.0, "max": 65535.0, "start": 100.0, "end": 900.0},
        },
        {
            "label": "channel 1",
            "color": "00FF00",
            "active": True,
            "window": {"min": 0.0, "max": 70_000.0, "start": 0.0, "end": 70_000.0},
        },
    ]


@each_layout
def test_a_window_that_no_file_tells_is_what_render_shows(kind: Layout) -> None:
    image = replace(PYRAMID, channels=(Channel(name="DAPI"),))
    (channel,) = document(kind, image)["omero"]["channels"]
    assert channel["label"] == "DAPI"
    assert (channel["window"]["start"], channel["window"]["end"]) == limits(taken(image, "z", 2))
    assert (channel["window"]["min"], channel["window"]["max"]) == (-32768, 32767)


@each_layout
def test_windows_of_a_huge_image_are_taken_from_a_few_blocks(kind: Layout) -> None:
    image = with_pyramid(ramp("czyx", (4, 10_000, 1_000_000, 1_000_000), chunk_shape=(1, 64, 64, 64)))
    read: list[Region] = []
    finest = image.levels[0]

    def counted(region: Region) -> Any:
        read.append(region)
        return finest.read_pixels(region)

    counting = with_pyramid(replace(image, levels=(replace(finest, read_pixels=counted),)))
    channels = document(kind, counting)["omero"]["channels"]
    assert all(channel["window"]["start"] < channel["window"]["end"] for channel in channels)
    assert sum(prod(region.shape) for region in read) <= 4 << 26


@each_layout
def test_bytes_and_colours_are_shown_whole(kind: Layout) -> None:
    channels = document(kind, IMAGES[2])["omero"]["channels"]
    assert [channel["color"] for channel in channels] == ["FF0000", "00FF00", "0000FF"]
    assert {tuple(channel["window"].values()) for channel in channels} == {(0.0, 255.0, 0.0, 255.0)}


@each_layout
def test_unreadable_pixels_leave_the_metadata_readable(kind: Layout) -> None:
    image = unreadable(PYRAMID, Unreadable("a broken chunk"))
    assert "omero" not in document(kind, image)
    assert len(document(kind, image)["multiscales"][0]["datasets"]) == len(PYRAMID.levels)


@each_layout
def test_labels_are_marked_and_have_no_channels(kind: Layout) -> None:
    found = document(kind, IMAGES[4])
    assert "image-label" in found
    assert "omero" not in found
    assert "image-label" not in document(kind, PYRAMID)


def test_a_world_is_kept_beside_the_ome_metadata() -> None:
    image = replace(ramp("zyx", (3, 4, 5)), world=affine(np.diag([-2, 3, 4, 1]), "scanner"))
    file = layout.tree(image).file("ramp.ome.zarr/zarr.json")
    assert file is not None
    attributes = json.loads(file.read(0, None))["attributes"]
    assert attributes["diascope"]["world"] == {
        "space": "scanner",
        "matrix": [[-2, 0, 0, 0], [0, 3, 0, 0], [0, 0, 4, 0], [0, 0, 0, 1]],
    }


@each_layout
def test_an_edge_chunk_is_whole_and_padded_with_zeros(kind: Layout) -> None:
    image = ramp("yx", (300, 600), np.uint16, chunk_shape=(256, 512))
    path = f"ramp{kind.suffix}/0/{'c/' * (kind is layout)}1/1"
    file = kind.tree(image).file(path)
    assert file is not None
    chunk = np.frombuffer(numcodecs.Blosc().decode(file.read(0, None)), "<u2").reshape(256, 512)
    assert np.array_equal(chunk[:44, :88], image[256:, 512:])
    assert not chunk[44:].any()
    assert not chunk[:, 88:].any()


@each_layout
def test_a_chunk_of_zeros_is_a_file(kind: Layout) -> None:
    image = ramp("yx", (1, 1), np.uint8)
    assert image[0, 0] == 0
    file = kind.tree(image).file(f"ramp{kind.suffix}/0/{'c/' * (kind is layout)}0/0")
    assert file is not None
    assert numcodecs.Blosc().decode(file.read(0, None)) == b"\0"


@each_layout
def test_a_huge_image_costs_what_a_small_one_does(kind: Layout) -> None:
    tree = kind.tree(ramp("zyx", (10_000, 1_000_000, 1_000_000), chunk_shape=(64, 64, 64)))
    folder = f"ramp{kind.suffix}/0/{'c/' * (kind is layout)}156"
    entries = tree.entries(folder)
    assert entries is not None
    assert next(entries).name == "0"
    file = tree.file(f"{folder}/15624/15624")
    assert file is not None
    assert len(numcodecs.Blosc().decode(file.read(0, None))) == 2 * 64**3
    assert tree.file(f"{folder}/15625/0") is None
