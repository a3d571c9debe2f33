"""Precomputed volumes, judged by TensorStore and cloud-volume; broken twins must be rejected."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as Picture

from diascope.errors import Unsupported
from diascope.image.affine import affine
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, in_memory, read_whole
from diascope.image.order import moved
from diascope.image.pyramid import with_pyramid
from diascope.layouts.layout import Layout
from diascope.layouts.precomputed import layout, layout_jpeg, layout_png
from diascope.testing.synthetic import ramp
from diascope.tree.file import Tree
from tests.judges.cloud_volume import volume as by_cloudvolume
from tests.judges.tensor_store import volume as by_tensorstore
from tests.layouts.on_disk import changed, written

PYRAMID = with_pyramid(ramp("zyx", (5, 700, 533), np.uint16, chunk_shape=(2, 100, 90), name="pyramid"))
SIGNED = ramp("zyx", (70, 37, 53), np.int16, name="volume")
COLOURS = ramp("cyx", (3, 270, 190), np.uint8, kind="rgb", levels=2, chunk_shape=(3, 64, 64), name="colours")
LABELS = ramp("zyx", (5, 37, 53), np.int32, kind="labels", levels=2, name="labels")
PLANE = ramp("yx", (37, 53), np.uint8, name="plane")
STACK = ramp("zyx", (70, 37, 91), np.uint8, name="stack")
IMAGES = [PYRAMID, SIGNED, COLOURS, LABELS, PLANE, STACK, ramp("czyx", (2, 3, 20, 31), np.float32, name="channels")]

each_image = pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)


def volume(image: Image, level: Level) -> NDArray[Any]:
    """The pixels of a level as x, y, z and channel."""
    return moved(read_whole(level), image.axis_names, "czyx").transpose(3, 2, 1, 0)


def document(image: Image, name: str = "info", kind: Layout = layout) -> Any:
    file = kind.tree(image).file(f"{image.name}{kind.suffix}/{name}")
    return None if file is None else json.loads(file.read(0, None))


@pytest.mark.judge
@each_image
def test_every_level_is_right_over_http(image: Image, tree_server: Callable[[Tree], str]) -> None:
    url = f"{tree_server(layout.tree(image))}/data/{image.name}.precomputed/"
    for k, level in enumerate(image.levels):
        wanted = volume(image, level)
        assert np.array_equal(by_tensorstore(url, k), wanted)
        assert np.array_equal(by_cloudvolume(url, k), wanted)


@pytest.mark.judge
@pytest.mark.parametrize("image", [PYRAMID, COLOURS, PLANE, STACK], ids=lambda image: image.name)
def test_png_keeps_every_pixel(image: Image, tree_server: Callable[[Tree], str]) -> None:
    url = f"{tree_server(layout_png.tree(image))}/data/{image.name}.png.precomputed/"
    for k, level in enumerate(image.levels):
        assert np.array_equal(by_tensorstore(url, k), volume(image, level))


@pytest.mark.judge
@pytest.mark.parametrize(("axes", "shape"), [("zyx", (70, 37, 91)), ("cyx", (3, 270, 190))])
def test_jpeg_keeps_the_picture(axes: str, shape: tuple[int, ...], tree_server: Callable[[Tree], str]) -> None:
    image = smooth(axes, shape)
    url = f"{tree_server(layout_jpeg.tree(image))}/data/{axes}.jpeg.precomputed/"
    wanted = volume(image, image.levels[0]).astype(int)
    seen = [by_tensorstore(url)]
    if image.kind != "rgb":  # cloud-volume takes red, green and blue for three planes of one colour each
        seen.append(by_cloudvolume(url))
    for each in seen:
        assert np.abs(each - wanted).mean() < 2
        assert np.abs(each[::-1] - wanted).mean() > 10


def smooth(axes: str, shape: tuple[int, ...]) -> Image:
    """An image that JPEG keeps nearly as it is."""
    along = np.indices(shape)
    pixels = (along[-1] * 0.5 + along[-2] * 0.3 + along[0] * 0.9).astype(np.uint8)
    return Image(
        name=axes, kind="rgb" if "c" in axes else "intensity", axes=axes_named(axes), levels=(in_memory(pixels),)
    )


def test_a_jpeg_chunk_has_the_shape_that_the_format_wants() -> None:
    file = layout_jpeg.tree(STACK).file("stack.jpeg.precomputed/0/64-91_0-37_64-70")
    assert file is not None
    assert Picture.open(io.BytesIO(file.read(0, None))).size == (27, 37 * 6)


@pytest.mark.judge
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "uint16", "int16", "uint32", "int32", "uint64", "float16"])
def test_every_type_that_can_be_held_keeps_its_values(dtype: str, tmp_path: Path) -> None:
    image = ramp("yx", (13, 21), dtype)
    top = written(layout.tree(image), tmp_path)
    assert np.array_equal(by_tensorstore(str(top))[:, :, 0, 0].T, image[...])


BROKEN: dict[str, Callable[[dict[str, Any]], None]] = {
    "chunk of two sides": lambda info: info["scales"][0]["chunk_sizes"][0].pop(),
    "no resolution": lambda info: info["scales"][0].pop("resolution"),
    "no such type": lambda info: info.update(data_type="uint7"),
}


@pytest.mark.judge
@pytest.mark.parametrize("twin", BROKEN)
def test_readers_reject_a_broken_info(twin: str, tmp_path: Path) -> None:
    top = written(layout.tree(PYRAMID), tmp_path)

    def other(data: bytes) -> bytes:
        info = json.loads(data)
        BROKEN[twin](info)
        return json.dumps(info).encode()

    changed(top / "info", other)
    with pytest.raises(ValueError, match=r"Error|INVALID"):
        by_tensorstore(str(top))
    with pytest.raises((ValueError, KeyError, TypeError, IndexError)):
        by_cloudvolume(str(top))


@pytest.mark.judge
@pytest.mark.parametrize("twin", ["truncated", "swapped"])
def test_readers_reject_a_broken_chunk(twin: str, tmp_path: Path) -> None:
    top = written(layout.tree(PYRAMID), tmp_path)
    first, second = sorted((top / "0").iterdir(), key=lambda path: path.name.startswith("0-"))[-2:]
    changed(first, lambda data: data[:-1] if twin == "truncated" else second.read_bytes())
    wanted = volume(PYRAMID, PYRAMID.levels[0])
    assert not _reads(lambda: by_tensorstore(str(top)), wanted)
    assert not _reads(lambda: by_cloudvolume(str(top)), wanted)


def _reads(read: Callable[[], NDArray[Any]], pixels: NDArray[Any]) -> bool:
    """Whether a reader gives these pixels, without an error."""
    try:
        return np.array_equal(read(), pixels)
    except Exception:  # noqa: BLE001  # each has errors of its own
        return False


def test_a_raw_chunk_tells_its_size_before_it_is_read() -> None:
    file = layout.tree(PYRAMID).file("pyramid.precomputed/0/400-533_600-700_4-5")
    names = layout.tree(PYRAMID).entries("pyramid.precomputed/0")
    assert names is not None
    for entry in names:
        file = layout.tree(PYRAMID).file(f"pyramid.precomputed/0/{entry.name}")
        assert file is not None
        spans = [[int(end) for end in span.split("-")] for span in entry.name.split("_")]
        assert file.size == 2 * int(np.prod([stop - start for start, stop in spans]))


def test_the_info_is_in_nanometres_and_never_finer_at_coarser_scales() -> None:
    info = document(PYRAMID)
    scales = info["scales"]
    assert scales[0]["resolution"] == [250, 500, 2000]
    assert scales[0]["size"] == [533, 700, 5]
    assert scales[1]["resolution"] == [500, 1000, 2000]
    for finer, coarser in pairwise(scales):
        assert all(a <= b for a, b in zip(finer["resolution"], coarser["resolution"], strict=True))


def test_binned_levels_share_their_corner() -> None:
    assert [scale["voxel_offset"] for scale in document(PYRAMID)["scales"]] == [[0, 0, 0]] * len(PYRAMID.levels)
    assert document(PYRAMID, "transform.json") is None


def placed(image: Image, translation: tuple[float, ...]) -> Image:
    """The image at another place, as a crop leaves it."""

    def moved_level(level: Level) -> Level:
        return replace(level, translation=tuple(a + b for a, b in zip(level.translation, translation, strict=True)))

    return replace(image, levels=tuple(map(moved_level, image.levels)))


def test_a_crop_keeps_its_place_in_whole_voxels() -> None:
    image = placed(PYRAMID, (2 * 2.0, 40 * 0.5, -80 * 0.25))
    assert [scale["voxel_offset"] for scale in document(image)["scales"]] == [[-80, 40, 2], [-40, 20, 2], [-20, 10, 2]]
    assert document(image, "transform.json") is None
    names = {entry.name for entry in layout.tree(image).entries("pyramid.precomputed/2") or ()}
    assert any(name.startswith("-20-") and "_10-" in name for name in names)


@pytest.mark.judge
def test_negative_places_are_read(tmp_path: Path) -> None:
    image = placed(PYRAMID, (2 * 2.0, 40 * 0.5, -80 * 0.25))
    top = written(layout.tree(image), tmp_path)
    for k, level in enumerate(image.levels):
        assert np.array_equal(by_tensorstore(str(top), k), volume(image, level))


def test_a_place_between_voxels_is_told_in_the_transform() -> None:
    image = placed(PYRAMID, (0.0, 0.1, 0.0))
    assert all(scale["voxel_offset"] == [0, 0, 0] for scale in document(image)["scales"])
    matrix = np.array(document(image, "transform.json"))
    # The centre of voxel 0 of a volume lies half a voxel from its corner.
    centre = matrix @ [125, 250, 1000, 1]
    assert np.allclose(centre[:3], [0, 100, 0])


def test_a_world_is_told_in_the_transform_from_corners_to_centres() -> None:
    matrix = np.array([[-1.0, 0.1, 0, 30], [0, 2, 0, -20], [0.2, 0, 3, 10], [0, 0, 0, 1]])
    image = replace(placed(PYRAMID, (4.0, 0.0, 0.0)), world=affine(matrix, "scanner"))
    info = document(image)["scales"][0]
    found = np.array(document(image, "transform.json"))
    for index in ([0, 0, 0], [7, 11, 3]):
        nanometres = (np.array(index) + info["voxel_offset"] + 0.5) * info["resolution"]
        position = np.array(index) * [0.25, 0.5, 2.0] + [0.0, 0.0, 4.0]
        world = matrix @ [*position, 1]
        assert np.allclose(found @ [*nanometres, 1], [*(world[:3] * 1e6), 1])


def test_pixels_without_a_unit_are_taken_to_be_in_nanometres() -> None:
    image = replace(PLANE, axes=axes_named("yx"))
    assert document(image)["scales"][0]["resolution"] == [0.25, 0.5, 0.25]


def test_labels_are_a_segmentation_without_sign() -> None:
    info = document(LABELS)
    assert (info["type"], info["data_type"]) == ("segmentation", "uint32")


def test_a_negative_label_is_an_error_and_no_other_label() -> None:
    image = replace(LABELS, levels=(in_memory(np.array([[[1, -1]]], np.int32)),))
    file = layout.tree(image).file("labels.precomputed/0/0-2_0-1_0-1")
    assert file is not None
    with pytest.raises(Unsupported, match="negative"):
        file.read(0, None)


@pytest.mark.parametrize(
    ("kind", "image", "reason"),
    [
        (layout, ramp("tyx", (2, 3, 4)), "select,axis=t,index=0"),
        (layout, ramp("yx", (3, 4), np.float64), "no float64"),
        (layout, ramp("yx", (3, 4), np.complex64), "no complex64"),
        (layout_jpeg, LABELS, "mix"),
        (layout_jpeg, PYRAMID, "no uint16"),
        (layout_jpeg, ramp("cyx", (2, 3, 4), np.uint8), "no 2 channels"),
        (layout_png, SIGNED, "no int16"),
        (layout_png, ramp("cyx", (5, 3, 4), np.uint8), "no 5 channels"),
    ],
)
def test_what_cannot_be_held_is_refused_with_the_reason(kind: Layout, image: Image, reason: str) -> None:
    refusal = kind.refuses(image)
    assert refusal is not None
    assert reason in refusal


def test_a_single_time_point_is_no_obstacle() -> None:
    assert layout.refuses(ramp("tyx", (1, 3, 4))) is None


def test_a_huge_image_costs_what_a_small_one_does() -> None:
    tree = layout.tree(ramp("zyx", (10_000, 1_000_000, 1_000_000), chunk_shape=(64, 64, 64)))
    entries = tree.entries("ramp.precomputed/0")
    assert entries is not None
    assert next(entries).name == "0-64_0-64_0-64"
    file = tree.file("ramp.precomputed/0/999936-1000000_999936-1000000_9984-10000")
    assert file is not None
    assert len(file.read(0, None)) == file.size == 2 * 64 * 64 * 16
    assert tree.file("ramp.precomputed/0/999936-1000064_0-64_0-64") is None
