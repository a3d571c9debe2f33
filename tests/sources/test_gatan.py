"""DM3 and DM4: real files, files of every type and byte order, and broken ones; judged by Bio-Formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

import diascope
from diascope.errors import DiascopeError, Unreadable
from diascope.image.image import Image
from diascope.image.level import read_whole
from diascope.image.region import whole
from diascope.sources.gatan import source
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.judges.bioformats import converted, missing
from tests.judges.required import required
from tests.sources.gatan_files import (
    DATA_TYPES,
    NANOMETRES,
    RGBA,
    Dim,
    Writer,
    colours,
    dm,
    dm3_two,
    picture,
    volume,
)


def first(path: Path) -> Image:
    return next(iter(diascope.open_dataset(path).images.values()))


def written(folder: Path, data: bytes, name: str = "made.dm3") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("dtype", [name for name in DATA_TYPES if not name.startswith("c")])
def test_every_type_and_byte_order(version: int, little: bool, dtype: str, tmp_path: Path) -> None:
    pixels = volume(dtype)
    image = first(written(tmp_path, dm(picture(pixels), version=version, little=little)))
    assert image.dtype == pixels.dtype
    np.testing.assert_array_equal(image[...], pixels)


def test_axes_are_named_by_their_units(tmp_path: Path) -> None:
    pixels = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)
    dims = (Dim(0.5, 3, "nm"), Dim(0.25, -2, "nm"), Dim(0.1, 0, "s"), Dim(2, -100, "eV"))
    image = first(written(tmp_path, dm(picture(pixels, dims))))
    assert image.axis_names == "tzyx"
    np.testing.assert_array_equal(image[...], pixels.transpose(1, 0, 2, 3))
    assert [axis.unit for axis in image.axes] == ["second", None, "nanometer", "nanometer"]
    assert image.levels[0].scale == (0.1, 1.0, 0.25, 0.5)
    assert image.levels[0].translation == (0.0, 0.0, 0.5, -1.5)
    assert image.metadata.extra["axes"][3] == {"axis": "z", "scale": 2.0, "origin": -100.0, "units": "eV"}


def test_a_diffraction_pattern_has_no_lengths(tmp_path: Path) -> None:
    image = first(written(tmp_path, dm(picture(volume()[0], (Dim(0.1, 8, "1/nm"), Dim(0.1, 8, "1/nm"))))))
    assert [axis.unit for axis in image.axes] == [None, None]
    assert image.levels[0].scale == (1.0, 1.0)
    assert image.metadata.extra["axes"][0]["units"] == "1/nm"


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    pixels = np.random.default_rng(4).integers(0, 256, (9, 13, 3), dtype=np.uint8)
    for little in (True, False):
        image = first(written(tmp_path, dm(picture(colours(pixels), kind=RGBA), little=little)))
        assert image.kind == "rgb"
        np.testing.assert_array_equal(image[...], np.moveaxis(pixels, -1, 0))


def test_images_beside_each_other_have_names_and_the_thumbnail_is_none_of_them(tmp_path: Path) -> None:
    dm3_two(tmp_path / "two.dm3")
    dataset = diascope.open_dataset(tmp_path / "two.dm3")
    assert list(dataset.images) == ["a-b", "a-b-2"]
    assert dataset.images["a-b-2"].dtype == np.float64
    assert dataset.associated["thumbnail"].shape == (3, 4, 6)


def test_a_spectrum_is_one_row(tmp_path: Path) -> None:
    pixels = np.arange(50, dtype=np.float32)
    image = first(written(tmp_path, dm(picture(pixels))))
    np.testing.assert_array_equal(image[...], pixels[None])


def test_values_between_which_it_was_shown_and_what_they_count(tmp_path: Path) -> None:
    image = first(written(tmp_path, dm(picture(volume()[0], brightness=Dim(0.5, 10, "e-")))))
    assert image.metadata.rescale == (0.5, -5.0)
    assert image.metadata.extra["units"] == "e-"


@pytest.mark.parametrize(
    ("made", "match"),
    [
        (picture(volume().astype("c8")), "complex numbers of 8 bytes"),
        (picture(volume().astype("c16")), "complex numbers of 16 bytes"),
        (picture(volume(), kind=5), "packed Fourier"),
        (picture(volume(), kind=99), "type 99"),
        (picture(volume(), sizes=(0, 17, 5)), "cannot be"),
        (picture(volume(), sizes=(23, 17, 1 << 30)), "cannot hold"),
        (picture(volume(), sizes=(23, 17, 5, 1, 1, 1)), "cannot be"),
    ],
    ids=["c8", "c16", "packed", "unknown", "empty", "short", "rank"],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(made: dict[str, Any], match: str, tmp_path: Path) -> None:
    path = written(tmp_path, dm(made))
    with pytest.raises(Unreadable, match=match) as caught:
        first(path)
    assert path.name in str(caught.value)


def test_tags_that_are_too_deep_or_too_many_are_refused(tmp_path: Path) -> None:
    deep: dict[str, Any] = {}
    for _ in range(80):
        deep = {"a": deep}
    for tags, match in ((deep, "deep"), ({"ImageList": []}, "no image")):
        with pytest.raises(Unreadable, match=match):
            first(written(tmp_path, Writer(3, little=True).file(tags)))


def test_metadata_of_real_files(shared_data: Path) -> None:
    image = first(shared_data / "dm3-dm4" / "2D_test_STEM_image.dm3")
    found = image.metadata
    assert found.acquired == "2016-08-08T15:26:37+00:00"
    assert (found.magnification, found.instrument) == (225000.0, "FEI Tecnai Remote")
    assert found.position == {"x": -461.276, "y": 52.0039, "z": pytest.approx(35.0339)}
    assert image.levels[0].scale == (0.24853801727294922,) * 2
    assert image.levels[0].translation == pytest.approx((42.5, 51.447369))
    assert image.channels[0].window == (30369.796875, 69845.984375)


@pytest.mark.parametrize("name", ["3D_EELS_SI.dm4", "3D_test-2.dm3", "test_stackbuilder_imagestack.dm3"])
def test_a_stack_is_not_shown_between_the_limits_of_one_plane(shared_data: Path, name: str) -> None:
    """Most planes would be black or white all over."""
    assert [channel.window for channel in first(shared_data / "dm3-dm4" / name).channels] == [None]


def test_a_region_of_a_large_file_reads_little(tmp_path: Path) -> None:
    pixels = np.arange(64 * 512 * 512, dtype=np.uint16).reshape(64, 512, 512)
    path = written(tmp_path, dm(picture(pixels), version=4), "large.dm4")
    store = CountingStore(LocalStore(tmp_path))
    level = source.open(store, path.name).images["large"].levels[0]
    assert store.count < 1 << 18
    store.count = 0
    region = whole((1, 64, 512)).shifted((-40, -100, 0))
    np.testing.assert_array_equal(level.read(region), pixels[region.slices])
    assert store.count <= 64 * 512 * 2


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_changed_bytes_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    whole_file = dm(picture(volume("u2"), NANOMETRES), version=data.draw(st.sampled_from((3, 4))))
    twin = bytearray(whole_file)
    for _ in range(data.draw(st.integers(1, 4))):
        twin[data.draw(st.integers(4, len(twin) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "twin.dm3"
    path.write_bytes(twin)
    try:
        dataset = diascope.open_dataset(path)
        for image in (*dataset.images.values(), *dataset.associated.values()):
            level = image.levels[0]
            region = whole(level.shape).clipped((64,) * len(level.shape))
            assert level.read(region).shape == region.shape
    except DiascopeError as error:
        assert "twin.dm3" in str(error)  # noqa: PT017


@pytest.mark.judge
@pytest.mark.parametrize("version", [3, 4])
def test_bio_formats_sees_the_same(version: int, tmp_path: Path) -> None:
    required(missing())
    dims = (*NANOMETRES, Dim(2.0, 0.0, "nm"))
    path = written(tmp_path, dm(picture(volume("u2"), dims), version=version), f"made.dm{version}")
    out = converted(path, tmp_path / "out.ome.tif")
    assert isinstance(out, Path), out
    image = first(path)
    with tifffile.TiffFile(out) as tiff:
        np.testing.assert_array_equal(tiff.asarray(), read_whole(image.levels[0]))
        sizes = tifffile.xml2dict(str(tiff.ome_metadata))["OME"]["Image"]["Pixels"]
    assert (sizes["PhysicalSizeY"], sizes["PhysicalSizeX"]) == image.levels[0].scale[-2:]
    assert {sizes["PhysicalSizeXUnit"], sizes["PhysicalSizeYUnit"]} == {"nm"}
