"""MRC, judged by mrcfile."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest

import diascope
from diascope.errors import Unreadable
from diascope.image.region import Region
from diascope.sources.mrc import source
from diascope.sources.source import Head
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.sources.volume_files import RANDOM, VOLUME, bzip2, gz, mrc

MODE, EXTENDED, EXTTYP, IMOD, FLAGS = 12, 92, 104, 152, 156


def changed(path: Path, at: int, fmt: str, *values: Any) -> None:
    data = bytearray(path.read_bytes())
    struct.pack_into(fmt, data, at, *values)
    path.write_bytes(data)


@pytest.mark.parametrize("dtype", ["i1", "i2", "f4", "u2", "f2"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("name", ["a.mrc", "a.mrc.gz", "a.mrc.bz2"])
def test_pixels_are_mrcfiles(tmp_path: Path, dtype: str, order: str, name: str) -> None:
    pixels = RANDOM.integers(-100, 100, (5, 7, 9)).astype(dtype).astype(f"{order}{np.dtype(dtype).str[1:]}")
    write = {"gz": gz, "bz2": bzip2}.get(name.rpartition(".")[2], lambda each: each)
    write(lambda path: mrc(path, pixels))(tmp_path / name)
    image = diascope.open(tmp_path / name)
    with mrcfile.open(tmp_path / name) as known:
        if np.dtype(dtype).itemsize > 1:
            assert known.header.machst[0] == (0x44 if order == "<" else 0x11)
        np.testing.assert_array_equal(image[...], known.data)
    assert image.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(image[1:3, 2:6, 4:5], pixels[1:3, 2:6, 4:5])


@pytest.mark.parametrize(("order", "axes"), [((1, 2, 3), "zyx"), ((3, 1, 2), "yxz"), ((2, 3, 1), "xzy")])
def test_axes_are_permuted_as_the_header_says(tmp_path: Path, order: tuple[int, ...], axes: str) -> None:
    mrc(tmp_path / "a.map", mapc=order[0], mapr=order[1], maps=order[2], ispg=1, cella=(31.0, 46.0, 27.0), mx=31, my=23)
    image = diascope.open(tmp_path / "a.map")
    assert image.axis_names == "zyx"
    np.testing.assert_array_equal(image[...], VOLUME.transpose([axes.index(name) for name in "zyx"]))
    assert image.levels[0].scale == (27 / 9, 46 / 23, 31 / 31)
    assert {axis.unit for axis in image.axes} == {"angstrom"}


def test_the_place_is_the_origin_or_else_that_in_the_cell(tmp_path: Path) -> None:
    mrc(tmp_path / "a.mrc", ispg=1, cella=(31.0, 46.0, 27.0), nxstart=4, nzstart=-2)
    assert diascope.open(tmp_path / "a.mrc").levels[0].translation == (-6.0, 0.0, 4.0)
    mrc(tmp_path / "b.mrc", ispg=1, cella=(31.0, 46.0, 27.0), nxstart=4, origin=(1.5, 2.5, 3.5))
    assert diascope.open(tmp_path / "b.mrc").levels[0].translation == (3.5, 2.5, 1.5)


def test_stacks_of_images_and_of_volumes_are_told_from_volumes(tmp_path: Path) -> None:
    for name, header in (("a.mrc", {"ispg": 0, "mz": 1}), ("b.mrcs", {}), ("c.st", {"ispg": 1})):
        mrc(tmp_path / name, **header)
        assert diascope.open(tmp_path / name).axis_names == "tyx", name
    mrc(tmp_path / "d.rec", ispg=0, mz=9)
    assert diascope.open(tmp_path / "d.rec").axis_names == "zyx"
    mrc(tmp_path / "e.mrc", ispg=401, mz=3)
    image = diascope.open(tmp_path / "e.mrc")
    assert (image.axis_names, image.shape) == ("tzyx", (3, 3, 23, 31))
    np.testing.assert_array_equal(image[2], VOLUME[6:])
    mrc(tmp_path / "f.mrc", VOLUME[0])
    assert diascope.open(tmp_path / "f.mrc").axis_names == "yx"


def test_bytes_are_signed_unless_imod_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    mrc(path, np.full((2, 3, 4), -3, np.int8))
    assert diascope.open(path)[0, 0, 0] == -3
    changed(path, IMOD, "<2i", 1146047817, 0)
    assert diascope.open(path)[0, 0, 0] == 253
    changed(path, IMOD, "<2i", 1146047817, 1)
    assert diascope.open(path)[0, 0, 0] == -3


@pytest.mark.parametrize("columns", [7, 8])
def test_pixels_of_four_bits_are_unpacked(tmp_path: Path, columns: int) -> None:
    path = tmp_path / "a.mrc"
    wanted = RANDOM.integers(0, 16, (3, 5, columns), dtype=np.uint8)
    even = np.pad(wanted, ((0, 0), (0, 0), (0, columns % 2)))
    mrc(path, (even[..., ::2] | even[..., 1::2] << 4).view(np.int8))
    changed(path, 0, "<4i", columns, 5, 3, 101)
    image = diascope.open(path)
    np.testing.assert_array_equal(image[...], wanted)
    for start in range(columns):
        np.testing.assert_array_equal(
            image.levels[0].read(Region((1, 2, start), (2, 4, columns)))[0], wanted[1, 2:4, start:]
        )


def test_imods_colours_are_rgb(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    colours = RANDOM.integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)
    mrc(path, colours.reshape(4, 5, 18).view(np.int8), ispg=1)
    changed(path, 0, "<4i", 6, 5, 4, 16)
    image = diascope.open(path)
    assert (image.kind, image.axis_names) == ("rgb", "czyx")
    np.testing.assert_array_equal(image[...], np.moveaxis(colours, -1, 0))


@pytest.mark.parametrize("mode", [3, 4])
def test_transforms_are_refused_with_the_reason(tmp_path: Path, mode: int) -> None:
    mrc(tmp_path / "a.mrc")
    changed(tmp_path / "a.mrc", MODE, "<i", mode)
    with pytest.raises(Unreadable, match=r"a\.mrc: its pixels are complex .* Fourier"):
        diascope.open(tmp_path / "a.mrc")


def test_lies_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    for at, value, reason in (
        (8, 1 << 30, "cannot hold"),
        (EXTENDED, -4, "extended"),
        (EXTENDED, 1 << 30, "cannot hold"),
    ):
        mrc(path)
        changed(path, at, "<i", value)
        with pytest.raises(Unreadable, match=reason):
            diascope.open(path)


def extended(path: Path, kind: bytes, data: bytes) -> None:
    mrc(path)
    whole = bytearray(path.read_bytes())
    whole[EXTTYP : EXTTYP + 4] = kind
    struct.pack_into("<i", whole, EXTENDED, len(data))
    path.write_bytes(whole[:1024] + data + whole[1024:])


def test_serial_em_tells_tilts_stage_and_magnification(tmp_path: Path) -> None:
    path = tmp_path / "tilts.st"
    rows = b"".join(struct.pack("<4h", -6000 + 200 * k, 250, -500, 330) for k in range(9))
    extended(path, b"SERI", rows)
    changed(path, 128, "<2h", 8, 1 | 4 | 8)
    image = diascope.open(path)
    np.testing.assert_array_equal(image[...], VOLUME)
    assert image.metadata.extra["tilt_angles"] == [-60.0 + 2 * k for k in range(9)]
    assert image.metadata.position == {"x": 10.0, "y": -20.0}
    assert image.metadata.magnification == 33000


def test_fei_tells_what_mrcfile_reads(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    rows = bytearray(768 * 9)
    for k in range(9):
        struct.pack_into("<i", rows, 768 * k, 768)
        struct.pack_into("<d16s", rows, 768 * k + 12, 44000.25, b"Titan")
        struct.pack_into("<d", rows, 768 * k + 100, 3.0 * k)
        struct.pack_into("<3d", rows, 768 * k + 116, 1e-4, -2e-4, 3e-5)
        struct.pack_into("<d", rows, 768 * k + 289, 29000.0)
    extended(path, b"FEI1", bytes(rows))
    told = diascope.open(path).metadata
    with mrcfile.open(path) as known:
        fields = known.indexed_extended_header
        assert told.extra["tilt_angles"] == fields["Alpha tilt"].tolist()
        assert told.magnification == fields["Magnification"][0]
        assert told.instrument == fields["Microscope type"][0].decode()
        assert told.position["z"] == pytest.approx(fields["Z-Stage"][0] * 1e6)
    assert told.acquired == datetime(2020, 6, 18, 6, tzinfo=UTC).replace(tzinfo=None).isoformat()


def test_labels_are_the_description(tmp_path: Path) -> None:
    with mrcfile.new(tmp_path / "a.mrc") as file:
        file.set_data(VOLUME)
        file.add_label("a liver")
    assert "a liver" in diascope.open(tmp_path / "a.mrc").metadata.description


def test_a_map_of_the_shared_data_tells_its_place(shared_data: Path) -> None:
    image = diascope.open(shared_data / "mrc/EMD-3197.map")
    with mrcfile.open(shared_data / "mrc/EMD-3197.map") as known:
        assert image.levels[0].scale == pytest.approx([float(known.voxel_size[name]) for name in "zyx"])
        assert image.levels[0].translation == pytest.approx((0.0, 0.0, -2 * 11.4), rel=1e-5)
    told = diascope.open(shared_data / "mrc/HAADFscan.mrc").metadata
    assert told.extra["voltage"] == 300_000
    assert len(told.extra["tilt_angles"]) == 1


def test_old_files_are_known_by_name_and_sense_alone(tmp_path: Path) -> None:
    mrc(tmp_path / "a.rec")
    changed(tmp_path / "a.rec", 208, "<4s", b"")
    first = (tmp_path / "a.rec").read_bytes()[:4096]
    assert source.matches(Head("a.rec", first=first))
    assert not source.matches(Head("a.dat", first=first))
    assert not source.matches(Head("a.rec", first=bytes(4096)))
    np.testing.assert_array_equal(diascope.open(tmp_path / "a.rec")[...], VOLUME)


@pytest.mark.parametrize(("name", "most"), [("a.mrc", 1 << 14), ("a.mrc.bz2", 6_000_000)])
def test_a_region_costs_what_it_holds(tmp_path: Path, name: str, most: int) -> None:
    pixels = RANDOM.integers(-9000, 9000, (40, 400, 400), dtype=np.int16)
    (bzip2 if name.endswith("bz2") else lambda each: each)(lambda path: mrc(path, pixels))(tmp_path / name)
    store = CountingStore(LocalStore(tmp_path))
    level = source.open(store, name).images["a"].levels[0]
    box = Region((3, 0, 0), (4, 8, 400))
    np.testing.assert_array_equal(level.read(box), pixels[box.slices])
    opened = store.count
    assert opened < most
    far = Region((39, 390, 0), (40, 400, 400))
    np.testing.assert_array_equal(level.read(far), pixels[far.slices])
    store.count = 0
    np.testing.assert_array_equal(level.read(far), pixels[far.slices])
    assert store.count < 1 << 20
