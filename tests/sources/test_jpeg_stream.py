"""JPEG streams are passed on only where every decoder shows what the reader of the source does."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import imagecodecs
import numpy as np
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from diascope.catalogue.opening import opened_file
from diascope.errors import Changed, DiascopeError
from diascope.haste import Wait, hastily
from diascope.image.image import Image
from diascope.image.region import chunk_region
from diascope.image.stored import stored_as
from diascope.registry import registry
from diascope.sources.reading.pictures.jpeg_stream import Segment, Streams, segments
from tests.tiff_tiles import RGB, encoded, halves, jpeg_tiff, smooth, unnamed, without_tables

SIDE = 48
COLOURS, GREY = encoded(smooth(SIDE, SIDE)), encoded(smooth(SIDE, SIDE, 1))
TABLES, BARE = without_tables(COLOURS)


def joined(parts: list[Segment], data: bytes) -> bytes:
    """The stream with other segments before its coded pixels."""
    before = segments(data)
    assert before is not None
    return b"\xff\xd8" + b"".join(part.data for part in parts) + data[2 + sum(len(part.data) for part in before) :]


def edited(data: bytes, marker: int, at: int, value: int) -> bytes:
    """The stream with a byte of a segment's body changed."""
    parts = segments(data)
    assert parts is not None
    changed = []
    for part in parts:
        spoilt = bytearray(part.data)
        if part.marker == marker:
            spoilt[4 + at] = value
        changed.append(Segment(part.marker, bytes(spoilt)))
    return joined(changed, data)


def inserted(data: bytes, segment: bytes) -> bytes:
    return data[:2] + segment + data[2:]


def pillow(data: bytes, **options: object) -> bytes:
    out = io.BytesIO()
    with PIL.Image.open(io.BytesIO(data)) as picture:
        picture.save(out, "JPEG", **options)
    return out.getvalue()


def cmyk() -> bytes:
    out = io.BytesIO()
    PIL.Image.new("CMYK", (SIDE, SIDE)).save(out, "JPEG")
    return out.getvalue()


FRAME, SCAN, QUANTISATION, HUFFMAN = 0xC0, 0xDA, 0xDB, 0xC4

REFUSED: dict[str, bytes] = {
    "nothing": b"",
    "no JPEG": b"\x89PNG\r\n\x1a\n" + COLOURS,
    "truncated pixels": COLOURS[: len(COLOURS) // 2],
    "truncated head": COLOURS[:60],
    "only its end": b"\xff\xd8\xff\xd9",
    "more rows": edited(COLOURS, FRAME, 2, SIDE + 8),
    "fewer columns": edited(COLOURS, FRAME, 4, SIDE - 8),
    "rows told later": edited(COLOURS, FRAME, 2, 0),
    "twelve bits": edited(COLOURS, FRAME, 0, 12),
    "two components": edited(COLOURS, FRAME, 5, 2),
    "one component": GREY,
    "four components": cmyk(),
    "odd sampling": edited(COLOURS, FRAME, 10, 0x12),
    "unknown quantisation": edited(COLOURS, FRAME, 8, 3),
    "unknown Huffman table": edited(COLOURS, SCAN, 2, 0x33),
    "other components in the scan": edited(COLOURS, SCAN, 1, 9),
    "part of the coefficients": edited(COLOURS, SCAN, 8, 5),
    "progressive": pillow(COLOURS, progressive=True),
    "no tables": BARE,
    "lossless": edited(COLOURS, FRAME, 0, 8).replace(b"\xff\xc0", b"\xff\xc3", 1),
    "arithmetic": COLOURS.replace(b"\xff\xc0", b"\xff\xc9", 1),
    "two frames": inserted(COLOURS, next(p.data for p in segments(COLOURS) or () if p.marker == FRAME)),
    "torn table": edited(COLOURS, HUFFMAN, 1, 200),
    "junk behind its end": COLOURS + b"junk",
    "many comments": inserted(COLOURS, b"\xff\xfe\0\2" * 100),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_picture_is_refused(name: str) -> None:
    assert Streams(3).whole(REFUSED[name], SIDE, SIDE) is None
    # Nor after one that is.
    streams = Streams(3)
    assert streams.whole(COLOURS, SIDE, SIDE) is not None
    assert streams.whole(REFUSED[name], SIDE, SIDE) is None


def shown(data: bytes) -> NDArray[np.uint8]:
    with PIL.Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.mark.parametrize("change", [bytes, unnamed, lambda data: data + b"\0\0"])
def test_the_whole_stream_shows_what_the_parts_did(change: Callable[[bytes], bytes]) -> None:
    wanted = imagecodecs.jpeg8_decode(COLOURS)
    for data, tables in ((COLOURS, None), (BARE, TABLES)):
        made = Streams(3, tables).whole(change(data), SIDE, SIDE)
        assert made is not None
        np.testing.assert_array_equal(shown(made), wanted)


def test_colours_are_those_that_the_tag_tells() -> None:
    plane = smooth(SIDE, SIDE)
    stream = unnamed(encoded(plane, **RGB))
    data = Streams(3, is_rgb=True).whole(stream, SIDE, SIDE)
    assert data is not None
    assert np.abs(shown(data).astype(int) - plane).mean() < 4
    # Without the tag they are luma and chroma.
    other = Streams(3).whole(stream, SIDE, SIDE)
    assert other is not None
    np.testing.assert_array_equal(shown(other), imagecodecs.jpeg8_decode(stream))
    assert np.abs(shown(other).astype(int) - plane).mean() > 20


def test_what_applications_say_is_left_out() -> None:
    """An orientation or a profile would show other pixels than the reader's."""
    with PIL.Image.open(io.BytesIO(COLOURS)) as picture:
        exif = picture.getexif()
        exif[274] = 6
        turned = pillow(COLOURS, exif=exif, icc_profile=b"profile" * 20, comment=b"text")
    data = Streams(3).whole(turned, SIDE, SIDE)
    assert data is not None
    assert b"Exif" not in data
    assert b"profile" not in data
    np.testing.assert_array_equal(shown(data), imagecodecs.jpeg8_decode(turned))


def test_only_tables_of_the_tables_count() -> None:
    """A stream of tables that tells of restarts and colours tells nothing of the next stream."""
    tables = inserted(TABLES, b"\xff\xdd\0\4\0\1" + b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0")
    data = Streams(3, tables).whole(BARE, SIDE, SIDE)
    assert data == Streams(3, TABLES).whole(BARE, SIDE, SIDE)


def _read(data: bytes, tables: bytes | None) -> NDArray[np.uint8] | None:
    """As tifffile reads a tile of YCbCr."""
    try:
        return np.asarray(
            imagecodecs.jpeg_decode(data, bitspersample=8, tables=tables, outcolorspace=2, shape=(SIDE, SIDE))
        )
    except Exception:  # noqa: BLE001 - whatever a decoder says of nonsense
        return None


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    changes=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=4),
    cut=st.none() | st.integers(0, len(COLOURS)),
    shared=st.booleans(),
    known=st.booleans(),
)
def test_whatever_is_passed_on_shows_what_is_read(
    changes: list[tuple[int, int]], cut: int | None, shared: bool, known: bool
) -> None:
    tables, data = (TABLES, bytearray(BARE)) if shared else (None, bytearray(COLOURS))
    streams = Streams(3, tables)
    if known:
        streams.whole(bytes(data), SIDE, SIDE)
    for at, value in changes:
        data[at % len(data)] = value
    mutated = bytes(data[:cut])
    passed = streams.whole(mutated, SIDE, SIDE)
    if passed is None:
        return
    wanted, seen = _read(mutated, tables), _read(passed, None)
    assert (wanted is None) == (seen is None)
    if wanted is not None and seen is not None:
        np.testing.assert_array_equal(seen, wanted)


TILE = 256


def _outcome(read: Callable[[], bytes]) -> object:
    try:
        return read()
    except DiascopeError as error:
        return type(error), str(error)


@pytest.mark.parametrize("name", REFUSED)
def test_a_broken_tile_is_told_as_it_is_without_passing(tmp_path: Path, name: str) -> None:
    """The second of four tiles is what no decoder should be handed."""
    made = iter([0, 1, 2, 3])
    path = jpeg_tiff(
        tmp_path / "it.tif", [smooth(512, 512)], "ycbcr", shared=False,
        change=lambda stream: REFUSED[name] or b"\0" if next(made) == 1 else stream,
    )  # fmt: skip
    image = opened_file(path).images["it"]
    layout = registry("layouts")["dzi"]
    level = image.levels[0]
    assert level.stored is not None
    with_it = layout.tree(image).file("it_files/9/1_0.jpeg")
    without = layout.tree(_stripped(image)).file("it_files/9/1_0.jpeg")
    assert with_it is not None
    assert without is not None
    assert _outcome(lambda: with_it.read(0, None)) == _outcome(lambda: without.read(0, None))
    # Its neighbours are as they were.
    assert level.stored.chunk((0, 1, 1)) is not None


def _stripped(image: Image) -> Image:
    return replace(image, levels=tuple(stored_as(level, None) for level in image.levels))


def test_a_file_that_is_written_to_is_told_to_have_changed(tmp_path: Path) -> None:
    path = jpeg_tiff(tmp_path / "it.tif", halves(smooth(600, 700)), "ycbcr")
    image = opened_file(path).images["it"]
    file = registry("layouts")["dzi"].tree(image).file("it_files/10/0_0.jpeg")
    assert file is not None
    before = file.read(0, None)
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    with pytest.raises(Changed):
        file.read(0, None)
    other = opened_file(path).images["it"]
    assert other.levels[0].stored is not None
    assert other.levels[0].stored.chunk((0, 0, 0)) == before


def test_tiles_of_no_bytes_are_made(tmp_path: Path) -> None:
    made = iter(range(100))
    path = jpeg_tiff(
        tmp_path / "it.tif", [smooth(512, 512)], "ycbcr", shared=False,
        change=lambda stream: b"" if next(made) == 1 else stream,
    )  # fmt: skip
    image = opened_file(path).images["it"]
    stored = image.levels[0].stored
    assert stored is not None
    assert [stored.chunk((0, 0, x)) is None for x in range(2)] == [False, True]
    file = registry("layouts")["dzi"].tree(image).file("it_files/9/1_0.jpeg")
    assert file is not None
    assert file.cheap
    with pytest.raises(Wait):
        hastily(lambda: file.read(0, None))
    box = chunk_region((0, 0, 1), (3, TILE, TILE))
    wanted = image.levels[0].read(box).transpose(1, 2, 0)
    assert np.abs(shown(file.read(0, None)).astype(int) - wanted).max() < 3
