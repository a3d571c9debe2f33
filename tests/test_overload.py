"""A whole server with little memory, of which more is asked than it has: every pixel that comes is right."""

from __future__ import annotations

import errno
import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import Any

import httpx
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from diascope.access.fuse import Mounted
from diascope.access.http import Server
from diascope.assembly import application
from diascope.errors import Overloaded
from diascope.settings import MEBIBYTE, RepositorySettings, Settings
from diascope.tree.file import Entry, File
from tests.servers import LiveServer

SIZE = 3072
LARGE = f"/api/cutout/box/a.tif?y=0..{SIZE}&x=0..{SIZE}"
"""18 MiB of pixels."""
LITTLE: dict[str, Any] = {
    "threads": 2,
    "small_work": 4 * MEBIBYTE,
    "work_memory": 80 * MEBIBYTE,
    "work_waiting": 4,
    "chunk_cache": 4 * MEBIBYTE,
}


@pytest.fixture(scope="module")
def pixels() -> NDArray[np.uint16]:
    rows, columns = np.indices((SIZE, SIZE), np.uint16)
    return rows * 7 + columns * 3


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory, pixels: NDArray[np.uint16]) -> Path:
    folder = tmp_path_factory.mktemp("overload") / "box"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", pixels, tile=(256, 256), compression="zlib")
    return folder


@pytest.fixture
def served(box: Path) -> Iterator[tuple[str, Server]]:
    settings = {"repositories": {"box": RepositorySettings(path=box)}, **LITTLE}
    app = application(Settings.model_validate(settings))
    server = LiveServer(app)
    httpx.get(f"{server.url}/data/{tile(0, 0)}", timeout=60).raise_for_status()  # all that is imported once
    yield server.url, app
    server.stop()


def tile(row: int, column: int) -> str:
    return f"box/a.tif/original/a.ome.zarr/0/c/{row}/{column}"


def waited(until: Callable[[], bool], seconds: float = 30) -> None:
    end = monotonic() + seconds
    while not until():
        assert monotonic() < end, "it did not come about"
        sleep(0.02)


def test_tiles_come_while_more_large_regions_are_asked_for_than_there_is_memory(
    served: tuple[str, Server], pixels: NDArray[np.uint16]
) -> None:
    url, app = served
    admission = app.observer.admission
    assert admission is not None
    taken, seconds = [], []
    with ThreadPoolExecutor(16) as threads, httpx.Client(base_url=url, timeout=60) as client:
        large: list[Future[httpx.Response]] = [threads.submit(httpx.get, url + LARGE, timeout=60) for _ in range(16)]
        rounds = 0
        while not all(each.done() for each in large) or rounds < 3:
            for column in range(8):
                begun = monotonic()
                answer = client.get(f"/data/{tile(rounds % 12, column)}")
                seconds.append(monotonic() - begun)
                assert answer.status_code == 200
                assert (
                    decoded(client, answer.content)
                    == pixels[256 * (rounds % 12) :, 256 * column :][:256, :256].tobytes()
                )
            taken.append(admission.large.taken)
            rounds += 1
        answers = [each.result() for each in large]
    assert {answer.status_code for answer in answers} == {200, 503}
    for answer in answers:
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.headers["content-type"] == "application/problem+json"
        else:
            assert np.array_equal(np.load(io.BytesIO(answer.content)), pixels)
    assert max(taken) <= 80 * MEBIBYTE
    assert median(seconds) < 2
    waited(lambda: admission.large.taken == 0 and not admission.clients)


def decoded(client: httpx.Client, data: bytes) -> bytes:
    """The pixels of a chunk, by the codec that the metadata of its array name."""
    from numcodecs import Blosc, GZip, Zstd

    codecs = {"blosc": Blosc(), "zstd": Zstd(), "gzip": GZip(), "zlib": None}
    metadata = client.get("/data/box/a.tif/original/a.ome.zarr/0/zarr.json").json()
    names = [codec["name"] for codec in metadata["codecs"] if codec["name"] in codecs]
    return bytes(codecs[names[0]].decode(data)) if names else data


def test_clients_that_vanish_stop_their_work_and_give_its_memory_back(served: tuple[str, Server]) -> None:
    url, app = served
    admission = app.observer.admission
    assert admission is not None
    with ThreadPoolExecutor(6) as threads:
        large = [threads.submit(httpx.get, url + LARGE, timeout=0.05) for _ in range(6)]
        assert any(isinstance(each.exception(), httpx.TimeoutException) for each in large)
    waited(lambda: admission.large.taken == 0 and not admission.clients and not admission.large.threads.busy, 10)
    assert admission.vanished >= 1
    assert httpx.get(url + LARGE, timeout=60).status_code == 200


def test_what_never_fits_is_refused_before_it_is_read(served: tuple[str, Server]) -> None:
    url, _ = served
    # Twice 36 MiB fit, and twice 72 do not.
    assert httpx.get(f"{url}{LARGE}&view=cast,dtype=float32,how=exact", timeout=60).status_code == 200
    answer = httpx.get(f"{url}{LARGE}&view=cast,dtype=float64,how=exact", timeout=60)
    assert answer.status_code == 413
    assert "work_memory" in answer.json()["detail"]


class Busy:
    """A tree that is always told to be overloaded."""

    def file(self, path: str) -> File | None:
        raise Overloaded("ask later")

    def entries(self, path: str) -> Iterator[Entry] | None:
        raise Overloaded("ask later")


def test_overload_is_no_missing_file_on_a_mount() -> None:
    mounted = Mounted(Busy(), threads=1)
    for ask in (mounted.getattr, lambda path: mounted.open(path, 0)):
        with pytest.raises(OSError, match="ask later") as told:
            ask("/box/a")
        assert told.value.errno in {errno.EIO, errno.EAGAIN}
