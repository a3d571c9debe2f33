"""FreeSurfer's volumes and Analyze 7.5, judged by nibabel."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

import diascope
from diascope.errors import Unreadable
from tests.sources.test_nrrd import ras
from tests.sources.volume_files import MAP, RANDOM, VOLUME


def known_mgh(path: Path) -> Any:
    data = path.read_bytes()
    return nibabel.MGHImage.from_bytes(gzip.decompress(data) if path.suffix == ".mgz" else data)


@pytest.mark.parametrize("name", ["a.mgh", "a.mgz"])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4"])
def test_pixels_and_world_are_nibabels(tmp_path: Path, name: str, dtype: str) -> None:
    pixels = RANDOM.integers(0, 100, (13, 11, 7)).astype(dtype)
    nibabel.MGHImage(pixels, MAP).to_filename(tmp_path / name)
    image = diascope.open(tmp_path / name)
    known = known_mgh(tmp_path / name)
    np.testing.assert_array_equal(image[...], np.asarray(known.dataobj).T)
    assert image.levels[0].scale[::-1] == pytest.approx(known.header.get_zooms())
    for index in ((0, 0, 0), (2, 3, 4)):
        np.testing.assert_allclose(ras(image, index), (known.affine @ [*index, 1])[:3], atol=1e-4)


def test_frames_are_moments(tmp_path: Path) -> None:
    made = nibabel.MGHImage(RANDOM.random((5, 6, 7, 3)).astype(np.float32), MAP)
    made.header.set_zooms((2, 3, 4, 1500))
    made.to_filename(tmp_path / "a.mgh")
    image = diascope.open(tmp_path / "a.mgh")
    assert (image.axis_names, image.axes[0].unit, image.levels[0].scale[0]) == ("tzyx", "millisecond", 1500)
    np.testing.assert_array_equal(image[2], np.asarray(made.dataobj)[..., 2].T)


def test_a_place_that_is_not_told_is_freesurfers(tmp_path: Path) -> None:
    path = tmp_path / "a.mgh"
    nibabel.MGHImage(np.zeros((4, 6, 8), np.float32), MAP).to_filename(path)
    data = bytearray(path.read_bytes())
    data[28:30] = b"\0\0"
    path.write_bytes(data)
    image = diascope.open(path)
    # Coronal: x to the left, y down, z to the front, and the middle of the volume in the origin.
    np.testing.assert_allclose(ras(image, (2, 3, 4)), [0, 0, 0])
    np.testing.assert_allclose(ras(image, (3, 5, 7)), [-1, 3, -2])
    assert image.levels[0].scale == (1.0, 1.0, 1.0)


def test_segmentations_are_told_by_name(tmp_path: Path) -> None:
    for name, kind in (("aparc+aseg.mgz", "labels"), ("orig.mgz", "intensity")):
        nibabel.MGHImage(VOLUME.T.astype(np.int32), MAP).to_filename(tmp_path / name)
        assert diascope.open(tmp_path / name).kind == kind


def test_sizes_that_cannot_be_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mgh"
    nibabel.MGHImage(VOLUME.T.astype(np.int32), MAP).to_filename(path)
    data = bytearray(path.read_bytes())
    data[4:8] = b"\x7f\0\0\0"
    path.write_bytes(data)
    with pytest.raises(Unreadable, match="cannot hold"):
        diascope.open(path)


@pytest.mark.parametrize("kind", [nibabel.AnalyzeImage, nibabel.Spm99AnalyzeImage, nibabel.Spm2AnalyzeImage])
@pytest.mark.parametrize("dtype", ["u1", "<i2", ">i2", "<i4", ">f4", "<f8"])
@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_analyze_is_nibabels(tmp_path: Path, kind: Any, dtype: str) -> None:
    pixels = RANDOM.integers(0, 100, (7, 6, 5, 4)).astype(dtype)
    order = "<>"[dtype.startswith(">")]
    made = kind(pixels, np.diag([2.0, 3.0, 4.0, 1.0]), kind.header_class(endianness=order))
    made.set_data_dtype(dtype)
    made.to_filename(tmp_path / "a.hdr")
    image = diascope.open(tmp_path / "a.hdr")
    known = nibabel.load(tmp_path / "a.img")
    assert (image.axis_names, image.world) == ("tzyx", None)
    assert image.dtype == np.dtype(dtype).newbyteorder("=")
    assert image.levels[0].scale[1:] == (4.0, 3.0, 2.0)
    np.testing.assert_array_equal(image[...], np.asarray(known.dataobj.get_unscaled()).T)


@pytest.mark.filterwarnings("ignore:.*:DeprecationWarning")
def test_spms_scale_and_origin_are_told(tmp_path: Path) -> None:
    made = nibabel.Spm99AnalyzeImage(RANDOM.random((7, 6, 5)), np.diag([2.0, 3.0, 4.0, 1.0]))
    made.set_data_dtype(np.int16)
    made.header.set_origin_from_affine(np.array([[2.0, 0, 0, -6], [0, 3, 0, -6], [0, 0, 4, -8], [0, 0, 0, 1]]))
    made.to_filename(tmp_path / "a.hdr")
    (tmp_path / "a.mat").unlink(missing_ok=True)
    told = diascope.open(tmp_path / "a.hdr").metadata
    known = nibabel.load(tmp_path / "a.img")
    assert told.rescale is not None
    assert told.rescale[0] == pytest.approx(known.dataobj.slope)
    assert told.extra["origin"][:3] == known.header["origin"][:3].tolist()
    assert told.extra["orient"] == 0


def test_analyze_without_its_pixels_is_refused(tmp_path: Path) -> None:
    nibabel.AnalyzeImage(VOLUME.T, np.eye(4)).to_filename(tmp_path / "a.hdr")
    (tmp_path / "a.img").unlink()
    with pytest.raises(Unreadable, match=r"a\.img, which has the pixels, is missing"):
        diascope.open(tmp_path / "a.hdr")
