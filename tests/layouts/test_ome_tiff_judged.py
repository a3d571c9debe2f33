"""The virtual OME-TIFF, judged by Bio-Formats and over HTTP; its broken twins must be rejected."""

from __future__ import annotations

import struct
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile

from diascope.image.level import read_whole
from diascope.image.metadata import Channel, Metadata
from diascope.layouts.ome_tiff import layout, ome_tiff
from diascope.layouts.tiff_directory import BIG, CLASSIC
from diascope.testing.synthetic import ramp
from tests.judges import bioformats, libtiff
from tests.judges.required import required
from tests.judges.tiff_file import differences
from tests.virtual import RangeFile, written

pytestmark = pytest.mark.judge

CHANNELS = (Channel(name="red", colour="ff0000", emission=600.0), Channel(name="grün"), Channel())
OPTICS = Metadata(
    magnification=40.0, objective="Plan", aperture=0.95, instrument="Scope", position={"x": 1.5, "y": -20000.0}
)
STACK = replace(ramp("tczyx", (2, 3, 2, 300, 517), levels=3), channels=CHANNELS, metadata=OPTICS)
PICTURE = ramp("czyx", (3, 2, 300, 270), np.uint8, kind="rgb", levels=2)


def flipped_tile_byte(data: bytearray, first_tile: int, tile_offsets: int) -> None:
    data[first_tile + 1000] ^= 0xFF


def lost_tile(data: bytearray, first_tile: int, tile_offsets: int) -> None:
    struct.pack_into("<I", data, tile_offsets, len(data) + 4096)


def wrong_planes(data: bytearray, first_tile: int, tile_offsets: int) -> None:
    at = data.index(b'SizeZ="2"')
    data[at : at + 9] = b'SizeZ="7"'


TWINS: dict[str, Callable[[bytearray, int, int], None]] = {
    "flipped tile byte": flipped_tile_byte,
    "tile offset past the end": lost_tile,
    "wrong SizeZ": wrong_planes,
}


def broken(good: Path, twin: str) -> Path:
    """A copy of a file with one thing wrong."""
    with tifffile.TiffFile(good) as tiff:
        places = tiff.pages[0].dataoffsets[0], tiff.pages[0].tags["TileOffsets"].valueoffset
    data = bytearray(good.read_bytes())
    TWINS[twin](data, *places)
    path = good.with_name(f"{twin}.ome.tif")
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    """Good files and broken twins, as they are served."""
    folder = tmp_path_factory.mktemp("served")
    stack = written(ome_tiff(STACK, (CLASSIC,)), folder / "stack.ome.tif")
    picture = written(ome_tiff(PICTURE, (BIG,)), folder / "picture.ome.tif")
    return {"stack": stack, "picture": picture, **{twin: broken(stack, twin) for twin in TWINS}}


@pytest.fixture(scope="module")
def as_bioformats_reads(files, tmp_path_factory) -> dict[str, Path | str]:
    """The same as Bio-Formats read and wrote them."""
    required(bioformats.missing())
    out = tmp_path_factory.mktemp("converted")
    with ThreadPoolExecutor(2) as pool:
        read = pool.map(lambda path: bioformats.converted(path, out / path.name), files.values())
        return dict(zip(files, read, strict=True))


@pytest.mark.parametrize(("name", "image"), [("stack", STACK), ("picture", PICTURE)])
def test_bioformats_reads_every_plane_of_every_level(as_bioformats_reads, name, image):
    assert differences(as_bioformats_reads[name], image) == []


def test_bioformats_reads_the_metadata(as_bioformats_reads):
    with tifffile.TiffFile(as_bioformats_reads["stack"]) as tiff:
        xml = tiff.ome_metadata
    for said in (
        'PhysicalSizeX="0.25" PhysicalSizeXUnit="µm" PhysicalSizeY="0.5"', 'PhysicalSizeZ="2.0"',
        'TimeIncrement="1.0"', 'SizeC="3" SizeT="2" SizeX="517" SizeY="300" SizeZ="2"',
        'Color="-16776961" EmissionWavelength="600.0" EmissionWavelengthUnit="nm" ID="Channel:0:0" Name="red"',
        'Name="grün"', 'LensNA="0.95" Model="Plan" NominalMagnification="40.0"', 'Microscope Model="Scope"',
        'X="1.5" XUnit="µm" Y="-20000.0" YUnit="µm"', 'PositionX="1.5" PositionXUnit="µm" PositionY="-20000.0"',
    ):  # fmt: skip
        assert said in xml


@pytest.mark.parametrize("twin", TWINS)
def test_bioformats_rejects_the_broken_twin(as_bioformats_reads, twin):
    assert differences(as_bioformats_reads[twin], STACK)


def copied(path: Path, out: Path) -> Path | str:
    required(libtiff.missing())
    return libtiff.copied(path, out)


@pytest.mark.parametrize(("name", "image"), [("stack", STACK), ("picture", PICTURE)])
def test_libtiff_reads_every_plane(files, tmp_path, name, image):
    assert differences(copied(files[name], tmp_path / "copy.ome.tif"), replace(image, levels=image.levels[:1])) == []


@pytest.mark.parametrize("twin", ["flipped tile byte", "tile offset past the end"])
def test_libtiff_rejects_the_broken_twin(files, tmp_path, twin):
    assert differences(copied(files[twin], tmp_path / "copy.ome.tif"), replace(STACK, levels=STACK.levels[:1]))


def test_tifffile_reads_the_good_one(files):
    assert differences(files["stack"], STACK) == []


@pytest.mark.parametrize("twin", TWINS)
def test_tifffile_rejects_the_broken_twin(files, twin):
    assert differences(files[twin], STACK)


def test_tifffile_reads_over_http_no_more_than_it_needs(tree_server):
    url = f"{tree_server(layout.tree(STACK))}/data/ramp.ome.tif"
    with httpx.Client() as client:
        size = int(client.head(url).headers["content-length"])
        assert size == ome_tiff(STACK).size
        taken = []

        def read_range(start: int, stop: int) -> bytes:
            if start >= stop:
                return b""
            answer = client.get(url, headers={"Range": f"bytes={start}-{stop - 1}"})
            assert answer.status_code == 206
            taken.append(len(answer.content))
            return answer.content

        with tifffile.TiffFile(RangeFile(size, read_range)) as tiff:
            coarsest = tiff.series[0].levels[-1].asarray()
    np.testing.assert_array_equal(coarsest, read_whole(STACK.levels[-1]))
    assert sum(taken) < size / 10
