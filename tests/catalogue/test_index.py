"""The index of a repository knows what lies in its folders, whatever happens to them and to it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from diascope.bounded import BoundedCache
from diascope.catalogue import scan
from diascope.catalogue.index import Index
from diascope.catalogue.indexing import alone, index_of, keep_indexed
from diascope.catalogue.names import ordered_names
from diascope.catalogue.repository import Repository
from diascope.errors import Unreadable
from diascope.image.cache import chunk_cache
from diascope.stores.local import LocalStore

OLD = 1_000_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    for name in (
        "a/cells.tif",
        "a/notes.txt",
        "a.b/Größe.TIF",
        "volume.zarr/.zattrs",
        "volume.zarr/0/.zarray",
        "z.tif",
    ):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    (root / "volume.zarr/.zgroup").write_text('{"zarr_format": 2}')
    return root


def repository(folder: Path, index: Index | None) -> Repository:
    caches: Any = [BoundedCache(1000, weigh=lambda _: 1) for _ in range(2)]
    return Repository(
        name="images",
        store=LocalStore(folder, follow_links=True),
        views={},
        chunks=chunk_cache(0),
        datasets=caches[0],
        places=caches[1],
        refresh_seconds=0,
        index=index,
    )


def run(steps: Iterable[None]) -> int:
    return sum(1 for _ in steps)


def settle(folder: Path) -> None:
    """Let nothing have changed lately, or a look could have missed what came in the same tick of the clock."""
    for path, _, _ in os.walk(folder):
        os.utime(path, (OLD, OLD))


def known(index: Index) -> set[str]:
    rows = index.connection.execute("SELECT path, key FROM entry JOIN folder ON id = folder").fetchall()
    return {f"{path.decode()}/{key.decode()}".lstrip("/") for path, key in rows}


def names(store: Any, index: Index | None, path: str, start: str = "") -> list[str]:
    return [name for name, _ in ordered_names(store, index, path, start)]


def test_everything_is_known_and_images_are_not_looked_into(folder: Path, tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite")
    place = repository(folder, index)
    assert index.progress().share == 0
    run(scan.scanned(place, index))
    assert known(index) == {"a/", "a.b/", "volume.zarr/", "z.tif/", "a/cells.tif/", "a/notes.txt", "a.b/Größe.TIF/"}
    assert index.progress() == (3, 0, 7)
    assert index.search("GRÖSSE", 9) == [("a.b/Größe.TIF", 1)]
    assert [path for path, _ in index.search("tif", 9)] == ["z.tif", "a/cells.tif", "a.b/Größe.TIF"]
    assert index.search("notes", 9) == []
    assert index.search("volume", 9) == [("volume.zarr", 3)]
    assert len(index.search("a", 2)) == 2


def test_a_listing_out_of_the_index_is_that_of_the_folder(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("diascope.catalogue.names.BLOCK", 2)
    monkeypatch.setattr("diascope.tree.order.BLOCK", 2)
    index = Index(tmp_path / "index.sqlite")
    place = repository(folder, index)
    settle(folder)
    run(scan.scanned(place, index))
    for start in ("", "a", "a.", "a/", "a0", "volume.zarr/", "z.tif", "z.tif/", "zz"):
        assert names(place.store, index, "", start) == names(place.store, None, "", start), start
    seen = names(NoNames(folder), index, "")
    assert seen == ["a.b", "a", "volume.zarr", "z.tif"]
    (folder / "m.tif").touch()
    assert names(place.store, index, "") == ["a.b", "a", "m.tif", "volume.zarr", "z.tif"]


class NoNames(LocalStore):
    """A store that refuses to list."""

    def names(self, path: str) -> Any:
        raise AssertionError(path)


def test_what_changes_is_seen_at_the_next_sweep(folder: Path, tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite")
    place = repository(folder, index)
    settle(folder)
    run(scan.scanned(place, index))
    run(scan.swept(place, index))
    assert index.progress().waiting == 0
    shutil.rmtree(folder / "a.b")
    (folder / "a/new/deep").mkdir(parents=True)
    (folder / "a/new/deep/x.png").touch()
    run(scan.swept(place, index))
    assert index.progress().waiting == 3
    run(scan.scanned(place, index))
    assert index.search("größe", 9) == []
    assert index.search("x.png", 9) == [("a/new/deep/x.png", 1)]
    assert index.progress().folders == 4
    shutil.rmtree(folder / "a")
    run(scan.swept(place, index))
    run(scan.scanned(place, index))
    assert known(index) == {"volume.zarr/", "z.tif/"}
    assert index.progress() == (1, 0, 2)


def test_a_change_in_the_same_tick_of_the_clock_is_not_missed(folder: Path, tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite")
    place = repository(folder, index)
    run(scan.scanned(place, index))
    before = (folder / "a").stat()
    (folder / "a/late.tif").touch()
    os.utime(folder / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "late.tif" in names(place.store, index, "a")
    run(scan.swept(place, index))
    run(scan.scanned(place, index))
    assert index.search("late", 9) == [("a/late.tif", 1)]


def test_a_scan_that_is_broken_off_goes_on_where_it_was(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    for number in range(20):
        (folder / f"run {number:02}").mkdir()
        (folder / f"run {number:02}/x.tif").touch()
    path = tmp_path / "index.sqlite"
    steps = scan.scanned(repository(folder, None), Index(path))
    for _ in range(9):
        next(steps)
    del steps
    index = Index(path)
    done = index.progress().folders - index.progress().waiting
    assert done == 8
    looks: list[str] = []
    place = repository(folder, index)
    listed = LocalStore.names

    def counted(self: LocalStore, path: str) -> Any:
        looks.append(path)
        return listed(self, path)

    monkeypatch.setattr(LocalStore, "names", counted)
    run(scan.scanned(place, index))
    assert len(looks) == 23 - done
    assert len(index.search("x.tif", 99)) == 20


def test_links_in_circles_end(folder: Path, tmp_path: Path) -> None:
    (folder / "a/up").symlink_to(folder)
    (folder / "a/self").symlink_to(folder / "a")
    index = Index(tmp_path / "index.sqlite")
    run(scan.scanned(repository(folder, index), index))
    assert index.progress().folders == 3
    assert index.progress().waiting == 0


@pytest.mark.parametrize("damage", ["garbage", "empty", "cut", "other form"])
def test_a_damaged_index_is_made_anew(folder: Path, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "index.sqlite"
    index = Index(path)
    run(scan.scanned(repository(folder, index), index))
    index.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    index.connection.close()
    if damage == "other form":
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 77")
        connection.close()
    else:
        path.write_bytes({"garbage": b"no database" * 999, "empty": b"", "cut": path.read_bytes()[:5000]}[damage])
    again = Index(path)
    run(scan.scanned(repository(folder, again), again))
    assert again.progress() == (3, 0, 7)


def test_where_no_file_can_be_there_is_no_index(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    assert index_of("/images", tmp_path / "file") is None
    assert "search walks the folders" in caplog.text


def test_a_folder_that_cannot_be_read_is_tried_again(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    index = Index(tmp_path / "index.sqlite")
    place = repository(folder, index)
    listed = LocalStore.names

    def refused(self: LocalStore, path: str) -> Any:
        if path == "a":
            raise Unreadable("a: no permission")
        return listed(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "names", refused)
        run(scan.scanned(place, index))
        assert index.search("cells", 9) == []
        assert index.search("größe", 9)
    run(scan.swept(place, index))
    run(scan.scanned(place, index))
    assert index.search("cells", 9) == [("a/cells.tif", 1)]


def test_the_background_keeps_it_and_many_read_it(folder: Path, tmp_path: Path) -> None:
    index = index_of(str(folder), tmp_path / "indices")
    assert index is not None
    place = repository(folder, index)
    wrong: list[Any] = []

    def read() -> None:
        for _ in range(200):
            wrong.extend(path for path, _ in index.search("tif", 99) if not path.lower().endswith("tif"))
            index.progress()

    stop = keep_indexed({"images": place}, 0.01)
    readers = [Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(20):
        (folder / f"a/{number}.tif").touch()
    for reader in readers:
        reader.join(30)
    wait_for(lambda: len(index.search("tif", 99)) == 23)
    stop.set()
    assert wrong == []
    assert [path.name for path in (tmp_path / "indices").glob("*.sqlite")] == [index.path.name]


def wait_for(condition: Any) -> None:
    from time import monotonic, sleep

    end = monotonic() + 20
    while not condition():
        assert monotonic() < end, "it did not come"
        with suppress(sqlite3.Error):
            sleep(0.02)


def test_one_process_at_a_time_looks_into_folders(tmp_path: Path) -> None:
    with alone(tmp_path / "index.sqlite") as first, alone(tmp_path / "index.sqlite") as second:
        assert (first, second) == (True, False)
    with alone(tmp_path / "index.sqlite") as third:
        assert third
