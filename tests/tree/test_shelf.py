"""The cache that processes and machines share."""

from __future__ import annotations

import errno
import logging
import os
import pickle
import threading
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from diascope import fleeting
from diascope.settings import RepositorySettings, Settings
from diascope.tree import shelf as shelves
from diascope.tree.cache import file_cache
from diascope.tree.folder_shelf import ABANDONED, FOLDERS, FolderShelf, tidy
from diascope.tree.shelf import Shelf, closed, opened
from diascope.tree.shelves import shelf as shelf_of

MEBIBYTE = 1 << 20


class Memory:
    """A place that can be in trouble."""

    told = "in memory"

    def __init__(self) -> None:
        self.entries: dict[str, bytes] = {}
        self.error: Exception | None = None
        self.asked = 0

    def read(self, key: str, most: int) -> bytes | None:
        self.asked += 1
        if self.error:
            raise self.error
        return self.entries.get(key, b"")[: most + 1] or None

    def write(self, key: str, data: bytes) -> None:
        if self.error:
            raise self.error
        self.entries[key] = data


def slowly(data: bytes) -> bytes:
    """What takes long enough to be worth keeping."""
    sleep(shelves.WORTH * 1.5)
    return data


def refuse() -> bytes:
    pytest.fail("it is there and need not be made")


@pytest.fixture(params=["memory", "folder"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Memory | FolderShelf:
    return Memory() if request.param == "memory" else FolderShelf(tmp_path / "shared", 64 * MEBIBYTE)


def test_what_one_makes_another_finds(place: Memory | FolderShelf) -> None:
    one, two = Shelf(place, "1"), Shelf(place, "1")
    data = os.urandom(100_000)
    assert one.got("key", lambda: slowly(data)) == data
    one.flush()
    assert two.got("key", refuse) == data
    assert (one.hits, one.misses, two.hits, two.misses) == (0, 1, 1, 0)


def test_another_version_finds_nothing(place: Memory | FolderShelf) -> None:
    one = Shelf(place, "Diascope 1")
    one.got("key", lambda: slowly(b"old"))
    one.flush()
    assert Shelf(place, "Diascope 2").got("key", lambda: slowly(b"new")) == b"new"
    assert Shelf(place, "Diascope 1").got("key", refuse) == b"old"


def test_what_is_quickly_made_or_fleeting_or_fails_or_is_too_large_is_not_kept(
    place: Memory | FolderShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Shelf(place, "1")
    one.got("quick", lambda: b"quick")

    def for_now() -> bytes:
        fleeting.note()
        return slowly(b"zeros of today")

    def fail() -> bytes:
        slowly(b"")
        raise ValueError("no luck")

    one.got("fleeting", for_now)
    with pytest.raises(ValueError, match="no luck"):
        one.got("failed", fail)
    monkeypatch.setattr(shelves, "LARGEST", 1000)
    one.got("large", lambda: slowly(bytes(1001)))
    one.flush()
    for key in ("quick", "fleeting", "failed", "large"):
        assert one.got(key, lambda: b"made") == b"made"


@pytest.mark.parametrize("harm", ["cut", "flipped", "swapped", "empty", "pickle", "longer"])
def test_an_entry_that_is_not_what_was_written_is_made_anew(tmp_path: Path, harm: str) -> None:
    place = FolderShelf(tmp_path, 64 * MEBIBYTE)
    one = Shelf(place, "1")
    for key in ("a", "b"):
        one.got(key, lambda key=key: slowly(key.encode() * 1000))  # type: ignore[misc]
    one.flush()
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(files) == 2
    first, second = (path.read_bytes() for path in files)
    marker = tmp_path / "executed"
    harmed = {
        "cut": first[:-1],
        "flipped": first[:500] + bytes([first[500] ^ 1]) + first[501:],
        "swapped": second,
        "empty": b"",
        "pickle": pickle.dumps(Touches(str(marker))),
        "longer": first + b"a",
    }[harm]
    files[0].write_bytes(harmed)
    assert one.got("a", lambda: b"a" * 1000) == b"a" * 1000
    assert one.got("b", lambda: b"b" * 1000) == b"b" * 1000
    assert not marker.exists()
    assert one.misses == 3


class Touches:
    """Executed by whoever unpickles it."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (self.path,))


def test_the_sum_is_of_the_key_too() -> None:
    entry = closed("a" * 32, b"data")
    assert opened("a" * 32, entry) == b"data"
    assert opened("b" * 32, entry) is None
    assert opened("a" * 32, b"") is None


def test_a_place_in_trouble_is_gone_on_without_told_of_once_and_tried_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelves, "PAUSE", 0.2)
    place = Memory()
    one = Shelf(place, "1")
    place.error = ConnectionError("refused for redis://user:secret@host")
    with caplog.at_level(logging.WARNING):
        for number in range(50):
            assert one.got(number, lambda: b"made") == b"made"
    assert place.asked == 1
    assert len(caplog.records) == 1
    assert "ConnectionError" in caplog.text
    assert "secret" not in caplog.text
    sleep(0.25)
    place.error = None
    one.got("key", lambda: slowly(b"kept"))
    one.flush()
    assert one.got("key", refuse) == b"kept"
    assert "works again" in caplog.text


def test_a_folder_keeps_its_bound_however_many_write(tmp_path: Path) -> None:
    bound = 8 * MEBIBYTE
    places = [FolderShelf(tmp_path, bound) for _ in range(3)]

    def write(place: FolderShelf, first: int) -> None:
        for number in range(600):
            place.write(f"{(first * 600 + number) * 2654435761 % 2**32:08x}" * 4, bytes(14_000))

    threads = [threading.Thread(target=write, args=(place, k)) for k, place in enumerate(places)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert 100 < len(kept) < 1800
    assert sum(path.stat().st_blocks * 512 for path in kept) <= bound
    assert len({path.parent for path in kept}) == FOLDERS


def test_what_was_used_last_stays_and_what_was_abandoned_goes(tmp_path: Path) -> None:
    for number in range(8):
        path = tmp_path / f"{number}"
        path.write_bytes(bytes(4096))
        os.utime(path, (number, number or 10**9))
    (tmp_path / "x.1.2.part").write_bytes(bytes(4096))
    os.utime(tmp_path / "x.1.2.part", (1, 1))
    (tmp_path / "y.1.3.part").write_bytes(bytes(4096))
    tidy(tmp_path, 4 * 4096 * 4 // 3 + 2)
    assert ABANDONED > 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "5", "6", "7", "y.1.3.part"]


def test_a_full_disk_is_no_error_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    place = FolderShelf(tmp_path, 64 * MEBIBYTE)
    one = Shelf(place, "1")
    one.got("before", lambda: slowly(b"there"))
    one.flush()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    assert one.got("key", lambda: slowly(b"made")) == b"made"
    one.flush()
    assert "No space left" in caplog.text
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1
    assert one.got("before", refuse) == b"there", "what is there is still read"


def test_links_and_pipes_in_the_folder_are_not_followed(tmp_path: Path) -> None:
    place = FolderShelf(tmp_path / "shared", 64 * MEBIBYTE)
    (tmp_path / "secret").write_bytes(b"secret")
    folder = tmp_path / "shared" / "00"
    folder.mkdir(parents=True)
    (folder / ("0" * 32)).symlink_to(tmp_path / "secret")
    os.mkfifo(folder / f"0000{'1' * 28}")
    one = Shelf(place, "")
    with pytest.raises(OSError, match="Too many levels"):
        place.read("0" * 32, 100)
    assert place.read(f"0000{'1' * 28}", 100) is None
    assert one.got("key", lambda: b"made") == b"made"


def test_the_folder_is_for_nobody_else(tmp_path: Path) -> None:
    place = FolderShelf(tmp_path / "shared", 64 * MEBIBYTE)
    place.write("0" * 32, b"data")
    assert (tmp_path / "shared" / "00").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "shared" / "00" / ("0" * 32)).stat().st_mode & 0o777 == 0o600


def test_the_settings_name_a_folder_or_a_server(tmp_path: Path) -> None:
    assert shelf_of(Settings()) is None
    assert shelf_of(Settings.model_validate({"shared_cache": str(tmp_path)})) is not None
    for wrong in ("http://host", "", "ftp://x"):
        with pytest.raises(ValueError, match="shared cache"):
            Settings.model_validate({"shared_cache": wrong})
    settings = Settings.model_validate({"shared_cache": "redis://user:geheim@localhost:1/0"})
    assert "geheim" not in repr(settings)
    with pytest.raises(ValueError, match="shared cache") as refused:
        Settings.model_validate({"shared_cache": "http://user:geheim@localhost"})
    assert "geheim" not in str(refused.value)


def test_repositories_at_other_places_share_nothing(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two", "one"):
        (tmp_path / name).mkdir(exist_ok=True)
        settings = Settings.model_validate(
            {"shared_cache": str(tmp_path / "shared"), "repositories": {"lab": {"path": str(tmp_path / name)}}}
        )
        assert isinstance(settings.repositories["lab"], RepositorySettings)
        shelf = shelf_of(settings)
        files = file_cache(MEBIBYTE, shelf)
        made.append(files.get("etag", lambda name=name: slowly(name.encode())))  # type: ignore[misc]
        assert shelf
        shelf.flush()
        made.append(b"%d" % shelf.hits)
    assert made == [b"one", b"0", b"two", b"0", b"one", b"1"]
