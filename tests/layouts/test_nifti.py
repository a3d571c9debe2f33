"""The virtual NIfTI, judged by nibabel and SimpleITK."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

import diascope
from diascope.errors import DiascopeError
from diascope.image.affine import affine
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel, Metadata
from diascope.image.order import moved
from diascope.image.region import Region
from diascope.layouts.nifti import layout, nifti
from diascope.testing.synthetic import ramp
from diascope.tree.file import Entry
from tests.conftest import shared_data_folder
from tests.virtual import all_bytes, written

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
IMAGES = {
    "flat": ramp("yx", (30, 21)),
    "volume": ramp("zyx", (5, 30, 21)),
    "five axes": ramp("tczyx", (2, 3, 4, 30, 21)),
    "channels": ramp("cyx", (3, 30, 21), np.float32),
    "times": ramp("tyx", (3, 30, 21), np.uint8),
    "labels": ramp("zyx", (3, 30, 21), np.uint32, kind="labels"),
    "deep colours": ramp("czyx", (3, 2, 30, 21), np.uint16, kind="rgb"),
    "long": ramp("yx", (2, 40_000), np.uint8),
    **{name: ramp("zyx", (2, 30, 21), name) for name in (*INTEGERS, "bool", "float16", "float64", "complex64")},
}
PICTURES = {
    "picture": ramp("czyx", (3, 2, 30, 21), np.uint8, kind="rgb"),
    "opacity": ramp("tcyx", (2, 4, 30, 21), np.uint8, kind="rgb"),
}


def read_back(image: Image, path: Path) -> Any:
    read: Any = nibabel.load(written(nifti(image), path / "image.nii", step=1009))
    return read


@pytest.mark.parametrize("name", IMAGES)
def test_nibabel_reads_every_pixel(name, tmp_path):
    image = IMAGES[name]
    read = read_back(image, tmp_path)
    dims = "xyztc" if "c" in image.axis_names else "xyzt" if "t" in image.axis_names else "xyz"
    np.testing.assert_array_equal(np.asarray(read.dataobj), moved(image[...], image.axis_names, dims))
    assert isinstance(read, nibabel.Nifti2Image) == (name == "long")
    assert read.header["dim"][0] == len(dims)


@pytest.mark.parametrize("name", PICTURES)
def test_nibabel_reads_colours(name, tmp_path):
    image = PICTURES[name]
    read = read_back(image, tmp_path)
    pixels = np.asarray(read.dataobj)
    expected = moved(image[...], image.axis_names, "xyzc" if name == "picture" else "xyztc")
    np.testing.assert_array_equal(np.stack([pixels[key] for key in "RGBA"[: image.size("c")]], axis=-1), expected)


@pytest.mark.parametrize("name", [*IMAGES, *PICTURES])
def test_any_range_is_that_slice_of_the_whole(name):
    file = nifti({**IMAGES, **PICTURES}[name])
    data = file.read(0, None)
    assert len(data) == file.size
    for k, length in product(range(41), (1, 43, 1500)):
        start = len(data) * k // 41
        assert file.read(start, start + length) == data[start : start + length]
    assert file.read(len(data), len(data) + 5) == b""


def test_ranges_of_long_rows_are_those_of_the_whole():
    image = ramp("zyx", (2, 3, 700_001), np.uint16)
    file = nifti(image)
    data = file.read(0, None)
    assert data[544:] == image[...].tobytes()
    row = 1_400_002
    for start, stop in ((544, 545), (600, 544 + 3 * row - 7), (544 + row - 1, 544 + 2 * row + 1), (544 + row, 9 * row)):
        assert file.read(start, stop) == data[start:stop]


def rotated() -> Any:
    """A turn and a mirror with a shift."""
    c, s = np.cos(0.3), np.sin(0.3)
    return np.array([[-c, s, 0, 12.5], [s, c, 0, -3], [0, 0, 1, 7], [0, 0, 0, 1]])


@pytest.mark.parametrize(("space", "code"), [("scanner", 1), ("aligned", 2), ("talairach", 3), ("mni152", 4), ("x", 2)])
def test_the_world_is_the_sform_and_a_rigid_one_the_qform_too(space, code, tmp_path):
    scale = np.diag([0.25e-3, 0.5e-3, 2e-3, 1])
    image = replace(IMAGES["volume"], world=affine(rotated() @ np.diag([1e-3, 1e-3, 1e-3, 1]), space))
    header = read_back(image, tmp_path).header
    for matrix, found in (header.get_sform(coded=True), header.get_qform(coded=True)):
        assert found == code
        np.testing.assert_allclose(matrix, rotated() @ scale, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(header.get_zooms(), (0.25e-3, 0.5e-3, 2e-3), rtol=1e-6)


def test_a_sheared_world_is_the_sform_alone(tmp_path):
    shear = np.eye(4) * 1e-3
    shear[0, 1], shear[3, 3] = 0.4e-3, 1
    header = read_back(replace(IMAGES["volume"], world=affine(shear, "scanner")), tmp_path).header
    np.testing.assert_allclose(header.get_sform(), shear @ np.diag([0.25, 0.5, 2, 1]), rtol=1e-6)
    assert int(header["qform_code"]) == 0
    np.testing.assert_allclose(header.get_zooms(), (0.25e-3, 0.5e-3, 2e-3), rtol=1e-6)


def test_without_a_world_positions_are_the_images_own(tmp_path):
    level = replace(IMAGES["five axes"].levels[0], translation=(3.0, 0.0, 10.0, 20.0, 30.0))
    read = read_back(replace(IMAGES["five axes"], levels=(level,)), tmp_path)
    expected = np.array([[0.25, 0, 0, 30], [0, 0.5, 0, 20], [0, 0, 2, 10], [0, 0, 0, 1000]]) / 1000
    for matrix, code in (read.header.get_sform(coded=True), read.header.get_qform(coded=True)):
        np.testing.assert_allclose(matrix, expected, rtol=1e-6)
        assert code == 2
    assert read.header.get_xyzt_units() == ("mm", "sec")
    assert (read.header["pixdim"][4], read.header["toffset"]) == (1.0, 3.0)


def test_units_that_are_not_known_are_not_claimed(tmp_path):
    axes = tuple(replace(axis, unit=None) for axis in IMAGES["times"].axes)
    header = read_back(replace(IMAGES["times"], axes=axes), tmp_path).header
    assert header.get_xyzt_units() == ("unknown", "unknown")
    np.testing.assert_allclose(header["pixdim"][1:3], (0.25, 0.5))


def test_intensities_and_words_are_kept(tmp_path):
    known = Metadata(rescale=(0.5, -10.0), description="é" * 60)
    image = replace(IMAGES["volume"], metadata=known, channels=(Channel(window=(100.0, 300.0)),))
    read = read_back(image, tmp_path)
    assert (read.dataobj.slope, read.dataobj.inter) == (0.5, -10.0)
    np.testing.assert_allclose(read.get_fdata()[:, :, 0], image[0].T * 0.5 - 10)
    assert (read.header["cal_min"], read.header["cal_max"]) == (40.0, 140.0)
    assert bytes(read.header["descrip"].item()).decode() == "é" * 39
    assert read_back(IMAGES["volume"], tmp_path).dataobj.slope == 1
    assert read_back(IMAGES["labels"], tmp_path).header.get_intent()[0] == "label"
    assert read_back(IMAGES["channels"], tmp_path).header.get_intent()[0] == "vector"


def test_a_huge_file_has_a_size_at_once_and_costs_no_memory():
    shape, regions = (10_000, 1_000_000, 1_000_000), []
    image = ramp("zyx", shape)

    def counting(level: Level) -> Level:
        def read_pixels(region: Region) -> Pixels:
            regions.append(region)
            return level.read(region)

        return replace(level, read_pixels=read_pixels)

    file = nifti(replace(image, levels=tuple(map(counting, image.levels))))
    assert file.size == 544 + 2 * 10**16
    assert len(file.read(0, 544)) == 544
    tracemalloc.start()
    for start in [file.size * k // 50 + 999 for k in range(50)]:
        del regions[:]
        assert len(file.read(start, start + 65536)) == 65536
        assert len(regions) <= 2
        assert sum(np.prod(region.shape) for region in regions) <= 32769
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def test_the_tree_has_the_file_alone():
    tree = layout.tree(IMAGES["flat"])
    assert list(tree.entries("") or ()) == [Entry("ramp.nii", is_folder=False)]
    file = tree.file("ramp.nii")
    assert file is not None
    assert file.media_type == "application/x-nifti"
    assert len(all_bytes(file)) == file.size


def test_images_beyond_its_reach_are_refused_with_the_way_out():
    assert "too large" in (layout.refuses(ramp("zyx", (2**20, 2**21, 2**21))) or "")
    level = replace(IMAGES["flat"].levels[0], dtype=np.dtype("datetime64[s]"))
    assert "OME-Zarr" in (layout.refuses(replace(IMAGES["flat"], levels=(level,))) or "")
    assert layout.refuses(IMAGES["volume"]) is None


def shared_files() -> list[Path]:
    folder = shared_data_folder()
    return sorted(path for path in (folder / "nifti").iterdir() if ".nii" in path.name) if folder else []


@pytest.mark.parametrize("path", shared_files(), ids=lambda path: path.name)
def test_a_real_file_served_again_is_the_same(path, tmp_path):
    original: Any = nibabel.load(path)
    try:
        image = diascope.open(path)
    except DiascopeError as error:
        pytest.fail(f"the source cannot open it: {error}")
    again = read_back(image, tmp_path)
    np.testing.assert_array_equal(again.dataobj.get_unscaled().squeeze(), original.dataobj.get_unscaled().squeeze())
    assert again.dataobj.get_unscaled().dtype == original.dataobj.get_unscaled().dtype.newbyteorder("<")
    np.testing.assert_allclose(again.get_fdata().squeeze(), original.get_fdata().squeeze(), rtol=1e-6)
    if image.world:
        np.testing.assert_allclose(again.affine, original.affine, rtol=1e-5, atol=1e-5)
        codes = max(int(original.header["sform_code"]), 0) or int(original.header["qform_code"])
        assert int(again.header["sform_code"]) == codes


@pytest.mark.judge
def test_simpleitk_reads_pixels_and_places(tmp_path):
    import SimpleITK

    image = replace(IMAGES["volume"], world=affine(rotated() @ np.diag([1e-3, 1e-3, 1e-3, 1]), "scanner"))
    path = written(nifti(image), tmp_path / "volume.nii")
    read = SimpleITK.ReadImage(str(path))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(read), image[...])
    np.testing.assert_allclose(read.GetSpacing(), (0.25e-3, 0.5e-3, 2e-3), rtol=1e-5)
    # ITK's world points to the left and posterior.
    expected = np.diag([-1, -1, 1]) @ (rotated() @ np.diag([0.25e-3, 0.5e-3, 2e-3, 1]) @ [7, 5, 3, 1])[:3]
    np.testing.assert_allclose(read.TransformIndexToPhysicalPoint((7, 5, 3)), expected, atol=1e-4)
    vectors = written(nifti(IMAGES["five axes"]), tmp_path / "vectors.nii")
    assert SimpleITK.ReadImage(str(vectors)).GetNumberOfComponentsPerPixel() == 3


@pytest.mark.judge
@pytest.mark.parametrize(("at", "value"), [(70, 99), (344, 0), (42, 22), (400, 255)])
def test_nibabel_rejects_a_broken_twin(at, value, tmp_path):
    """The type, the magic, a dimension, a pixel."""
    image = IMAGES["volume"]
    data = bytearray(all_bytes(nifti(image)))
    data[at] = value
    path = tmp_path / "broken.nii"
    path.write_bytes(data)
    try:
        read: Any = nibabel.load(path)
        same = np.array_equal(np.asarray(read.dataobj), image[...].transpose())
    except (HeaderDataError, ImageFileError, OSError, ValueError):
        return
    assert not same
