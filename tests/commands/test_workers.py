"""Several processes on one port: what clients notice when one of them is killed, and when all are stopped."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import h5py
import numpy as np
import pytest
import tifffile
from pydantic import SecretStr

from diascope.commands.worker import read, spelled
from diascope.commands.workers import LONGEST, SHORTEST, SOON, Seat
from diascope.settings import RepositorySettings, Settings

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks at processes as Linux tells of them"),
]

CHUNK = "/data/images/small.tif/original/small.ome.zarr/0/c/0/0"
LARGE = "/data/images/large.tif/original/large.ome.tif"
ISOLATED = "/data/images/isolated.h5/original/pixels.ome.zarr/zarr.json"
CLIENTS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served") / "images"
    folder.mkdir()
    tifffile.imwrite(folder / "small.tif", np.arange(64 * 64, dtype=np.uint16).reshape(64, 64))
    tifffile.imwrite(folder / "large.tif", np.zeros((4096, 4096), np.uint16), tile=(256, 256))
    with h5py.File(folder / "isolated.h5", "w") as file:
        file["pixels"] = np.zeros((64, 64), np.uint16)
    return folder


class Served:
    """A server in processes of its own."""

    def __init__(self, folder: Path, errors: Path, **settings: str) -> None:
        self.errors = errors
        settings = {"slow_seconds": "0", **settings}  # on a busy machine all are slow, which is told of
        given = {f"DIASCOPE_{name.upper()}": value for name, value in settings.items()}
        with errors.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "diascope", "serve", str(folder), "--port", "0"],
                env={**os.environ, "DIASCOPE_INDEX_FOLDER": str(errors.parent / "index"), **given},
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        assert self.process.stdout is not None
        found = re.search(r":(\d+)/", self.process.stdout.readline())
        assert found, errors.read_text()
        self.port = int(found[1])

    @property
    def workers(self) -> list[int]:
        return [pid for pid in children(self.process.pid) if "diascope.commands.worker" in command(pid)]

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def wait(self) -> int:
        return self.process.wait(60)

    def end(self) -> None:
        found = descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        until(lambda: not any(map(is_alive, found)))


@pytest.fixture
def served(folder: Path, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    made: list[Served] = []

    def start(**settings: str) -> Served:
        made.append(Served(folder, tmp_path / "errors", **{"workers": "2", **settings}))
        wanted = int(settings.get("workers", "2"))
        until(lambda: len(made[-1].workers) == (wanted if wanted > 1 else 0))
        return made[-1]

    yield start
    for each in made:
        each.end()


def children(pid: int) -> list[int]:
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    return [each for child in children(pid) for each in (child, *descendants(child))]


def command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    return command(pid) != ""


def until(done: Callable[[], bool], seconds: float = 40.0) -> None:
    end = monotonic() + seconds
    while not done():
        assert monotonic() < end
        sleep(0.05)


def held_by(pid: int, port: int) -> set[int]:
    """The ports of the clients whose connections to a port a process has."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {row[9]: int(row[2].rpartition(":")[2], 16) for row in rows if int(row[1].rpartition(":")[2], 16) == port}
    links = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]  # noqa: PTH115
    return {inodes[number] for link in links if (number := link[len("socket:[") : -1]) in inodes} - {0}


class Client(Thread):
    """Reads one file again and again over one connection, and over another one where that is cut."""

    def __init__(self, served: Served, over: Event) -> None:
        super().__init__(daemon=True)
        self.served, self.over = served, over
        self.bodies: set[bytes] = set()
        self.statuses: set[int] = set()
        self.cut: list[int] = []
        """The ports of connections that were."""
        self.read = 0
        self.port = 0

    def run(self) -> None:
        connection = self.served.connection()
        while not self.over.is_set():
            try:
                connection.request("GET", CHUNK)
                assert connection.sock is not None
                self.port = connection.sock.getsockname()[1]
                answer = connection.getresponse()
                self.bodies.add(answer.read())
                self.statuses.add(answer.status)
                self.read += 1
            except (OSError, http.client.HTTPException):
                self.cut.append(self.port)
                connection.close()
        connection.close()


def test_who_is_not_served_by_a_worker_that_is_killed_notices_nothing(served: Callable[..., Served]) -> None:
    server = served()
    over = Event()
    clients = [Client(server, over) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    until(lambda: all(client.read > 5 for client in clients))
    killed, left = server.workers
    if not held_by(killed, server.port):
        killed, left = left, killed
    theirs = held_by(killed, server.port)
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(server.workers) == 2 and killed not in server.workers)
    reads = [client.read for client in clients]
    until(lambda: all(client.read > before + 5 for client, before in zip(clients, reads, strict=True)))
    over.set()
    for client in clients:
        client.join(30)
    cut = [port for client in clients for port in client.cut]
    assert theirs
    assert set(cut) <= theirs
    assert len(cut) == len(set(cut))
    assert {body for client in clients for body in client.bodies} == clients[0].bodies
    assert len(clients[0].bodies) == 1
    assert {status for client in clients for status in client.statuses} == {200}
    assert left in server.workers
    assert re.search(rf"worker \d \(process {killed}\) ended by SIGKILL", server.errors.read_text())


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_under_way_is_finished_when_the_server_is_stopped(served: Callable[..., Served], workers: str) -> None:
    server = served(workers=workers)
    asked = server.connection()
    asked.request("GET", LARGE)
    answer = asked.getresponse()
    assert answer.status == 200
    first = answer.read(1000)
    server.process.send_signal(signal.SIGTERM)
    until(lambda: refuses(server.port))
    assert server.process.poll() is None
    rest = answer.read()
    assert len(first + rest) == int(answer.headers["content-length"])
    asked.close()
    assert server.wait() == 0
    assert server.errors.read_text() == ""


def test_who_takes_too_long_is_not_waited_for(served: Callable[..., Served]) -> None:
    server = served(stop_seconds="1")
    asked = server.connection()
    asked.request("GET", LARGE)
    answer = asked.getresponse()
    assert answer.status == 200
    answer.read(1000)
    begun = monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.wait()
    assert monotonic() - begun < 10
    asked.close()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_ends_all_processes_quietly(served: Callable[..., Served], workers: str) -> None:
    server = served(workers=workers)
    asked = server.connection()
    asked.request("GET", ISOLATED)
    answer = asked.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()
    found = descendants(server.process.pid)
    assert len(found) > len(server.workers)  # one of them reads what is isolated
    for pid in (server.process.pid, *server.workers):  # as a terminal does
        os.kill(pid, signal.SIGINT)
    assert server.wait() == 0
    assert server.errors.read_text() == ""
    until(lambda: not any(map(is_alive, found)))
    assert refuses(server.port)
    asked.close()


def test_no_worker_outlives_the_process_that_started_it(served: Callable[..., Served]) -> None:
    server = served()
    found = descendants(server.process.pid)
    server.process.kill()
    until(lambda: not any(map(is_alive, found)))
    until(lambda: refuses(server.port))


def test_a_server_that_cannot_be_says_why_once(folder: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "diascope.toml"
    mapping.write_text('[arrangements.mine]\nmapping = "mapping.yaml"\nrepository = "nothing"\n')
    done = subprocess.run(
        [sys.executable, "-m", "diascope", "serve", str(folder), "--port", "0"],
        env={**os.environ, "DIASCOPE_WORKERS": "2", "DIASCOPE_CONFIG": str(mapping)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("which there is none") == 1
    assert "Traceback" not in done.stderr


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return True
    return False


def test_what_is_set_for_the_machine_is_divided() -> None:
    settings = Settings(workers=4, chunk_cache=1000, file_cache=0, threads=6, reader_processes=1)
    share = settings.of_worker()
    assert (share.chunk_cache, share.file_cache, share.threads, share.reader_processes) == (250, 0, 2, 1)
    assert settings.model_copy(update={"reader_cache": 16 << 20}).of_worker().reader_cache == 16 << 20
    assert share.reader_memory == settings.reader_memory


def test_settings_come_to_the_workers_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "diascope.toml").write_text("port = 1\n")
    monkeypatch.setenv("DIASCOPE_CONFIG", str(tmp_path / "diascope.toml"))
    monkeypatch.setenv("DIASCOPE_HOST", "elsewhere")
    repository = RepositorySettings(url="s3://bucket/a", credentials={"secret_access_key": SecretStr("open")})
    settings = Settings(
        host="here",
        port=2,
        repositories={"a": repository, "b": RepositorySettings(path=tmp_path)},
        s3_keys={"key": SecretStr("sesame")},
        index_folder=tmp_path,
    )
    (tmp_path / "diascope.toml").write_text("port = 3\nthreads = 77\n")
    assert read(spelled(settings)).model_dump() == settings.model_dump()


def delays_of(seat: Seat, times: int) -> list[float]:
    """How long nobody sits there after each of so many workers that end at once."""
    delays = []
    for _ in range(times):
        seat.process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
        seat.since = monotonic()
        seat.process.wait()
        assert "with status 3" in seat.ended()
        delays.append(seat.due - monotonic())
    return delays


def test_workers_that_fail_again_and_again_are_replaced_ever_more_slowly() -> None:
    delays = delays_of(Seat(0), 12)
    assert [round(delay, 1) for delay in delays] == sorted(round(delay, 1) for delay in delays)
    assert SHORTEST / 2 < delays[0] <= SHORTEST
    assert LONGEST - 1 < delays[-1] <= LONGEST


def test_workers_that_served_and_are_killed_again_and_again_are_replaced_soon() -> None:
    assert max(delays_of(Seat(0, is_ready=True), 12)) <= SOON
