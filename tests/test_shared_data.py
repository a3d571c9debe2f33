"""Every shared image opens with the shape, type and pixels that a reference reader saw, or is refused by name.

The manifest's axes are the reader's own; they are brought to ours by letter, and the letters that only count pages or
files (I, Q, F) by their size.
"""

from __future__ import annotations

import hashlib
import re
from itertools import permutations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import diascope
from diascope.errors import DiascopeError
from diascope.image.image import Image
from diascope.image.region import Region
from diascope.sources.dataset import Dataset
from tests import shared_dicom

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

OUT_OF_REACH = {
    "dicom/sm_annotations.dcm": "it has no pixels, being Microscopy Bulk Simple Annotations Storage",
    "precomputed/mesh_mip_2_err_40_sv16": "no source knows this format",
    "precomputed/skeletons_mip_2": "this precomputed folder holds skeletons, and no image",
    "ome-tiff/c3_z33.companion.ome": "'c3_z33_w1Conf640.ome.tif' of the same image is missing",
    "transforms/affine-antsComposite.h5": "none of its arrays can be an image",
}
"""What holds no image here, and how it is told: annotations, meshes, skeletons, files whose pixels are elsewhere."""

NO_IMAGES = "transforms"
"""The format of transformations, which operations read and no source does."""

INSIDE = {
    "ims/nc1-nt3-16bit-imaris": "volume.ims",
    "bdv/xyc-fluo-cells-bdv-hdf5": "xyc-fluo-cells-bdv-hdf5.xml",
    "analyze/air2": "air2.hdr.gz",
    "nrrd/detached": "BallBinary30x30x30.nhdr",
    "precomputed/png_simple_ng_dataset": "color",
    "ome-zarr/bioformats2raw_v2_layout": "data.zarr",
    "ome-tiff/companion_multifile": "multifile.companion.ome",
    "vsi/vsi-ets-test-jpg2k": "vsi-ets-test-jpg2k.vsi",
}
"""What is opened of a folder that is no image itself; elsewhere the manifest's region begins with it."""

X_FIRST = {"tensorstore n5", "tensorstore neuroglancer_precomputed", "cloud-volume"}
"""Readers whose axes are x, y, z, and c."""

LOSSY = re.compile(r"jpe?g|jpegxl|jpeg2000|webp|aperio", re.IGNORECASE)
TOLERANCE = 1.0
"""How far minimum, maximum and mean may lie off where another version of a lossy decoder was used."""


def wanted(row: dict[str, str]) -> bool:
    return row["format"] != "malformed"


class Expected(NamedTuple):
    """An item of the manifest in terms of arrays."""

    path: Path
    image: str
    """The path of the array in the item, empty where it has only one."""
    axes: str
    shape: tuple[int, ...]
    last: int
    """How many of the reader's last axes a plane has, negative where they are the first."""
    first: str = ""
    """Our axes along which the manifest has only the first."""


def reason(row: dict[str, str]) -> str | None:
    """Why an item is out of reach; None where it is not."""
    return OUT_OF_REACH.get(row["path"], "no source knows this format" if row["format"] == NO_IMAGES else None)


def test_opens_as_the_reference_reader_saw_it(shared_data: Path, shared_row: dict[str, str]) -> None:
    told = reason(shared_row)
    if told is None:
        check(shared_data, shared_row)
        return
    path = opened_path(shared_data, shared_row)
    with pytest.raises(DiascopeError, match=re.escape(told)) as error:
        list(diascope.open_dataset(path).images.values())
    assert path.name in str(error.value)


def check(folder: Path, row: dict[str, str]) -> None:
    expected = expectation(folder, row)
    image = image_of(diascope.open_dataset(expected.path), expected.image)
    if row["path"] in UNLIKE:
        UNLIKE[row["path"]](image, expected.path, row)
        return
    assert np.dtype(row["dtype"]) == image.dtype
    order = matched(image, expected)
    plane = planes(expected, lambda _: 0)
    if row["reader"].startswith("openslide"):
        x, y, w, h = map(int, re.findall(r"[xywh]=(\d+)", row["region"]))
        plane = (slice(y, y + h), slice(x, x + w), slice(None))
    exact = compare(row, "pixel", taken(image, expected, order, plane))
    if row["mid_pixel_sha256"]:
        compare(row, "mid_pixel", taken(image, expected, order, planes(expected, lambda size: size // 2)))
    if row["array_sha256"] and exact and expected.shape == shape_of(row):
        compare(row, "array", taken(image, expected, order, (slice(None),) * len(expected.shape)))


def opened_path(folder: Path, row: dict[str, str]) -> Path:
    path = folder / row["path"]
    inside = re.match(r"([^ :]+\.[^ :]+): ", row["region"])
    if row["path"] in INSIDE:
        return path / INSIDE[row["path"]]
    return path / inside[1] if inside else path


def expectation(folder: Path, row: dict[str, str]) -> Expected:
    path = opened_path(folder, row)
    axes, shape = axes_of(row)
    last = 3 if axes.endswith("S") else 2
    image = ""
    if row["reader"] in X_FIRST:
        return Expected(path, image, "XYZCT"[: len(shape)], shape, -2)
    if row["axes"].startswith("nibabel"):
        axes, last = "XYZTC"[: len(shape)], -2
    elif axes == "array order" and ("zarr" in row["reader"] or "numcodecs" in row["reader"]):
        image = row["region"].partition("[")[0].removeprefix("data.zarr/")
        named = re.search(r" axes=(\w+)", row["details"])
        axes = (named[1] if named else "TCZYX"[-len(shape) :]).upper()
    elif row["reader"] == "h5py":
        # Of an array whose axes the manifest does not name, the region tells which two make the plane.
        image, _, region = row["region"].partition("[")
        if row["axes"] == "array order":
            axes, last = ("YXQ", -2) if region.startswith(":,:,") else ("TCZYX"[-len(shape) :], 2)
    elif row["axes"].startswith("file order"):
        axes = "TZYX"[-len(shape) :]
    elif row["axes"].startswith("YX ("):
        axes = "YX"
    elif row["axes"] == "slowest first":
        axes, last = f"IQF{'YX'}"[-len(shape) :], 2
    elif int((re.search(r" frames=(\d+)", row["details"]) or "01")[1]) > 1:
        axes, shape = f"T{axes}", (int(re.findall(r" frames=(\d+)", row["details"])[0]), *shape)
    return Expected(path, image, axes, shape, last, "t" if " nT=" in f" {row['details']}" else "")


def axes_of(row: dict[str, str]) -> tuple[str, tuple[int, ...]]:
    """The axes that the manifest names, and their lengths."""
    axes, shape = row["axes"], shape_of(row)
    if row["path"].endswith(".zarr.zip"):
        return "YXS", shape
    if row["reader"] == "pylibCZIrw":
        # It tells of X before Y and reads them the other way round, and its whole is that of all scenes.
        return axes.replace("XY", "YX"), (*shape[:-2], *map(int, row["plane_shape"].split("x")))
    return axes, shape


def shape_of(row: dict[str, str]) -> tuple[int, ...]:
    return tuple(int(n) for n in row["shape"].split("x")) if row["shape"] else ()


def image_of(dataset: Dataset, array: str) -> Image:
    """The image whose array lies at this path of the dataset, or its first."""
    named = (name for name in dataset.images if array == name or array.startswith(f"{name}/"))
    return dataset.images[next(named, next(iter(dataset.images)))]


def matched(image: Image, expected: Expected) -> tuple[str, ...]:
    """Our axis for each of the reader's, ``""`` for one of length one that we leave out."""
    fixed = {letter: letter.lower().replace("s", "c") for letter in expected.axes if letter in "TCZYXS"}
    counting = [letter for letter in expected.axes if letter not in fixed]
    for spare in permutations([*set(image.axis_names) - set(fixed.values()), *[""] * len(counting)], len(counting)):
        names = {**fixed, **dict(zip(counting, spare, strict=True))}
        order = tuple(names[letter] if names[letter] in image.axis_names else "" for letter in expected.axes)
        sizes = tuple(image.size(name) if name else 1 for name in order)
        rest = [image.size(name) for name in image.axis_names if name not in order and name not in expected.first]
        if sizes == expected.shape and all(size == 1 for size in rest):
            return order
    pytest.fail(f"{image.axis_names} {image.shape} is not {expected.axes} {expected.shape}")


def planes(expected: Expected, place: Any) -> tuple[slice, ...]:
    """The plane that the manifest hashed: the reader's last or first axes whole, the others at one place."""
    rank = len(expected.shape)
    whole = range(-expected.last) if expected.last < 0 else range(rank - expected.last, rank)
    at = [place(size) for size in expected.shape]
    return tuple(slice(None) if k in whole else slice(i, i + 1) for k, i in enumerate(at))


def taken(image: Image, expected: Expected, order: tuple[str, ...], key: tuple[slice, ...]) -> NDArray[Any]:
    """Pixels in the reader's order of axes, read as the region of level 0 that they are."""
    bounds = {name: item.indices(size) for name, item, size in zip(order, key, expected.shape, strict=True) if name}
    ours = [bounds.get(name, (0, 1, 1)) for name in image.axis_names]
    pixels = image.levels[0].read(Region(tuple(b[0] for b in ours), tuple(b[1] for b in ours)))
    kept = [name for name in order if name]
    rest = [name for name in image.axis_names if name not in kept]
    moved = pixels.transpose([image.axis_names.index(name) for name in [*rest, *kept]])
    return moved.reshape([len(range(*item.indices(n))) for item, n in zip(key, expected.shape, strict=True)])


def is_lossy(row: dict[str, str]) -> bool:
    return bool(LOSSY.search(row["details"] + row["format"] + row["note"]))


def compare(row: dict[str, str], what: str, pixels: NDArray[Any]) -> bool:
    """Whether the pixels are those the manifest hashed; of a lossy format they may also be only like them."""
    digest = hashlib.sha256(np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("<")).tobytes()).hexdigest()
    known = row[f"{what}_sha256"]
    if digest == known:
        return True
    assert is_lossy(row), f"{what} pixels have the checksum {digest}, not {known}"
    stats = row["mid_stats" if what.startswith("mid") else "stats"]
    values = {key: float(number) for key, number in re.findall(r"(min|max|mean)=([-+.\deE]+)", stats)}
    assert values, "a lossy picture without statistics"
    assert pixels.mean(dtype=np.float64) == pytest.approx(values["mean"], abs=TOLERANCE)
    assert float(pixels.min()) == pytest.approx(values["min"], abs=4 * TOLERANCE)
    assert float(pixels.max()) == pytest.approx(values["max"], abs=4 * TOLERANCE)
    return False


def reduced_by_the_reader(image: Image, path: Path, row: dict[str, str]) -> None:
    """Pillow takes the lower 8 of 16 bits away; ours keep them, and the upper 8 are the reader's."""
    assert image.dtype == np.uint16
    compare(row, "array", np.moveaxis(image[...] >> 8, 0, -1).astype(np.uint8))


def indices_to_the_reader(image: Image, path: Path, row: dict[str, str]) -> None:
    """The frames have palettes of their own: ours are colours, those of the first frame's indices."""
    import PIL.Image

    with PIL.Image.open(path) as picture:
        compare(row, "array", np.asarray(picture))
        colours = np.asarray(picture.convert("RGBA"))
    assert image.axis_names == "tcyx"
    np.testing.assert_array_equal(np.moveaxis(image[0], 0, -1), colours)


def mixed_up_by_the_reader(image: Image, path: Path, row: dict[str, str]) -> None:
    """cloud-volume takes the samples of a PNG of several channels for one channel after the other."""
    samples = image[...].transpose(1, 2, 3, 0)
    compare(row, "pixel", samples.ravel().reshape(shape_of(row), order="F")[:, :, 0])


def thumbnail_to_the_reader(image: Image, path: Path, row: dict[str, str]) -> None:
    """It reads the picture in the VSI file alone, and none of the pixels in the files beside it."""
    assert image.shape == (2, 11, 1682, 1645)
    compare(row, "array", np.moveaxis(diascope.open_dataset(path).associated["thumbnail"][...], 0, -1))


def without_a_reader(image: Image, path: Path, row: dict[str, str]) -> None:
    """Nothing is told of it: tests/sources/test_coded_pictures.py compares its pixels with those of other programs."""
    assert row["reader"] == "none (bytes only)"
    assert image[...].any()


def coarser_to_the_reader(image: Image, path: Path, row: dict[str, str]) -> None:
    """Only the third scale is there, and is what was seen."""
    assert image.dtype == np.dtype(row["dtype"])
    compare(row, "pixel", image.levels[2].read(Region((0, 0, 0), (1, 256, 256))).transpose(2, 1, 0))


UNLIKE = {
    "precomputed/seg_unsharded": coarser_to_the_reader,
    "exr-hdr-fits/sample.exr": without_a_reader,
    "exr-hdr-fits/simple.fits": without_a_reader,
    "vsi/vsi-ets-test-jpg2k": thumbnail_to_the_reader,
    **shared_dicom.UNLIKE,
    "precomputed/png_simple_ng_dataset": mixed_up_by_the_reader,
    "png/D75_16b.png": reduced_by_the_reader,
    "gif/no_time_for_that_tiny.gif": indices_to_the_reader,
}
"""Where the reference reader lost what the file has; how the two still agree."""
