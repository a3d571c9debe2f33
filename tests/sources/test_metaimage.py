"""MetaImage, judged by SimpleITK."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK

import diascope
from diascope.errors import Unreadable
from diascope.sources.metaimage import source
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.sources.test_nrrd import itks, ras
from tests.sources.volume_files import COLOURS, RANDOM, VOLUME, mha_colours, sitk_image


@pytest.mark.parametrize("name", ["a.mha", "a.mhd"])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
def test_pixels_and_world_are_itks(tmp_path: Path, name: str, packed: bool, dtype: str) -> None:
    pixels = (RANDOM.random((5, 7, 9)) * 100).astype(dtype)
    SimpleITK.WriteImage(sitk_image(pixels), str(tmp_path / name), useCompression=packed)
    image = diascope.open(tmp_path / name)
    assert image.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(image[...], SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(tmp_path / name))))
    np.testing.assert_array_equal(image[1:3, 2:6, 4:5], pixels[1:3, 2:6, 4:5])
    assert image.levels[0].scale == (2.5, 0.75, 0.5)
    for index in ((0, 0, 0), (3, 0, 0), (4, 5, 2)):
        np.testing.assert_allclose(ras(image, index), itks(tmp_path / name, index), atol=1e-9)


def test_channels_of_bytes_are_colours(tmp_path: Path) -> None:
    mha_colours(tmp_path / "a.mha")
    image = diascope.open(tmp_path / "a.mha")
    assert (image.kind, image.axis_names) == ("rgb", "czyx")
    np.testing.assert_array_equal(np.moveaxis(image[...], 0, -1), COLOURS)
    vectors = RANDOM.random((4, 5, 2)).astype(np.float32)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(vectors, isVector=True), str(tmp_path / "b.mha"))
    image = diascope.open(tmp_path / "b.mha")
    assert (image.kind, image.axis_names) == ("intensity", "cyx")
    np.testing.assert_array_equal(np.moveaxis(image[...], 0, -1), vectors)


def test_a_fourth_axis_is_time(tmp_path: Path) -> None:
    image = SimpleITK.JoinSeries([sitk_image(), sitk_image(VOLUME[::-1])], 5.0, 0.25)
    SimpleITK.WriteImage(image, str(tmp_path / "a.mha"))
    ours = diascope.open(tmp_path / "a.mha")
    assert (ours.axis_names, ours.levels[0].scale[0], ours.levels[0].translation[0]) == ("tzyx", 0.25, 5.0)
    np.testing.assert_array_equal(ours[1], VOLUME[::-1])


def header(pixels: Any, *more: str) -> str:
    sizes = " ".join(str(size) for size in pixels.shape[::-1])
    lines = ["ObjectType = Image", f"NDims = {pixels.ndim}", f"DimSize = {sizes}", "ElementType = MET_SHORT", *more]
    return "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize("order", ["LIST", "p%02d.raw 1 9 1"])
def test_pixels_lie_in_several_files(tmp_path: Path, order: str) -> None:
    names = [f"p{k:02}.raw" for k in range(1, 10)]
    for k, name in enumerate(names):
        (tmp_path / name).write_bytes(VOLUME[k].tobytes())
    listed = "".join(f"{name}\n" for name in names) if order == "LIST" else ""
    path = tmp_path / "a.mhd"
    path.write_text(header(VOLUME, f"ElementDataFile = {order}") + listed, encoding="ascii")
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))), VOLUME)
    np.testing.assert_array_equal(diascope.open(path)[...], VOLUME)
    np.testing.assert_array_equal(diascope.open(path)[2:5, 3:9, 4:6], VOLUME[2:5, 3:9, 4:6])
    assert diascope.open_dataset(path).files == ("a.mhd", *names)


@pytest.mark.parametrize(("size", "before"), [(-1, b"whatever"), (4, b"1234"), (0, b"")])
def test_what_stands_before_the_pixels_is_skipped(tmp_path: Path, size: int, before: bytes) -> None:
    (tmp_path / "a.raw").write_bytes(before + VOLUME.tobytes())
    path = tmp_path / "a.mhd"
    path.write_text(header(VOLUME, f"HeaderSize = {size}", "ElementDataFile = a.raw"), encoding="ascii")
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))), VOLUME)
    np.testing.assert_array_equal(diascope.open(path)[...], VOLUME)


def test_big_endian_pixels_and_text_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(VOLUME.astype(">i2").tobytes())
    path = tmp_path / "a.mhd"
    path.write_text(header(VOLUME, "BinaryDataByteOrderMSB = True", "ElementDataFile = a.raw"), encoding="ascii")
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))), VOLUME)
    np.testing.assert_array_equal(diascope.open(path)[...], VOLUME)
    text = " ".join(map(str, VOLUME.ravel()))
    path.write_text(header(VOLUME, "BinaryData = False", "ElementDataFile = LOCAL") + text, encoding="ascii")
    np.testing.assert_array_equal(diascope.open(path)[...], VOLUME)


def test_a_file_without_a_place_has_no_world(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(VOLUME.tobytes())
    more = ("ElementSize = 1 2 3", "AnatomicalOrientation = RAI", "Comment = a rat", "ElementDataFile = a.raw")
    (tmp_path / "a.mhd").write_text(header(VOLUME, *more), encoding="ascii")
    image = diascope.open(tmp_path / "a.mhd")
    assert (image.world, image.levels[0].scale, image.metadata.description) == (None, (3.0, 2.0, 1.0), "a rat")
    assert image.metadata.extra["AnatomicalOrientation"] == "RAI"


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("ElementDataFile = ../a.raw",), "does not lie in its folder"),
        (("ElementDataFile = none.raw",), "missing"),
        (("ElementDataFile = LOCAL",), "cannot hold"),
        (("CompressedData = True", "ElementDataFile = LOCAL"), "zlib"),
        ((), "ElementDataFile"),
        (("ElementNumberOfChannels = -3", "ElementDataFile = LOCAL"), "channels"),
    ],
)
def test_lies_are_refused(tmp_path: Path, lines: tuple[str, ...], reason: str) -> None:
    (tmp_path / "a.mhd").write_text(header(VOLUME, *lines), encoding="ascii")
    with pytest.raises(Unreadable, match=reason):
        diascope.open(tmp_path / "a.mhd")


def test_packed_pixels_are_read_in_parts(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 200, (40, 400, 400), dtype=np.uint8)
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(pixels), str(tmp_path / "a.mha"), useCompression=True)
    store = CountingStore(LocalStore(tmp_path))
    image = source.open(store, "a.mha").images["a"]
    assert store.count < 1 << 15
    np.testing.assert_array_equal(image[39], pixels[39])
    store.count = 0
    np.testing.assert_array_equal(image[5], pixels[5])
    assert store.count < 4 << 20
