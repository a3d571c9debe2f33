"""Small files that would become large ones: refused with a clear error, in little time and memory."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import nibabel
import numpy as np
import pytest

import diascope
from diascope.errors import DiascopeError
from tests.fuzz.judge import judged

MEBIBYTE = 1 << 20


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(path: Path, side: int, *chunks: bytes) -> None:
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + _chunk(b"IEND", b""))


@cache
def _zeros() -> bytes:
    """A gibibyte of them, deflated to a mebibyte."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(MEBIBYTE)) for _ in range(1024)) + packer.flush()


def _pixels(path: Path) -> None:
    _png(path, 20_000, _chunk(b"IDAT", _zeros()))


def _text(path: Path) -> None:
    _png(path, 4, _chunk(b"zTXt", b"a\0\0" + _zeros()), _chunk(b"IDAT", zlib.compress(bytes(52))))


def _profile(path: Path) -> None:
    _png(path, 4, _chunk(b"iCCP", b"a\0\0" + _zeros()), _chunk(b"IDAT", zlib.compress(bytes(52))))


def _nifti(path: Path) -> None:
    """Some bytes that are told to be many."""
    header = nibabel.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4)).header.copy()
    header.set_data_shape((30_000, 30_000, 4))
    header["magic"], header["vox_offset"] = b"n+1", 352
    path.write_bytes(gzip.compress(header.binaryblock + bytes(4 + MEBIBYTE)))


def _nrrd(path: Path) -> None:
    head = b"NRRD0004\ntype: uint8\ndimension: 3\nsizes: 99999999 99999999 99999999\nencoding: gzip\n\n"
    path.write_bytes(head + gzip.compress(bytes(100)))


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zarr.json", '{"zarr_format":3,' + " " * (256 * MEBIBYTE) + '"node_type":"group"}')


def _document(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.mkdir()
        (path / "zarr.json").write_text('{"zarr_format":3,"node_type":"group","attributes":' + text + "}", "utf-8")

    return write


def _aliases(path: Path) -> None:
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    lines += [f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]" for before, name in pairwise("abcdefghi")]
    path.write_text("recipe: stack\n" + "\n".join(lines), encoding="utf-8")


BOMBS: dict[str, tuple[Callable[[Path], None], str]] = {
    "pixels.png": (_pixels, "over the limit"),
    "text.png": (_text, "too large"),
    "profile.png": (_profile, "too large"),
    "volume.nii.gz": (_nifti, "cannot hold"),
    "volume.nrrd": (_nrrd, "cannot hold"),
    "volume.ozx": (_zip, "metadata are more"),
    "deep.zarr": (_document("[" * 200_000 + "]" * 200_000), "recursion"),
    "digits.zarr": (_document("9" * 5000), "digits"),
    "aliases.recipe.yaml": (_aliases, "aliases"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_little_time_and_memory(name: str, tmp_path: Path) -> None:
    write, told = BOMBS[name]
    write(tmp_path / name)
    assert judged(tmp_path / name) is None
    with pytest.raises(DiascopeError, match=told):
        diascope.open_dataset(tmp_path / name)


def test_links_that_go_round_are_refused(tmp_path: Path) -> None:
    (tmp_path / "self.tif").symlink_to("self.tif")
    with pytest.raises(DiascopeError, match=r"self\.tif"):
        diascope.open_dataset(tmp_path / "self.tif")
