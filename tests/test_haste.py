"""What is answered in haste, and what is given up there before it waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread, get_ident

import numpy as np
import pytest
import tifffile

from diascope.access.answer import Asked
from diascope.access.data import Data
from diascope.access.exchange import _at_once
from diascope.arrangements.root import Root, root
from diascope.bounded import BoundedCache
from diascope.catalogue.catalogue import catalogue
from diascope.haste import Wait, hastily, is_hasty, pause
from diascope.settings import RepositorySettings, Settings
from diascope.stores.local import AT_ONCE, LocalStore

TILE = "images/tiled.tif/original/tiled_files/8/0_0.jpeg"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    pixels = np.random.default_rng(1).integers(0, 256, (256, 256, 3), np.uint8)
    tifffile.imwrite(folder / "tiled.tif", pixels, tile=(256, 256), compression="jpeg", photometric="rgb")
    return folder


def served(folder: Path, refresh_seconds: float = 1000.0) -> tuple[Root, Data]:
    settings = Settings(repositories={"images": RepositorySettings(path=folder)}, refresh_seconds=refresh_seconds)
    tree = root(settings, catalogue(settings))
    return tree, Data(tree, tree.canonical, tree.known)


def at_once(door: Data, path: str, method: str = "GET", **headers: str) -> bytes | int | None:
    """The bytes, or the status of another answer; None where it takes a thread."""
    asked = Asked(method, "http://here", {name.replace("_", "-"): value for name, value in headers.items()})
    answer = _at_once(lambda each: door.answer(path, "", each), asked)
    if answer is None or answer.status != 200:
        return None if answer is None else answer.status.value
    assert isinstance(answer.body, bytes)
    return answer.body


def at_leisure(door: Data, path: str) -> bytes:
    body = door.answer(path, "", Asked("GET", "http://here")).body
    assert isinstance(body, bytes)
    return body


def test_work_is_hasty_as_long_as_it_lasts_and_in_its_thread_alone() -> None:
    seen: dict[int, bool] = {}

    def look() -> None:
        seen[get_ident()] = is_hasty()
        thread = Thread(target=lambda: seen.setdefault(get_ident(), is_hasty()))
        thread.start()
        thread.join()

    hastily(look)
    assert sorted(seen.values()) == [False, True]
    with pytest.raises(Wait):
        hastily(pause)
    pause()


def test_nothing_is_made_and_nobody_is_waited_for_in_haste() -> None:
    cache: BoundedCache[int] = BoundedCache(100, weigh=lambda _: 1)
    with pytest.raises(Wait):
        hastily(lambda: cache.get("a", lambda: 1))
    go = Event()
    begun = Event()

    def make() -> int:
        begun.set()
        go.wait(10)
        return 2

    thread = Thread(target=lambda: cache.get("a", make))
    thread.start()
    begun.wait(10)
    with pytest.raises(Wait):
        hastily(lambda: cache.get("a", lambda: 1))
    go.set()
    thread.join()
    assert hastily(lambda: cache.get("a", lambda: 1)) == 2


def test_a_tile_is_passed_on_in_haste_once_it_is_known_what_its_path_leads_to(folder: Path) -> None:
    _, door = served(folder)
    assert at_once(door, TILE) is None
    expected = at_leisure(door, TILE)
    assert at_once(door, TILE) == expected
    assert at_once(door, TILE.replace("0_0", "1_0")) is None  # who says that there is nothing may have to look
    assert door.answer(TILE.replace("0_0", "1_0"), "", Asked("GET", "http://here")).status == 404


def test_a_tile_that_is_made_is_made_by_a_thread_and_found_in_haste(folder: Path) -> None:
    _, door = served(folder)
    made = TILE.replace("_files/8", "_files/7")
    assert at_once(door, made) is None
    expected = at_leisure(door, made)
    assert at_once(door, made) == expected
    etag = door.answer(made, "", Asked("GET", "http://here")).headers["etag"]
    assert at_once(door, made, if_none_match=etag) == 304
    assert at_once(door, made, range="bytes=0-9") == 206
    assert at_once(door, made, method="HEAD") == b""


def test_what_the_client_has_already_is_told_in_haste_without_a_pixel(folder: Path) -> None:
    _, door = served(folder)
    made = TILE.replace("_files/8", "_files/7")
    etag = door.answer(made, "", Asked("GET", "http://here")).headers["etag"]
    _, anew = served(folder)
    at_leisure(anew, TILE)
    assert at_once(anew, made, if_none_match=etag) == 304
    assert at_once(anew, made) is None


def test_a_listing_and_a_document_take_a_thread(folder: Path) -> None:
    _, door = served(folder)
    at_leisure(door, "images/tiled.tif/original/tiled.dzi")
    assert at_once(door, "images/tiled.tif/original/tiled.dzi") is None
    assert at_once(door, "images") is None


def test_a_folder_is_told_as_before_once_it_is_known(folder: Path) -> None:
    _, door = served(folder)
    identifier = "images/tiled.tif/original/tiled.iiif"
    asked = Asked("GET", "http://here")
    before = [door.answer(f"{identifier}/", query, asked) for query in ("", "offset=0")]
    at_leisure(door, f"{identifier}/info.json")
    after = [door.answer(f"{identifier}/", query, asked) for query in ("", "offset=0")]
    assert after == before
    assert [answer.status for answer in after] == [303, 200]
    assert door.answer(identifier, "", asked).headers["location"] == f"/data/{identifier}/info.json"


def test_a_path_in_another_spelling_is_never_taken_for_the_canonical_one(folder: Path) -> None:
    tree, door = served(folder)
    canonical = "images/tiled.tif/crop,x=0..128,y=0..128/tiled_files/7/0_0.jpeg"
    odd = canonical.replace("x=0..128,y=0..128", "y=0..128,x=0..128")
    assert tree.canonical(odd) == canonical
    at_leisure(door, canonical)
    assert tree.known(canonical) is not None
    assert tree.file(odd) is not None  # as doors without redirects ask for it
    assert tree.known(odd) is None
    assert door.answer(odd, "", Asked("GET", "http://here")).headers["location"] == f"/data/{canonical}"


def test_a_replaced_file_is_seen_in_time_by_every_way(folder: Path, clock: Clock) -> None:
    tree, door = served(folder, 2.0)
    before = at_leisure(door, TILE)
    assert at_once(door, TILE) == before
    tifffile.imwrite(
        folder / "new.tif", np.zeros((256, 256, 3), np.uint8), tile=(256, 256), compression="jpeg", photometric="rgb"
    )
    (folder / "new.tif").replace(folder / "tiled.tif")
    clock.now += 2.0
    assert at_once(door, TILE) is None
    after = at_leisure(door, TILE)
    assert after != before
    assert at_once(door, TILE) == after
    (folder / "tiled.tif").unlink()
    clock.now += 2.0
    assert tree.known(TILE) is None
    assert door.answer(TILE, "", Asked("GET", "http://here")).status == 404


def test_a_change_that_a_reader_finds_is_looked_for_at_once(folder: Path) -> None:
    tree, door = served(folder)
    at_leisure(door, TILE)
    with (folder / "tiled.tif").open("r+b") as file:
        file.seek(0, 2)
        file.write(b"more")
    assert tree.known(TILE) is not None
    assert door.answer(TILE, "", Asked("GET", "http://here")).status == 503
    assert tree.known(TILE) is None
    assert door.answer(TILE, "", Asked("GET", "http://here")).status == 200


def test_without_refreshing_nothing_is_known(folder: Path) -> None:
    tree, door = served(folder, 0.0)
    at_leisure(door, TILE)
    assert tree.known(TILE) is None


def test_a_local_file_is_read_in_haste_where_the_kernel_has_it(folder: Path) -> None:
    (folder / "bytes").write_bytes(bytes(range(256)) * (AT_ONCE // 128))
    blob = LocalStore(folder).open("bytes")
    blob.read(0, blob.stat.size)
    assert hastily(lambda: blob.read(3, 1003)) == blob.read(3, 1003)
    for start, stop in ((0, AT_ONCE + 1), (blob.stat.size - 10, blob.stat.size + 10)):
        with pytest.raises(Wait):
            hastily(lambda start=start, stop=stop: blob.read(start, stop))  # type: ignore[misc]
    with pytest.raises(Wait):
        hastily(lambda: LocalStore(folder).stat("bytes"))


class Clock:
    """The time that passes for repositories."""

    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    moment: Callable[[], float] = lambda: clock.now  # noqa: E731
    monkeypatch.setattr("diascope.catalogue.repository.monotonic", moment)
    return clock
