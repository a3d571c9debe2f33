"""MINC: real values and positions are those of nibabel, bit for bit."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest

import diascope
from diascope.errors import Unreadable
from diascope.image.image import Image
from tests.sources import minc_files
from tests.sources.minc_files import PIXELS, RANGE, SAGITTAL, minc1, minc2

FILES = {**minc_files.SAMPLES, **minc_files.FILES}


def opened(path: Path) -> Image:
    dataset = diascope.open_dataset(path)
    return next(iter(dataset.images.values()))


@pytest.mark.parametrize("name", [name for name in FILES if not name.endswith(".gz")])
def test_values_are_those_of_nibabel(name: str, tmp_path: Path) -> None:
    FILES[name](tmp_path / name)
    judge = nibabel.load(tmp_path / name)
    values = np.asanyarray(judge.dataobj)
    image = opened(tmp_path / name)
    # The sagittal ones lie along x, z and y.
    order = (*range(values.ndim - 3), *((-2, -1, -3) if "series" in name or name == "two_one.mnc" else (-3, -2, -1)))
    expected = values.transpose(order)
    assert image.dtype == values.dtype.newbyteorder("=")
    assert image[...].tobytes() == np.ascontiguousarray(expected.astype(image.dtype)).tobytes()


@pytest.mark.parametrize("name", ["signed.mnc", "two.mnc"])
def test_pixels_lie_where_nibabel_has_them(name: str, tmp_path: Path) -> None:
    FILES[name](tmp_path / name)
    affine = nibabel.load(tmp_path / name).affine
    image = opened(tmp_path / name)
    assert [axis.unit for axis in image.axes] == ["millimeter"] * 3
    assert image.levels[0].scale == (3.0, 2.0, 1.5)
    assert image.world is not None
    assert image.world.space == "talairach"
    for z, y, x in ((0, 0, 0), (5, 16, 20), (2, 7, 1)):
        position = np.array([x * 1.5, y * 2.0, z * 3.0, 1.0])
        np.testing.assert_allclose(image.world.array @ position, affine @ (z, y, x, 1), atol=1e-9)


def test_time_is_told(tmp_path: Path) -> None:
    FILES["series.mnc"](tmp_path / "series.mnc")
    image = opened(tmp_path / "series.mnc")
    assert (image.axis_names, image.axes[0].unit) == ("tzyx", "second")
    assert (image.levels[0].scale[0], image.levels[0].translation[0]) == (0.5, 2.0)


def test_a_packed_file_is_read(tmp_path: Path) -> None:
    FILES["packed.mnc.gz"](tmp_path / "packed.mnc.gz")
    packed, plain = (opened(tmp_path / name) for name in ("packed.mnc.gz", "packed.mnc"))
    np.testing.assert_array_equal(packed[...], plain[...])
    assert packed.name == "packed"


def test_what_is_told_besides(tmp_path: Path) -> None:
    FILES["two.mnc"](tmp_path / "two.mnc")
    told = opened(tmp_path / "two.mnc").metadata
    assert told.format == "MINC 2"
    assert told.extra == {"history": "made for a test", "modality": "MRI"}


@pytest.mark.parametrize("writer", [minc1, minc2])
def test_a_wrong_range_is_refused(writer: object, tmp_path: Path) -> None:
    words = {"signtype": "signed__"} if writer is minc1 else {}
    writer(tmp_path / "wrong.mnc", PIXELS, SAGITTAL, 1, valid_range=RANGE * 100, **words)  # type: ignore[operator]
    with pytest.raises(Unreadable, match=r"wrong\.mnc.*valid range"):
        opened(tmp_path / "wrong.mnc")


def test_more_pixels_than_the_file_has_are_refused(tmp_path: Path) -> None:
    FILES["signed.mnc"](tmp_path / "short.mnc")
    data = bytearray((tmp_path / "short.mnc").read_bytes())
    at = data.index(b"xspace") + 8
    assert int.from_bytes(data[at : at + 4], "big") == 21
    data[at : at + 4] = (1 << 30).to_bytes(4, "big")
    (tmp_path / "short.mnc").write_bytes(data)
    with pytest.raises(Unreadable, match=r"short\.mnc.*cannot hold pixels"):
        opened(tmp_path / "short.mnc")
