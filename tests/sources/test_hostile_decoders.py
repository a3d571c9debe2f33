"""What is done so that decoders of the server's own process cannot harm it."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from struct import pack

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

import diascope
from diascope.errors import Unreadable
from diascope.sources.dicom.codecs import _unpacked, jpeg_size
from diascope.sources.dicom.pixels import Stored
from diascope.sources.reading.pictures.declared import declared_pixels
from diascope.sources.reading.pictures.png import png_pixels

PLANE = np.random.default_rng(0).integers(0, 255, (40, 52), np.uint8)
SEGMENT = b"\xff\xe0" + pack(">H", 10) + bytes(8)


@pytest.mark.parametrize("hidden", [b"", SEGMENT, b"junk", b"\xff\xff", b"\xff\xd0", b"\xff\x01" + SEGMENT + b"\0"])
def test_the_size_of_a_jpeg_cannot_be_hidden(hidden: bytes) -> None:
    frame = b"\xff\xc0" + pack(">HBHH", 17, 8, 60_000, 50_000)
    assert declared_pixels(b"\xff\xd8" + hidden + frame + bytes(20)) == 60_000 * 50_000


def test_a_marker_without_a_length_hides_no_frame_of_dicom() -> None:
    frame = b"\xff\xc0" + pack(">HBHH", 17, 8, 40, 52) + bytes(20)
    assert jpeg_size(b"\xff\xd8" + SEGMENT + frame) == (40, 52)
    with pytest.raises(Unreadable, match="no whole JPEG"):
        jpeg_size(b"\xff\xd8\xff\xd0" + frame)


def test_components_count_as_pixels() -> None:
    data = bytearray(imagecodecs.jpeg2k_encode(PLANE, codecformat="j2k"))
    assert declared_pixels(bytes(data)) == PLANE.size
    data[40:42] = pack(">H", 16_384)
    assert declared_pixels(bytes(data)) == PLANE.size * 4096


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_scans_cannot_be_told_over_and_over(tmp_path: Path, name: str) -> None:
    jpeg = BytesIO()
    Picture.fromarray(PLANE).save(jpeg, "JPEG", progressive=True)
    data = jpeg.getvalue()
    at = data.rindex(b"\xff\xda")
    scan = data[at : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
    for times in (100, 1000):
        written(tmp_path / name, data[:-2] + scan * times + data[-2:])
        if times == 100:
            assert diascope.open(tmp_path / name)[...].shape == PLANE.shape
        else:
            with pytest.raises(Unreadable, match="scans"):
                diascope.open(tmp_path / name)[...]


def written(path: Path, data: bytes) -> None:
    if path.suffix == ".jpg":
        path.write_bytes(data)
    else:
        tifffile.imwrite(path, iter([data]), shape=PLANE.shape, dtype=np.uint8, compression="jpeg", rowsperstrip=40)


def test_png() -> None:
    deep = PLANE.astype(np.uint16) * 257
    for pixels in (PLANE, deep, np.stack([deep] * 3, axis=-1)):
        np.testing.assert_array_equal(png_pixels(bytes(imagecodecs.png_encode(pixels))), pixels)


BROKEN = """
import sys
import imagecodecs, numpy
from diascope.sources.reading.pictures.png import png_pixels
data = bytes(imagecodecs.png_encode(numpy.zeros((40, 52), "u1")))[:60]
for _ in range(100_000):
    try:
        png_pixels(data)
    except Exception:
        pass
    else:
        raise AssertionError
"""


def test_broken_png_never_ends_the_process() -> None:
    """Its decoder lets go of None once too often for each."""
    done = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-1000:]


def test_packed_bits_unpack_to_no_more_than_the_frame() -> None:
    found = Stored(
        rows=40, columns=52, samples=1, bits=8, used=8, high=7, is_signed=False, is_planar=False,
        photometric="MONOCHROME2", floats="", frames=1, is_tile=False,
    )  # fmt: skip
    packed = bytes(imagecodecs.packbits_encode(PLANE.tobytes()))
    np.testing.assert_array_equal(_unpacked(packed + b"\0", found), PLANE.ravel())
    np.testing.assert_array_equal(_unpacked(packed + b"\x81\0" * 9, found), PLANE.ravel())
    with pytest.raises(RuntimeError, match="OUTPUT_TOO_SMALL"):
        _unpacked(packed + b"\x81\0" * 1000, found)
