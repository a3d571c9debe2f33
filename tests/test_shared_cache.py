"""Server processes that share what they encode: in a folder, and in a server that speaks Redis' protocol."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import numpy as np
import pytest
import tifffile

from diascope.tree.shelf import opened
from tests.judges.required import required

SIDE, TILE = 1024, 256
VIEW = "channels,low=0+0+0,high=60000+50000+40000,blend=true"
TILES = [f"{x}_{y}" for x in range(SIDE // TILE) for y in range(SIDE // TILE)]


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A folder with an image whose tiles take some milliseconds each."""
    folder = tmp_path / "lab"
    folder.mkdir()
    pixels = np.random.default_rng(7).integers(0, 65535, (3, SIDE, SIDE), np.uint16)
    tifffile.imwrite(
        folder / "it.ome.tif", pixels, tile=(TILE, TILE), compression="zlib", metadata={"axes": "CYX"}, ome=True
    )
    return folder


def spoil(lab: Path) -> None:
    """Exchange pixels without any sign of it: who decodes them from now on shows others."""
    path = lab / "it.ome.tif"
    before = path.stat()
    with tifffile.TiffFile(path) as tiff:
        places = [tuple(page.dataoffsets) for page in tiff.pages]
        sizes = [tuple(page.databytecounts) for page in tiff.pages]
    with path.open("r+b") as file:
        for starts, lengths in zip(places, sizes, strict=True):
            for start, length in zip(starts, lengths, strict=True):
                file.seek(start)
                file.write(bytes(length))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@contextmanager
def server(folder: Path, shared: str, *, stop: int = signal.SIGTERM) -> Iterator[str]:
    """The URL of a server process of the folder; ended by a signal."""
    environment = os.environ | {"DIASCOPE_SHARED_CACHE": shared, "DIASCOPE_THREADS": "2"}
    words = [sys.executable, "-m", "diascope", "serve", str(folder), "--port", "0"]
    with (folder.parent / "server.log").open("ab") as log, subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=log, text=True, env=environment, cwd=folder.parent
    ) as process:  # fmt: skip
        try:
            assert process.stdout
            yield process.stdout.readline().split()[-1].rstrip("/")
        finally:
            process.send_signal(stop)
            process.wait(30)


def answers(url: str, tiles: Sequence[str] = TILES) -> list[tuple[int, bytes]]:
    with httpx.Client(timeout=60, follow_redirects=True) as client:
        got = [client.get(f"{url}/data/lab/it.ome.tif/{VIEW}/it_files/10/{tile}.jpeg") for tile in tiles]
    return [(each.status_code, each.content) for each in got]


def wait_until(holds: Any, seconds: float = 20.0) -> None:
    end = monotonic() + seconds
    while not holds():
        assert monotonic() < end, "it never came to that"
        sleep(0.05)


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part"]


@pytest.mark.timeout(180)
def test_two_servers_share_a_folder_and_a_restart_finds_it_again(lab: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    with server(lab, str(shared)) as one:
        first = answers(one)
        assert {status for status, _ in first} == {200}
        wait_until(lambda: len(entries(shared)) >= len(TILES))
        spoil(lab)
        with server(lab, str(shared)) as two:
            assert answers(two) == first, "the second server takes what the first one made"
    for path in entries(shared):
        path.write_bytes(path.read_bytes()[:-1])
    with server(lab, str(shared)) as three:
        again = answers(three)
    assert {status for status, _ in again} in ({200}, {502})
    assert not {data for _, data in again} & {data for _, data in first}, "what is corrupted is not served"


@pytest.mark.timeout(180)
def test_a_server_killed_while_it_writes_leaves_nothing_wrong(lab: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    with server(lab, str(tmp_path / "other")) as url:
        right = answers(url)
    for count in (3, 9):
        with server(lab, str(shared), stop=signal.SIGKILL) as url:
            assert answers(url, TILES[:count]) == right[:count]
    for path in entries(shared):
        assert opened(path.name, path.read_bytes()) is not None
    with server(lab, str(shared)) as url:
        assert answers(url) == right


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def redis(folder: Path, port: int, *words: str) -> Iterator[None]:
    """A server that speaks Redis' protocol, with a password."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    required(None if program else "neither valkey-server nor redis-server is installed (tests/judges/install.sh)")
    command = [
        str(program),
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--requirepass",
        "geheim",
        "--save",
        "",
        *words,
    ]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
            yield
        finally:
            process.kill()
            process.wait(10)


def stored(port: int) -> Any:
    import redis as library

    return library.Redis.from_url(f"redis://:geheim@127.0.0.1:{port}/0", socket_timeout=5)


@pytest.mark.judge
@pytest.mark.timeout(180)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_two_servers_share_redis_and_go_on_when_it_dies(lab: Path, tmp_path: Path) -> None:
    port = free_port()
    address = f"redis://:geheim@127.0.0.1:{port}/0"
    with redis(tmp_path, port), closing(stored(port)) as client:
        with server(lab, address) as one:
            first = answers(one)
            assert {status for status, _ in first} == {200}
            wait_until(lambda: client.dbsize() >= len(TILES))
        keys = client.keys("*")
        assert all(key.startswith(b"diascope:") and client.ttl(key) > 0 for key in keys)
        unspoiled = (lab / "it.ome.tif").read_bytes()
        before = (lab / "it.ome.tif").stat()
        spoil(lab)
        with server(lab, address) as two:
            assert answers(two, TILES[:8]) == first[:8]
            (lab / "it.ome.tif").open("r+b").write(unspoiled)
            os.utime(lab / "it.ome.tif", ns=(before.st_atime_ns, before.st_mtime_ns))
            for key in keys:
                client.set(key, b"\x80\x04cposix\nsystem\n(S'true'\ntR." * 100)
            assert answers(two, TILES[8:12]) == first[8:12], "what a stranger wrote is no entry"
            client.shutdown(nosave=True)
            assert answers(two) == first, "it goes on without"
    log = (tmp_path / "server.log").read_text()
    assert "geheim" not in log
    assert log.count("it is gone on without") <= 2


@pytest.mark.judge
@pytest.mark.timeout(180)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_redis_that_is_full_is_still_read(lab: Path, tmp_path: Path) -> None:
    port = free_port()
    address = f"redis://:geheim@127.0.0.1:{port}/0"
    with redis(tmp_path, port), closing(stored(port)) as client:
        with server(lab, address) as one:
            first = answers(one, TILES[:4])
            wait_until(lambda: client.dbsize() >= 4)
        client.config_set("maxmemory", "1mb")
        client.config_set("maxmemory-policy", "noeviction")
        spoil(lab)
        with server(lab, address) as two:
            assert {status for status, _ in answers(two, TILES[4:])} <= {200, 502}
            assert answers(two, TILES[:4]) == first
        assert client.dbsize() == 4


@pytest.mark.timeout(120)
def test_a_disk_that_is_full_is_no_error(lab: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", shared], capture_output=True, check=False
    )
    required(None if mounted.returncode == 0 else "a small file system can be mounted by root only")
    try:
        with server(lab, str(shared)) as url:
            got = answers(url)
            assert {status for status, _ in got} == {200}
            assert answers(url) == got
        assert all(opened(path.name, path.read_bytes()) is not None for path in entries(shared))
    finally:
        subprocess.run(["umount", shared], check=True)
    assert "No space left" in (tmp_path / "server.log").read_text()
