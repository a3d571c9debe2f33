"""NRRD, judged by pynrrd and SimpleITK."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nrrd
import numpy as np
import pytest
import SimpleITK

import diascope
from diascope.errors import DiascopeError, Unreadable
from diascope.image.image import Image
from diascope.sources.nrrd import source
from diascope.stores.local import LocalStore
from tests.sources.volume_files import COLOURS, RANDOM, TURNED, VOLUME, nrrd_file

PLAIN = "NRRD0004\ntype: {type}\ndimension: {rank}\nsizes: {sizes}\nencoding: {encoding}\nendian: little\n{more}"


def header(pixels: Any, encoding: str = "raw", *more: str) -> bytes:
    sizes = " ".join(str(size) for size in pixels.shape[::-1])
    lines = "".join(f"{line}\n" for line in more)
    return PLAIN.format(type=pixels.dtype.name, rank=pixels.ndim, sizes=sizes, encoding=encoding, more=lines).encode()


def ras(image: Image, index: tuple[int, ...]) -> np.ndarray:
    """Where the pixel of an index x, y, z lies in the world."""
    level = dict(
        zip(image.axis_names, zip(image.levels[0].scale, image.levels[0].translation, strict=True), strict=True)
    )
    at = [i * level[name][0] + level[name][1] for i, name in zip(index, "xyz", strict=True)]
    assert image.world is not None
    return (image.world.array @ [*at, 1])[:3]


def itks(path: Path, index: tuple[int, ...]) -> np.ndarray:
    """The same by SimpleITK, whose world points to the left and the back."""
    return np.array(SimpleITK.ReadImage(str(path)).TransformIndexToPhysicalPoint(index)) * [-1, -1, 1]


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
@pytest.mark.parametrize("name", ["a.nrrd", "a.nhdr"])
@pytest.mark.parametrize("dtype", ["u1", "<i2", "<u8", ">f4", "<f8"])
def test_pixels_are_pynrrds(tmp_path: Path, encoding: str, name: str, dtype: str) -> None:
    pixels = (RANDOM.random((5, 7, 9)) * 200).astype(dtype)
    nrrd_file(tmp_path / name, pixels, encoding=encoding)
    known, _ = nrrd.read(str(tmp_path / name), index_order="C")
    image = diascope.open(tmp_path / name)
    assert image.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(image[...], known)
    np.testing.assert_array_equal(image[1:3, 2:6, 4:5], known[1:3, 2:6, 4:5])
    assert diascope.open_dataset(tmp_path / name).files[0] == name


def test_hexadecimals_are_bytes(tmp_path: Path) -> None:
    pixels = VOLUME[:2, :3, :5]
    data = np.ascontiguousarray(pixels).tobytes().hex(" ", 7).replace(" ", "\n").encode()
    (tmp_path / "a.nrrd").write_bytes(header(pixels, "hex") + b"\n" + data)
    np.testing.assert_array_equal(diascope.open(tmp_path / "a.nrrd")[...], pixels)


@pytest.mark.parametrize(
    "space", ["left-posterior-superior", "right-anterior-superior", "left-anterior-superior", "LPS", "RAS"]
)
def test_the_world_is_itks(tmp_path: Path, space: str) -> None:
    path = tmp_path / "a.nrrd"
    directions = (TURNED * [0.5, 0.75, 2.5]).T
    nrrd_file(path, space=space, space_directions=directions, space_origin=[10, -20, 30])
    image = diascope.open(path)
    assert image.levels[0].scale == pytest.approx((2.5, 0.75, 0.5))
    assert {axis.unit for axis in image.axes} == {"millimeter"}
    for index in ((0, 0, 0), (3, 0, 0), (4, 5, 6)):
        np.testing.assert_allclose(ras(image, index), itks(path, index), atol=1e-9)


def test_units_of_space_lead_to_millimetres(tmp_path: Path) -> None:
    more = ("space: right-anterior-superior", "space directions: (2,0,0) (0,2,0) (0,0,2)", "space origin: (1000,0,0)")
    (tmp_path / "a.nrrd").write_bytes(
        header(VOLUME, "raw", *more, 'space units: "um" "um" "um"') + b"\n" + VOLUME.tobytes()
    )
    image = diascope.open(tmp_path / "a.nrrd")
    assert {axis.unit for axis in image.axes} == {"micrometer"}
    np.testing.assert_allclose(ras(image, (10, 0, 0)), [1.02, 0, 0])


def test_a_space_without_a_name_is_the_images_own(tmp_path: Path) -> None:
    more = ("space dimension: 3", "space directions: (2,0,0) (0,3,0) (0,0,4)", "space origin: (5,6,7)")
    (tmp_path / "a.nrrd").write_bytes(header(VOLUME, "raw", *more) + b"\n" + VOLUME.tobytes())
    image = diascope.open(tmp_path / "a.nrrd")
    assert image.world is None
    assert (image.levels[0].scale, image.levels[0].translation) == ((4.0, 3.0, 2.0), (7.0, 6.0, 5.0))


def test_spacings_centres_and_units_are_told_axis_by_axis(tmp_path: Path) -> None:
    more = (
        "kinds: domain domain time", "spacings: 0.5 nan 20", "axis mins: 1 0 3", "axis maxs: nan 46 nan",
        "centers: cell cell node", 'units: "um" "um" "ms"',
    )  # fmt: skip
    (tmp_path / "a.nrrd").write_bytes(header(VOLUME, "raw", *more) + b"\n" + VOLUME.tobytes())
    image = diascope.open(tmp_path / "a.nrrd")
    assert image.axis_names == "tyx"
    assert image.levels[0].scale == (20.0, 2.0, 0.5)
    assert image.levels[0].translation == (3.0, 1.0, 1.25)
    assert [axis.unit for axis in image.axes] == ["millisecond", "micrometer", "micrometer"]


@pytest.mark.parametrize(
    ("kinds", "axes", "kind"),
    [
        (("RGB-color", "domain", "domain", "domain"), "czyx", "rgb"),
        (("vector", "space", "space", "space"), "czyx", "intensity"),
        (("time", "space", "space", "list"), "tcyx", "intensity"),
    ],
)
def test_kinds_become_axes(tmp_path: Path, kinds: tuple[str, ...], axes: str, kind: str) -> None:
    path = tmp_path / "a.nrrd"
    path.write_bytes(header(COLOURS, "raw", f"kinds: {' '.join(kinds)}") + b"\n" + COLOURS.tobytes())
    image = diascope.open(path)
    assert (image.axis_names, image.kind) == (axes, kind)
    order = {"czyx": (3, 0, 1, 2), "tcyx": (3, 0, 1, 2)}[axes]
    np.testing.assert_array_equal(image[...], COLOURS.transpose(order))


def test_directions_tell_channels_where_kinds_do_not(tmp_path: Path) -> None:
    more = ("space: LPS", "space directions: none (1,0,0) (0,1,0) (0,0,1)", "space origin: (0,0,0)")
    (tmp_path / "a.nrrd").write_bytes(header(COLOURS, "raw", *more) + b"\n" + COLOURS.tobytes())
    assert diascope.open(tmp_path / "a.nrrd").shape == (3, 6, 17, 13)


def test_segments_make_labels(tmp_path: Path) -> None:
    nrrd_file(tmp_path / "a.seg.nrrd", Segment0__LabelValue="1")
    dataset = diascope.open_dataset(tmp_path / "a.seg.nrrd")
    assert dataset.images["a"].kind == "labels"
    assert dataset.images["a"].metadata.extra["values"] == {"Segment0_LabelValue": "1"}


@pytest.mark.parametrize("order", ["LIST", "LIST 3", "plane_%02d.raw 1 9 1", "plane_%02d.raw 9 1 -1"])
@pytest.mark.parametrize("packing", ["raw", "gzip", "bzip2"])
def test_pixels_lie_in_several_files(tmp_path: Path, order: str, packing: str) -> None:
    packs: dict[str, Callable[[bytes], bytes]] = {"raw": bytes, "gzip": gzip.compress, "bzip2": bz2.compress}
    pack = packs[packing]
    names = [f"plane_{k:02}.raw" for k in range(1, 10)]
    volume = VOLUME[::-1] if order.endswith("-1") else VOLUME
    for k, name in enumerate(names):
        (tmp_path / name).write_bytes(pack(np.ascontiguousarray(volume[k]).tobytes()))
    listed = "".join(f"{name}\n" for name in names) if order.startswith("LIST") else ""
    path = tmp_path / "a.nhdr"
    path.write_bytes(header(VOLUME, packing, f"data file: {order}") + listed.encode())
    if packing != "bzip2":  # which SimpleITK was built without
        np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))), VOLUME)
    image = diascope.open(path)
    np.testing.assert_array_equal(image[...], VOLUME)
    np.testing.assert_array_equal(image[2:5, 3:9, 4:6], VOLUME[2:5, 3:9, 4:6])
    assert len(diascope.open_dataset(path).files) == 10


def test_a_plane_that_is_replaced_is_seen(tmp_path: Path) -> None:
    for k in range(9):
        (tmp_path / f"{k}.raw").write_bytes(VOLUME[k].tobytes())
    (tmp_path / "a.nhdr").write_bytes(header(VOLUME, "raw", "data file: %d.raw 0 8 1"))
    store = LocalStore(tmp_path)
    dataset = source.open(store, "a.nhdr")
    (tmp_path / "5.raw").unlink()
    (tmp_path / "5.raw").write_bytes(VOLUME[0].tobytes() + b"longer")
    assert source.version(store, "a.nhdr") != dataset.version
    with pytest.raises(DiascopeError, match="replaced"):
        dataset.images["a"].levels[0].read_pixels(_plane(5))


def _plane(k: int) -> Any:
    from diascope.image.region import Region

    return Region((k, 0, 0), (k + 1, 23, 31))


@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_lines_and_bytes_are_skipped(tmp_path: Path, encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else bytes
    (tmp_path / "data").write_bytes(b"one\ntwo\n" + pack(b"12345" + VOLUME.tobytes()))
    path = tmp_path / "a.nhdr"
    path.write_bytes(header(VOLUME, encoding, "line skip: 2", "byte skip: 5", "data file: data"))
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))), VOLUME)
    np.testing.assert_array_equal(diascope.open(path)[...], VOLUME)


def test_pixels_may_lie_at_the_end(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"whatever" + VOLUME.tobytes())
    path = tmp_path / "a.nhdr"
    path.write_bytes(header(VOLUME, "raw", "byte skip: -1", "data file: ./data"))
    np.testing.assert_array_equal(diascope.open(path)[...], nrrd.read(str(path), index_order="C")[0])


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", "c:\\x", "missing"])
def test_files_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.nhdr").write_bytes(header(VOLUME, "raw", f"data file: {name}"))
    with pytest.raises(Unreadable, match=r"a\.nhdr"):
        diascope.open(tmp_path / "a.nhdr")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("encoding: zrl", "encoding 'zrl'"),
        ("type: block", "type 'block'"),
        ("sizes: 31 23 900", "cannot hold"),
        ("sizes: 31 23 -9", "sizes"),
        ("dimension: 4", "'4' axes and 3 sizes"),
        ("byte skip: -7", "nothing to skip"),
    ],
)
def test_lies_are_refused(tmp_path: Path, line: str, reason: str) -> None:
    text = header(VOLUME).decode()
    field = line.partition(":")[0]
    kept = [each for each in text.splitlines() if not each.startswith(f"{field}:")]
    (tmp_path / "a.nrrd").write_bytes("\n".join([*kept, line, "", ""]).encode() + VOLUME.tobytes())
    with pytest.raises(Unreadable, match=reason):
        diascope.open(tmp_path / "a.nrrd")


def test_what_diascope_writes_it_reads_back(tmp_path: Path) -> None:
    more = (
        "rescale slope:=2.0",
        "rescale intercept:=-3.0",
        "description:=a liver",
        "channel 0:=DAPI",
        "channel 1:=GFP",
    )
    (tmp_path / "a.nrrd").write_bytes(
        header(VOLUME[:2], "raw", "kinds: domain domain list", *more) + b"\n" + VOLUME[:2].tobytes()
    )
    image = diascope.open(tmp_path / "a.nrrd")
    assert (image.metadata.rescale, image.metadata.description) == ((2.0, -3.0), "a liver")
    assert [channel.name for channel in image.channels] == ["DAPI", "GFP"]
