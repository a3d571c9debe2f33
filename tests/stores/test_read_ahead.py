"""A distant store is asked seldom, and what it gives is what it has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr

from diascope.catalogue.catalogue import catalogue
from diascope.catalogue.repository import Repository
from diascope.errors import Changed, NotFound, Unreadable
from diascope.image.image import Image
from diascope.image.region import Region
from diascope.settings import RepositorySettings, Settings
from diascope.stores.blocks import BLOCK, Blocks
from diascope.stores.copies import Copies
from diascope.stores.moment import Moment
from diascope.stores.neighbours import Neighbours
from diascope.stores.read_ahead import LONG, ReadAhead, expect
from diascope.stores.store import Blob, Stat

DATA = np.random.default_rng(5).bytes(40 * BLOCK + 123)


@dataclass(eq=False)
class Memory:
    """Files whose requests are noted."""

    files: dict[str, bytes]
    requests: list[tuple[str, int, int]] = field(default_factory=list)
    fails: bool = False
    gate: threading.Event | threading.Barrier | None = None

    def stat_of(self, path: str) -> Stat:
        data = self.files[path]
        return Stat(is_folder=False, size=len(data), version=f"{hash(data):x}")

    def looked(self, path: str) -> tuple[Stat | None, Neighbours | None]:
        self.requests.append(("stat", 0, 0))
        if path in self.files:
            return self.stat_of(path), None
        below = {name: self.stat_of(name) for name in self.files if name.startswith(f"{path}/")}
        folder = Stat(is_folder=True, size=0, version="")
        return (folder, Neighbours(path, below, None)) if below else (None, None)

    def entries(self, path: str) -> Iterator[tuple[str, Stat]]:
        self.requests.append(("list", 0, 0))
        return iter([(name, self.stat_of(name)) for name in self.files if "/" not in name])

    def blob(self, path: str, stat: Stat) -> Blob:
        return MemoryBlob(self, path, stat)

    def opened(self, path: str, size: int) -> tuple[Blob, bytes]:
        self.requests.append(("open", 0, size))
        if path not in self.files:
            raise NotFound(path)
        return MemoryBlob(self, path, self.stat_of(path)), self.files[path][:size]

    def read(self, path: str) -> bytes | None:
        self.requests.append(("read", 0, 0))
        return self.files.get(path)

    def local_path(self, path: str) -> str | None:
        return None


@dataclass
class MemoryBlob:
    store: Memory
    path: str
    stat: Stat

    def read(self, start: int, stop: int) -> bytes:
        self.store.requests.append(("range", start, stop))
        if self.store.gate:
            self.store.gate.wait(10)
        if self.store.fails:
            raise Unreadable("broken")
        if self.store.stat_of(self.path) != self.stat:
            raise Changed("has changed")
        return self.store.files[self.path][start:stop]


def ahead(memory: Memory, seconds: float = 1000.0, blocks: int = 1 << 24) -> ReadAhead:
    return ReadAhead(memory, Blocks(blocks), Moment(seconds), Copies())


def test_any_reads_in_any_order_give_the_bytes() -> None:
    store = ahead(Memory({"file": DATA}), blocks=10 * BLOCK)
    blob = store.open("file")
    chance = np.random.default_rng(3)
    for start in chance.integers(len(DATA) + 10, size=500).tolist():
        stop = start + int(chance.choice([0, 1, 100, BLOCK, 3 * BLOCK, 2 * LONG]))
        assert blob.read(start, stop) == DATA[start:stop]
    for start, stop in chance.integers(len(DATA) + 10, size=(50, 2)).tolist():
        expect(blob, [(start, stop), (stop, start), (-5, 7), (start, start + 1000)])
        assert blob.read(start, start + 1000) == DATA[start : start + 1000]
    assert blob.read(5, 2) == blob.read(len(DATA), len(DATA) + 5) == b""


def test_many_small_reads_near_each_other_are_one_request() -> None:
    memory = Memory({"file": DATA})
    store = ahead(memory)
    for start in range(0, BLOCK, 64):
        assert store.open("file").read(start, start + 64) == DATA[start : start + 64]
    assert memory.requests == [("open", 0, BLOCK)]


def test_reading_on_takes_ever_longer_parts() -> None:
    memory = Memory({"file": DATA})
    blob = ahead(memory).open("file")
    pieces = [blob.read(start, start + 1000) for start in range(0, len(DATA), 1000)]
    assert b"".join(pieces) == DATA
    assert len(memory.requests) <= 8, memory.requests
    assert sum(stop - start for _, start, stop in memory.requests) <= len(DATA) + BLOCK, "no byte comes twice"


def test_scattered_reads_take_no_more_than_their_blocks() -> None:
    memory = Memory({"file": DATA})
    blob = ahead(memory).open("file")
    for number in (30, 10, 20, 4):
        blob.read(number * BLOCK + 5, number * BLOCK + 10)
    assert [stop - start for kind, start, stop in memory.requests if kind == "range"] == [BLOCK] * 4


def test_ranges_that_lie_near_each_other_are_one_request() -> None:
    memory = Memory({"file": DATA})
    blob = ahead(memory).open("file")
    ranges = [(k * BLOCK, k * BLOCK + 9) for k in (5, 7, 8, 10, 30)]
    expect(blob, ranges)
    assert [blob.read(start, stop) for start, stop in ranges] == [DATA[start:stop] for start, stop in ranges]
    assert sorted(memory.requests[1:]) == [("range", 5 * BLOCK, 11 * BLOCK), ("range", 30 * BLOCK, 31 * BLOCK)]


def test_ranges_that_lie_far_apart_are_asked_for_at_once() -> None:
    together = threading.Barrier(4, timeout=20)
    memory = Memory({"file": DATA})
    blob = ahead(memory).open("file")
    memory.gate = together
    ranges = [(k * BLOCK, k * BLOCK + 9) for k in (5, 12, 20, 30)]
    expect(blob, ranges)
    assert [blob.read(start, stop) for start, stop in ranges] == [DATA[start:stop] for start, stop in ranges]
    assert len(memory.requests) == 5
    memory.gate, memory.fails = None, True
    with pytest.raises(Unreadable):
        expect(blob, [(k * BLOCK, k * BLOCK + 9) for k in (8, 16, 24)])
    memory.fails = False
    assert blob.read(16 * BLOCK, 16 * BLOCK + 9) == DATA[16 * BLOCK :][:9], "what failed is tried again"


def test_many_threads_fetch_a_block_once() -> None:
    gate = threading.Event()
    memory = Memory({"file": DATA}, gate=gate)
    store = ahead(memory)
    with ThreadPoolExecutor(8) as pool:
        reads = [pool.submit(store.open("file").read, 9 * BLOCK, 9 * BLOCK + 50) for _ in range(8)]
        gate.set()
        assert {read.result(10) for read in reads} == {DATA[9 * BLOCK :][:50]}
    assert [request for request in memory.requests if request[0] == "range"] == [("range", 9 * BLOCK, 10 * BLOCK)]


def test_an_error_is_told_and_the_next_read_tries_again() -> None:
    memory = Memory({"file": DATA}, fails=True)
    blob = ahead(memory).open("file")
    with pytest.raises(Unreadable):
        blob.read(3 * BLOCK, 3 * BLOCK + 5)
    memory.fails = False
    assert blob.read(3 * BLOCK, 3 * BLOCK + 5) == DATA[3 * BLOCK :][:5]


def test_a_file_that_changes_is_never_mixed_and_seen_after_the_moment() -> None:
    memory = Memory({"file": DATA})
    for seconds in (1000.0, 0.0):
        memory.files["file"] = DATA
        store = ahead(memory, seconds)
        blob = store.open("file")
        assert blob.read(0, 5) == DATA[:5]
        memory.files["file"] = DATA[::-1]
        with pytest.raises(Changed):
            blob.read(5 * BLOCK, 5 * BLOCK + 5)
        assert blob.read(0, 5) == DATA[:5], "what was read is what the file was"
    assert store.open("file").read(0, 5) == DATA[::-1][:5]
    seen = store.stat("file")
    assert seen == memory.stat_of("file")


def test_what_is_seen_is_not_looked_at_again() -> None:
    memory = Memory({"folder/a": b"a", "folder/sub/b": b"b", "c": b"c"})
    store = ahead(memory)
    for _ in range(3):
        assert store.stat("folder")
        assert store.stat("folder/a") == memory.stat_of("folder/a")
        assert store.stat("folder/missing") is None
        assert sorted(store.names("")) == [("c", False)]
        assert store.stat("c") == memory.stat_of("c")
        with pytest.raises(NotFound):
            store.open("folder/missing")
    assert memory.requests == [("stat", 0, 0), ("list", 0, 0)]


def test_neighbours_know_what_comes_before_the_last_that_is_told() -> None:
    stat = Stat(is_folder=False, size=1, version="1")
    near = Neighbours("f", {"f/a": stat, "f/m": stat}, "f/m")
    assert all(near.knows(path) for path in ("f/a", "f/b", "f/m", "f/.zattrs"))
    assert not near.knows("f/z")
    assert not near.knows("f/m.x"), "more of what begins so may come behind the page"
    named = Neighbours("f", {}, "", frozenset({"a"}))
    assert named.knows("f/b")
    assert not any(named.knows(path) for path in ("f/a", "f/.hidden", "f/b/c"))


def test_a_moment_forgets_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("diascope.stores.moment.monotonic", lambda: now[0])
    monkeypatch.setattr("diascope.stores.moment.MOST", 10)
    moment = Moment(2.0)
    assert moment.made("a", lambda: 1) == moment.made("a", lambda: 2) == 1
    now[0] = 2.1
    assert moment.made("a", lambda: 3) == 3
    for k in range(100):
        moment.keep(k, k)
    assert len(moment._values) <= 10
    assert Moment(0.0).made("a", lambda: 1) == 1
    assert Moment(0.0).get("a", None) is None


@dataclass
class Counted:
    """A repository on a web server of our own, and what it was asked for."""

    repository: Repository
    requests: list[str]


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Counted:
    """What opening takes of a server a look at which is a request."""
    from diascope.stores.http import HttpStore
    from tests.judges import object_stores as servers
    from tests.judges.required import required

    required(servers.lacking("nginx"))
    requests: list[str] = []
    asked = HttpStore._asked

    def noted(store: HttpStore, method: str, url: str, headers: dict[str, str] | None = None) -> Any:
        requests.append(f"{method} {url} {headers}")
        return asked(store, method, url, headers)

    monkeypatch.setattr(HttpStore, "_asked", noted)
    settings = Settings(
        repositories={"lab": RepositorySettings(url=servers.nginx(tmp_path))}, refresh_seconds=1000, chunk_cache=0
    )
    return Counted(catalogue(settings).repository("lab"), requests)


@pytest.mark.judge
def test_a_pyramid_takes_few_requests(counted: Counted, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (4096, 4096), np.uint8)
    with tifffile.TiffWriter(tmp_path / "pyramid.tif") as file:
        file.write(pixels, tile=(256, 256), subifds=4, compression="zlib")
        for k in range(1, 5):
            file.write(pixels[:: 2**k, :: 2**k], tile=(256, 256), subfiletype=1, compression="zlib")
    image = opened(counted, "pyramid.tif")
    assert len(counted.requests) <= 9, counted.requests
    counted.requests.clear()
    region = Region((1024, 1024), (1536, 1536))
    assert np.array_equal(image.levels[0].read(region), pixels[region.slices])
    assert len(counted.requests) <= 4, counted.requests


@pytest.mark.judge
def test_ome_zarr_takes_few_requests(counted: Counted, tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (256, 256), np.uint8)
    group = zarr.create_group(tmp_path / "a.ome.zarr", zarr_format=3)
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [
            {
                "axes": [{"name": name, "type": "space"} for name in "yx"],
                "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 1]}]}],
            }
        ],
    }
    array = group.create_array("0", shape=pixels.shape, chunks=(64, 64), shards=(256, 256), dtype="uint8")
    array[...] = pixels
    image = opened(counted, "a.ome.zarr")
    assert len(counted.requests) <= 30, counted.requests
    counted.requests.clear()
    assert np.array_equal(image[...], pixels)
    assert len(counted.requests) <= 2, counted.requests


def opened(counted: Counted, path: str) -> Image:
    place = counted.repository.place(path)
    assert place
    dataset = counted.repository.opened(place).dataset
    return dataset.images[next(iter(dataset.images))]
