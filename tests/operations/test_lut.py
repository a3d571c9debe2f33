"""Tables of ImageJ are read as ImageJ reads them; anything else is told."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

import diascope
from diascope.arrangements.by_name import ByName
from diascope.catalogue.catalogue import catalogue
from diascope.errors import BadRequest, TooLarge, Unsupported
from diascope.operations.lut import table
from diascope.operations.view import view
from diascope.settings import RepositorySettings, Settings
from tests.operations.pictures import noise, pictured

COLOURS = np.random.default_rng(4).integers(0, 256, (256, 3)).astype(np.uint8)
RAW = COLOURS.T.tobytes()


def nih(colours: np.ndarray) -> bytes:
    return b"ICOL" + struct.pack(">hhhh", 1, len(colours), 0, 0) + bytes(20) + colours.T.tobytes()


def text(colours: np.ndarray, form: str) -> bytes:
    rows = [form.format(k, *colour) for k, colour in enumerate(colours.tolist())]
    return "\n".join(rows).encode()


@pytest.mark.parametrize(
    "data",
    [
        RAW,
        RAW + bytes(202),
        nih(COLOURS),
        text(COLOURS, "{1} {2} {3}"),
        text(COLOURS, "{0}\t{1}\t{2}\t{3}") + b"\n",
        b"Index,Red,Green,Blue\r\n" + text(COLOURS, "{0}, {1}, {2}, {3}").replace(b"\n", b"\r\n"),
    ],
    ids=["raw", "long", "NIH", "text", "four columns", "headings"],
)
def test_every_form_is_read(data):
    assert table(data) == COLOURS.tobytes()


def test_fewer_colours_are_mixed_as_imagej_mixes_them():
    few = COLOURS[:32]
    expected = []
    for k in range(256):
        # LutLoader.interpolate
        first = k * 32 // 256
        second, fraction = min(first + 1, 31), k * 32 / 256 - first
        expected.append([int((1 - fraction) * a + fraction * b) for a, b in zip(few[first], few[second], strict=True)])
    mixed = np.frombuffer(table(nih(few)), np.uint8).reshape(256, 3)
    assert np.abs(mixed.astype(int) - expected).max() <= 1
    assert table(text(few, "{1} {2} {3}")) == table(nih(few))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "0 lines"),
        (b"1 2 3", "1 lines"),
        (bytes(769), "three numbers|neither|lines"),
        (b"\xff" * 5000, "neither the length"),
        (b"ICOL" + b"\xff" * 28, "cannot hold"),
        (b"ICOL" + struct.pack(">hh", 1, 256) + bytes(100), "cannot hold the 256"),
        (b"1 2 3\n" * 257, "257 lines"),
        (b"1 2 3\n1 2 256", "up to 255"),
        (b"1 2 3\n1 2 -3", "three numbers"),
        (b"1 2 3\n1 2", "three numbers"),
        (b"1 2 3\n1 2 3 4 5", "three numbers"),
        (b"1 2 3\n" + b"9" * 60_000, "three numbers"),
        (bytes(1 << 17), "more than"),
    ],
)
def test_what_is_none_is_told(data, reason):
    with pytest.raises(ValueError, match=reason):
        table(data)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=2000), st.text(alphabet="0123456789 ,\n\tIndex", max_size=500).map(str.encode)))
def test_any_bytes_are_a_table_or_a_reason(data):
    try:
        assert len(table(data)) == 768
    except ValueError as error:
        assert str(error)  # noqa: PT017


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    tifffile.imwrite(tmp_path / "deep" / "er" / "a.tif", noise((30, 40), "u1", 256))
    (tmp_path / "glow.lut").write_bytes(RAW)
    (tmp_path / ".hidden.lut").write_bytes(RAW)
    (tmp_path / "big.lut").write_bytes(bytes(2 << 20))
    (tmp_path / "bad.lut").write_bytes(b"hello\nworld\nagain")
    return tmp_path


IMAGE = "lab/deep/er/a.tif"


def tree(folder: Path) -> ByName:
    return ByName(catalogue(Settings(repositories={"lab": RepositorySettings(path=folder)}, refresh_seconds=0)))


def test_a_table_of_the_repository_is_written_into_the_address_with_its_version(folder: Path):
    root = tree(folder)
    before = root.canonical(f"{IMAGE}/colormap,lut=glow.lut/a.ome.zarr/0/c/0/0/0")
    spelled = before.split("/")[4]
    assert spelled.startswith("colormap,lut=glow.lut@")
    assert root.canonical(before) == before
    image = diascope.open(folder / "deep" / "er" / "a.tif")
    picture = root.file(f"{IMAGE}/{spelled}/a.dzi")
    assert picture
    assert picture.etag == root.file(f"{IMAGE}/colormap,lut=glow.lut/a.dzi").etag  # type: ignore[union-attr]
    # Another file is another version, at once, whatever version the address has.
    (folder / "deep" / "glow.lut").write_bytes(nih(COLOURS[::-1]))
    after = root.canonical(before)
    assert after != before
    (folder / "deep" / "er" / "glow.lut").write_bytes(nih(COLOURS[::-1]))
    opened = diascope.open(folder / "deep" / "er" / "a.tif" / "colormap,lut=glow.lut")
    np.testing.assert_array_equal(opened[...], np.moveaxis(COLOURS[::-1][image[...]], -1, 0))
    assert opened.origin().shape == (3, 30, 40)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "error", "reason"),
    [
        ("none.lut", Unsupported, "nor in one above"),
        ("big.lut", TooLarge, "over the limit"),
        ("bad.lut", Unsupported, "bad.lut is no look-up table"),
        (".hidden.lut", BadRequest, "named by its file"),
        ("..", BadRequest, "named by its file"),
        ("..%2fglow.lut", BadRequest, "named by its file"),
        ("glow.lut@", BadRequest, "named by its file"),
        ("glow.lut@zzzzzzzz", BadRequest, "named by its file"),
    ],
)
def test_what_is_no_table_is_told(folder: Path, name: str, error: type[Exception], reason: str):
    with pytest.raises(error, match=reason):
        tree(folder).canonical(f"{IMAGE}/colormap,lut={name}/a.dzi")


def test_an_image_that_lies_nowhere_has_no_files():
    with pytest.raises(BadRequest, match="lies in no folder"):
        view("colormap,lut=glow.lut").applied(pictured(noise((4, 5), "u1", 9), "yx"))
