"""A server whose readers misbehave: the answer says so, and everything else is served on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import fsspec
import httpx
import numpy as np
import pytest
import zarr

from diascope.image.region import whole
from tests.isolation.misbehaving import SHAPE, pixels, written
from tests.isolation.test_pool import is_running
from tests.servers import of_folder

GRIEF = {"segfault": "SIGSEGV", "hang": "longer than 4 s", "bloat shared": "more memory than 300 MiB"}


@pytest.fixture(scope="module", autouse=True)
def _loops() -> None:
    """Of zarr and fsspec, which have sockets for ever."""
    zarr.zeros((1,))
    fsspec.filesystem("http")


def place(name: str, repository: str = "lab") -> str:
    return f"/data/{repository}/{quote(name)}/it/original/it.ome.zarr"


def test_bad_files_are_told_and_good_ones_served(workers, tmp_path) -> None:
    pool = workers(workers=2)
    folder = tmp_path / "lab"
    folder.mkdir()
    for k in range(3):
        written(folder / f"good{k}.mis", k)
    for how in GRIEF:
        written(folder / f"{how}.mis", read=how)
    live = of_folder(folder, reader_processes=2, reader_seconds=4.0, reader_memory=300 << 20)
    try:
        with ThreadPoolExecutor(12) as threads:
            bad = {how: threads.submit(told, live.url + place(f"{how}.mis")) for how in GRIEF}
            good = [threads.submit(check_good, live.url + place(f"good{k % 3}.mis"), k % 3) for k in range(9)]
            for how, answer in bad.items():
                assert GRIEF[how] in answer.result(), how
            for each in good:
                each.result()
        assert httpx.get(f"{live.url}/data/lab/").status_code == 200
        seen = len(pool.seen)
        for how, reason in GRIEF.items():
            assert reason in told(live.url + place(f"{how}.mis"))
        assert len(pool.seen) == seen
    finally:
        live.stop()


def test_a_file_that_could_not_be_opened_is_tried_again_later(workers, tmp_path) -> None:
    pool = workers()
    folder = tmp_path / "lab"
    folder.mkdir()
    written(folder / "bad.mis", open="segfault")
    live = of_folder(folder, reader_processes=2, quarantine_seconds=2.0)
    try:
        url = live.url + place("bad.mis")
        assert "SIGSEGV" in told(url)
        seen = len(pool.seen)
        assert "SIGSEGV" in told(url)
        assert len(pool.seen) == seen
        time.sleep(2.1)
        assert "SIGSEGV" in told(url)
        assert len(pool.seen) > seen
    finally:
        live.stop()


def check_good(url: str, seed: int) -> None:
    image = zarr.open_array(f"{url}/0", mode="r", zarr_format=3)
    assert np.array_equal(image[:], pixels(seed, whole(SHAPE)))


def told(url: str) -> str:
    """Why a chunk cannot be read: never as an absent one, nor by a mistake of the server's."""
    answer = httpx.get(f"{url}/0/c/0/0/0", timeout=60)
    assert answer.status_code == 502, answer.text
    return str(answer.json()["detail"])


def test_a_server_that_is_stopped_leaves_no_process(tmp_path) -> None:
    written(tmp_path / "it.mis", 4)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([sys.path[-1], str(Path(__file__).parents[2])])}
    command = [sys.executable, "-m", "diascope", "serve", "--port", "0", str(tmp_path)]
    for number in (signal.SIGTERM, signal.SIGKILL):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
            try:
                assert server.stdout
                url = server.stdout.readline().split()[-1]
                answer = httpx.get(f"{url}{place('it.mis', tmp_path.name)[1:]}/0/c/0/0/0", timeout=60)
                assert answer.status_code == 200
                readers = children(server.pid)
                assert readers
            finally:
                server.send_signal(number)
                server.wait(30)
        deadline = time.monotonic() + 10
        while any(map(is_running, readers)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not [pid for pid in readers if is_running(pid)]


def children(pid: int) -> list[str]:
    """The workers of a process."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [child for task in tasks for child in task.read_text().split()]
