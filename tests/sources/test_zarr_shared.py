"""Every Zarr of the shared images, against the manifest and against zarr-python."""

from __future__ import annotations

import csv
import hashlib
import random
import re
from pathlib import Path

import numpy as np
import pytest
import zarr

from diascope.catalogue.opening import opened_file
from diascope.image.image import Image
from diascope.image.region import Region
from diascope.sources.dataset import Dataset
from tests.conftest import shared_data_folder

pytestmark = pytest.mark.filterwarnings("ignore:Found an empty list of filters")


def rows() -> list[dict[str, str]]:
    folder = shared_data_folder()
    if folder is None:
        return []
    with (folder / "manifest.tsv").open() as table:
        every = list(csv.DictReader(table, delimiter="\t"))
    return [row for row in every if row["kind"] == "dir" and (row["format"] in {"ome-zarr", "zarr"} or is_derived(row))]


def is_derived(row: dict[str, str]) -> bool:
    return row["format"] == "derived" and row["path"].endswith(".zarr")


def sought(folder: Path, row: dict[str, str]) -> tuple[Path, str]:
    """The folder that is the dataset, and the path of the hashed array in it."""
    within = row["region"].partition("[")[0]
    root = folder / row["path"]
    head, _, rest = within.partition("/")
    return (root / head, rest) if head.endswith(".zarr") else (root, within)


def image_of(dataset: Dataset, array: str) -> Image:
    """The image whose name the array's path begins with; the only one where its name is another."""
    names = [name for name in dataset.images if f"{array}/".startswith(f"{name}/")]
    return dataset.images[names[0] if names else next(iter(dataset.images))]


def digest(pixels: np.ndarray) -> str:
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    return hashlib.sha256(np.ascontiguousarray(little).tobytes()).hexdigest()


@pytest.mark.parametrize("row", rows() or [None], ids=lambda row: row["path"] if row else "none")
def test_a_shared_zarr_has_the_pixels_of_the_manifest(shared_data: Path, row: dict[str, str]) -> None:
    root, array = sought(shared_data, row)
    image = image_of(opened_file(root), array)
    shape = tuple(map(int, row["shape"].split("x")))
    pixels = image[...]
    if "axes=cxyz" in row["details"]:
        pixels = pixels.transpose(0, 3, 2, 1)
    assert pixels.shape == shape
    assert pixels.dtype == np.dtype(row["dtype"])
    first = pixels[(0,) * (len(shape) - 2)]
    assert digest(first) == row["pixel_sha256"]
    assert digest(pixels) == row["array_sha256"]
    if row["mid_pixel_sha256"]:
        middle = tuple(map(int, re.findall(r"\d+", row["mid_region"].partition("]")[0])))
        assert digest(pixels[middle]) == row["mid_pixel_sha256"]
    low, high, mean = (float(word.partition("=")[2]) for word in row["stats"].split())
    np.testing.assert_allclose((first.min(), first.max(), first.mean()), (low, high, mean), rtol=1e-5)


ARRAYS = [
    ("derived/v0.3_zyx.ome.zarr", "", [str(k) for k in range(5)]),
    ("derived/v0.5_sharded_cyx_u16.ome.zarr", "", ["s0", "s1", "s2"]),
    ("ome-zarr/bioformats2raw_v2_layout/data.zarr", "0", ["0/0", "0/1"]),
    ("ome-zarr/v0.1_ome-zarr-py.zarr", "", ["0"]),
    ("ome-zarr/v0.2_ome-zarr-py.zarr", "", ["0"]),
    ("ome-zarr/v0.4_blobs.ome.zarr", "", ["s0"]),
    ("ome-zarr/v0.4_mri-stack.ome.zarr", "", ["s0", "s1"]),
    ("ome-zarr/v0.4_single-plane-hcs.zarr", "E/07/0", ["E/07/0/0", "E/07/0/1", "E/07/0/2"]),
    ("ome-zarr/v0.4_single-plane-hcs.zarr", "E/08/0", ["E/08/0/0", "E/08/0/1", "E/08/0/2"]),
    ("ome-zarr/v0.4_spatialdata-0.3_blobs.zarr", "images/blobs_image", ["images/blobs_image/0"]),
    (
        "ome-zarr/v0.4_spatialdata-0.3_blobs.zarr",
        "images/blobs_multiscale_image",
        [f"images/blobs_multiscale_image/{k}" for k in range(3)],
    ),
    ("ome-zarr/v0.5_blobs_image.ome.zarr", "", ["0"]),
    ("ome-zarr/v0.5_neuroglancer_simple", "", [f"scale{k}/image" for k in range(3)]),
    ("ome-zarr/v0.6dev_scale.zarr", "", ["array"]),
    *[
        ("zarr/zarrita_v3", name, [name])
        for name in (
            "2d.chunked.compressed.sharded.filled.i2", "2d.chunked.compressed.sharded.i2", "2d.chunked.i2",
            "2d.chunked.ragged.compressed.sharded.i2", "2d.contiguous.compressed.sharded.i2",
            "3d.chunked.compressed.sharded.i2", "3d.chunked.mixed.compressed.sharded.i2",
            "3d.contiguous.compressed.sharded.i2",
        )
    ],
]  # fmt: skip


@pytest.mark.parametrize(("path", "name", "arrays"), ARRAYS, ids=[f"{path}:{name}" for path, name, _ in ARRAYS])
def test_every_stored_level_equals_what_zarr_python_reads(
    shared_data: Path, path: str, name: str, arrays: list[str]
) -> None:
    dataset = opened_file(shared_data / path)
    image = dataset.images[name] if name else next(iter(dataset.images.values()))
    for level, array in zip(image.levels, arrays, strict=False):
        judge = zarr.open_array(shared_data / path / array, mode="r")
        expected = np.asarray(judge[...])
        assert level.shape == expected.shape
        for region in regions(level.shape):
            np.testing.assert_array_equal(level.read(region), expected[region.slices])
    assert len(image.levels) >= len(arrays)


def regions(shape: tuple[int, ...]) -> list[Region]:
    dice = random.Random(3)  # noqa: S311
    boxes = [[sorted((dice.randint(0, n), dice.randint(0, n))) for n in shape] for _ in range(8)]
    return [Region((0,) * len(shape), shape), *(Region(*map(tuple, zip(*box, strict=True))) for box in boxes)]


def test_the_axes_x_y_z_of_a_file_are_read_as_z_y_x(shared_data: Path) -> None:
    path = shared_data / "ome-zarr" / "v3_sharded_simple_zarr3_dataset"
    image = opened_file(path).images["color"]
    assert image.axis_names == "czyx"
    judge = np.asarray(zarr.open_array(path / "color" / "1", mode="r")[...])
    np.testing.assert_array_equal(image[...], judge.transpose(0, 3, 2, 1))
    np.testing.assert_array_equal(image[1, 3:20, 17:, 2], judge.transpose(0, 3, 2, 1)[1, 3:20, 17:, 2])


def test_spatialdata_has_its_labels_beside_its_images(shared_data: Path) -> None:
    path = shared_data / "ome-zarr" / "v0.4_spatialdata-0.3_blobs.zarr"
    dataset = opened_file(path)
    assert list(dataset.images) == ["images/blobs_image", "images/blobs_multiscale_image"]
    assert list(dataset.labels) == ["blobs_labels", "blobs_multiscale_labels"]
    labels = dataset.labels["blobs_labels"]
    assert labels.kind == "labels"
    np.testing.assert_array_equal(labels[...], zarr.open_array(path / "labels/blobs_labels/0", mode="r")[...])


def test_scales_units_and_channels_are_the_files_own(shared_data: Path) -> None:
    simple = opened_file(shared_data / "ome-zarr" / "v0.5_neuroglancer_simple").images["v0.5_neuroglancer_simple"]
    assert [level.scale for level in simple.levels] == [(4.0, 30.0), (8.0, 60.0), (16.0, 120.0)]
    assert [level.translation for level in simple.levels] == [(0.0, 0.0), (2.0, 15.0), (6.0, 45.0)]
    assert [axis.unit for axis in simple.axes] == ["nanometer"] * 2
    field = opened_file(shared_data / "ome-zarr" / "v0.4_single-plane-hcs.zarr").images["E/07/0"]
    assert field.levels[0].scale == (1.0, 2.7336, 2.7336)
    assert field.channels[0].name == "Maximum-Projection_FITC_05"
    assert field.channels[0].colour == "73ff00"
    draft = opened_file(shared_data / "ome-zarr" / "v0.6dev_scale.zarr").images["v0.6dev_scale"]
    assert draft.levels[0].scale == (4.0, 3.0, 2.0)
    assert [axis.unit for axis in draft.axes] == ["micrometer"] * 3


def test_a_folder_that_merely_holds_zarrs_is_no_image(shared_data: Path) -> None:
    from diascope.catalogue.opening import source_of
    from diascope.stores.local import LocalStore

    store = LocalStore(shared_data)
    for path, expected in (
        ("ome-zarr", None),
        ("ome-zarr/bioformats2raw_v2_layout", None),
        ("zarr/zarrita_v3", "zarr"),
    ):
        stat = store.stat(path)
        assert stat is not None
        found = source_of(store, path, stat)
        assert (found.name if found else None) == expected
