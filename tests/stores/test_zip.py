"""Zip files as Python's zipfile writes them, and as nobody should."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diascope.errors import BadRequest, DiascopeError, NotFound, Unreadable
from diascope.stores.local import LocalStore
from diascope.stores.store import Stat
from diascope.stores.zip import ZipStore
from diascope.testing.counting import CountingStore

NOISE = np.random.default_rng(1).integers(0, 256, 300_000, dtype=np.uint8).tobytes()
FILES = {"zarr.json": b"{}", "0/zarr.json": b"[]" * 100, "0/c/0/0": NOISE, "0/c/0/1": b"\0" * 9000, "0/empty": b""}


class Held:
    """A blob whose bytes are here."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.stat = Stat(is_folder=False, size=len(data), version="1")

    def read(self, start: int, stop: int) -> bytes:
        return self.data[start : max(start, stop)]


def zipped(method: int = zipfile.ZIP_STORED, comment: bytes = b"", more: str = "") -> bytes:
    """The files, and one more without bytes."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in (FILES | ({more: b""} if more else {})).items():
            archive.writestr(name, data)
        archive.comment = comment
    return file.getvalue()


def store(data: bytes) -> ZipStore:
    return ZipStore(Held(data))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("comment", [b"", b'{"ome": {}}', b"PK\5\6" * 9, b"x" * 65535])
def test_members_are_what_was_written(method: int, comment: bytes) -> None:
    made = store(zipped(method, comment))
    for name, data in FILES.items():
        assert made.read(name) == data
        blob = made.open(name)
        assert blob.stat == made.stat(name)
        assert blob.stat.size == len(data)
        assert blob.read(0, len(data) + 9) == data
        assert blob.read(40, 90) == data[40:90]
    assert made.local_path("zarr.json") is None


def test_folders_are_listed() -> None:
    made = store(zipped(more=".hidden"))
    assert sorted(made.names("")) == [("0", True), ("zarr.json", False)]
    assert sorted(made.names("0")) == [("c", True), ("empty", False), ("zarr.json", False)]
    assert sorted(made.names("0/c")) == [("0", True)]
    folder = made.stat("0/c")
    assert folder is not None
    assert folder.is_folder
    assert made.stat("1") is None
    assert made.read("1") is None
    for missing in (made.names, made.open):
        with pytest.raises(NotFound):
            missing("1")


@pytest.mark.parametrize("path", ["../a", "/a", "a//b", "a/.", "a\0"])
def test_paths_that_lead_out_are_refused(path: str) -> None:
    made = store(zipped())
    for look in (made.stat, made.read, made.open, made.names):
        with pytest.raises(BadRequest):
            look(path)


def test_zip64_and_many_members() -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for k in range(70_000):
            archive.writestr(f"0/{k}", str(k))
        with archive.open("1", "w", force_zip64=True) as member:
            member.write(b"wide")
    made = store(file.getvalue())
    assert made.read("0/65536") == b"65536"
    assert made.read("1") == b"wide"
    assert sum(1 for _ in made.names("0")) == 70_000


def wide_twin(data: bytes) -> bytes:
    """The same file with the numbers of its directory in ZIP64, as large files have them."""
    end = data.rfind(b"PK\5\6")
    count, _, start = struct.unpack_from("<HLL", data, end + 10)
    out, at = bytearray(), start
    for _ in range(count):
        fields = list(struct.unpack_from("<4s6H3L5H2L", data, at))
        name = data[at + 46 : at + 46 + fields[10]]
        extra = struct.pack("<2H3Q", 1, 24, fields[9], fields[8], fields[16])
        at += 46 + fields[10] + fields[11] + fields[12]
        fields[8] = fields[9] = fields[16] = 0xFFFFFFFF
        fields[11], fields[12] = len(extra), 0
        out += struct.pack("<4s6H3L5H2L", *fields) + name + extra
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(out), start)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, start + len(out), 1)
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return data[:start] + bytes(out) + record + locator + last


def test_numbers_of_64_bits() -> None:
    twin = wide_twin(zipped())
    assert zipfile.ZipFile(BytesIO(twin)).read("0/c/0/0") == NOISE
    made = store(twin)
    assert {name: made.read(name) for name in FILES} == FILES


def patched(data: bytes, name: bytes, at: int, form: str, value: int) -> bytes:
    """The header of a member in the directory with another number at a place."""
    header = data.rfind(b"PK\1\2", 0, data.rfind(name))
    out = bytearray(data)
    struct.pack_into(form, out, header + at, value)
    return bytes(out)


def twice() -> bytes:
    return zipped().replace(b"0/c/0/1", b"0/c/0/0")


WHOLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "twice": (twice, "twice"),
    "up": (lambda: zipped(more="a/../../b"), "no name"),
    "absolute": (lambda: zipped(more="/etc/passwd"), "no name"),
    "backslash": (lambda: zipped().replace(b"0/empty", b"0\\empty"), "no name"),
    "long": (lambda: zipped(more="a" * 2000), "no name"),
    "overlapping": (lambda: patched(zipped(), b"0/c/0/1", 42, "<L", 10), "lie in one another"),
    "beyond": (lambda: patched(zipped(), b"0/empty", 20, "<L", 1 << 30), "lie in one another"),
    "cut": (lambda: zipped()[:-5], "cut off"),
    "headless": (lambda: b"junk" + zipped(), "does not end where it should"),
    "disks": (lambda: patched(zipped(), b"0/empty", 34, "<H", 3), "part of several files"),
    "no zip": (lambda: b"PK\3\4" + bytes(99), "no zip file"),
}

MEMBER: dict[str, tuple[Callable[[], bytes], str]] = {
    "encrypted": (lambda: patched(zipped(), b"0/c/0/1", 8, "<H", 1), "encrypted"),
    "method": (lambda: patched(zipped(), b"0/c/0/1", 10, "<H", 12), "the way 12"),
    "sizes": (lambda: patched(zipped(), b"0/c/0/1", 24, "<L", 9001), "are stored as"),
    "checksum": (lambda: patched(zipped(), b"0/c/0/1", 16, "<L", 1), "checksum"),
    "bomb": (lambda: patched(zipped(zipfile.ZIP_DEFLATED), b"0/c/0/1", 24, "<L", 1 << 31), "would be inflated"),
    "more": (lambda: patched(zipped(zipfile.ZIP_DEFLATED), b"0/c/0/1", 24, "<L", 8999), "more or less"),
    "no header": (lambda: zipped().replace(b"PK\3\4", b"PK\3\5"), "no member where"),
}


@pytest.mark.parametrize("how", WHOLE)
def test_a_file_of_two_meanings_is_refused(how: str) -> None:
    make, reason = WHOLE[how]
    with pytest.raises(Unreadable, match=reason):
        store(make())


@pytest.mark.parametrize("how", MEMBER)
def test_a_broken_member_is_refused(how: str) -> None:
    make, reason = MEMBER[how]
    made = store(make())
    with pytest.raises(Unreadable, match=reason):
        made.read("0/c/0/1")


def test_only_what_is_needed_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped())
    counting = CountingStore(LocalStore(tmp_path))
    made = ZipStore(counting.open("a.zip"))
    assert counting.count < 1 << 17
    counting.count = 0
    made.open("0/c/0/0").read(1000, 2000)
    assert counting.count == 1000 + 30


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=6), st.booleans())
def test_damaged_directories(changes: list[tuple[int, int]], wide: bool) -> None:
    whole = zipped(zipfile.ZIP_DEFLATED)
    data = bytearray(wide_twin(whole) if wide else whole)
    for at, value in changes:
        data[-1 - at % len(data)] = value
    try:
        made = store(bytes(data))
        for path in FILES:
            made.read(path)
        list(made.names(""))
    except DiascopeError:
        return
