"""The soak: thirty-two clients read files that are replaced, written to, cut, deleted and appended to.

No pixel is wrong, no answer is trouble but where there is some, a change is seen in time, and nothing is leaked.
``DIASCOPE_SOAK_SECONDS`` says how long it takes: a minute with CI=true, less elsewhere, a night on demand.
"""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import numpy as np
import pytest
import urllib3

from tests.changing_files import ABSENT, ALL, BROKEN, Changing
from tests.judges.required import in_ci

SOAK = float(os.environ.get("DIASCOPE_SOAK_SECONDS", "60" if in_ci() else "20"))
CLIENTS = 32
REFRESH = 0.5
LATE = 4.0
"""So long after the configured time a change is seen at the latest, on a machine that does many things."""
MOST_PARTS = 300
"""Files of images that are made of many, whose number grows while the soak goes on."""
PAUSE = 0.15
"""Between two changes of one file."""

pytestmark = pytest.mark.timeout(SOAK + 240)


class Client(Thread):
    """Asks for cutouts at random, and again for what it has, and judges every answer."""

    def __init__(self, url: str, files: list[Changing], over: Event, seed: int) -> None:
        super().__init__(daemon=True)
        self.url, self.files, self.over = url, files, over
        self.random = random.Random(seed)  # noqa: S311
        self.http = urllib3.PoolManager(retries=False, timeout=60)
        self.had: dict[str, tuple[str, bytes]] = {}
        self.wrong: list[str] = []
        self.statuses: Counter[tuple[str, int]] = Counter()

    def run(self) -> None:
        try:
            while not self.over.is_set() and not self.wrong:
                self.ask(self.random.choice(self.files))
        except Exception as error:  # noqa: BLE001 - what ends a client ends the test
            self.wrong.append(repr(error))

    def ask(self, file: Changing) -> None:
        ranges = file.query(self.random)
        asked = "&".join(f"{axis}={text}" for axis, text in ranges.items())
        url = f"{self.url}/api/cutout/images/{file.name}?{asked}"
        etag, kept = self.had.get(url, ("", b""))
        begun = monotonic()
        answer = self.http.request("GET", url, headers={"if-none-match": etag} if etag else {})
        possible = file.possible(begun - REFRESH - LATE, monotonic())
        self.statuses[file.name, answer.status] += 1
        if answer.status in {200, 304}:
            data = kept if answer.status == 304 else answer.data
            self.had = {url: (answer.headers.get("etag", ""), data)}
            self.judge(file, np.load(io.BytesIO(data)), ranges, possible)
        elif not may_be(answer.status, possible):
            self.wrong.append(f"{file.name}: {answer.status} {answer.data[:500]!r} where it was {possible}")
        elif answer.status == 503 and "retry-after" not in answer.headers:
            self.wrong.append(f"{file.name}: 503 without Retry-After")

    def judge(self, file: Changing, pixels: Any, ranges: dict[str, str], possible: set[int]) -> None:
        if wrong := file.wrong(pixels, ranges, possible):
            self.wrong.append(f"{file.name} {ranges}: {wrong}")


def may_be(status: int, possible: set[int]) -> bool:
    """Whether an answer without pixels may be, as the documentation says."""
    if status == 404:
        return ABSENT in possible
    # Whoever reads while a file changes is told to ask again.
    return (status == 502 and BROKEN in possible) or (status == 503 and len(possible) > 1)


def test_clients_see_no_wrong_pixel_whatever_happens_to_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    files: list[Changing] = [kind(folder) for kind in ALL]
    over = Event()
    with serving(folder, tmp_path) as (url, process):
        clients = [Client(url, files, over, seed) for seed in range(CLIENTS)]
        changers = [Thread(target=changed, args=(file, over, seed), daemon=True) for seed, file in enumerate(files)]
        for thread in (*clients, *changers):
            thread.start()
        early, late = watched(process, clients)
        over.set()
        for thread in (*clients, *changers):
            thread.join(90)
        wrong = [each for client in clients for each in client.wrong]
        assert not wrong, "\n".join(wrong)
        calm(url, files)
        assert (tmp_path / "log").read_text() == ""
    statuses = sum((client.statuses for client in clients), Counter())
    for file in files:
        assert file.version > SOAK / 4 / file.calm, f"{file.name} changed too seldom for a test"
        assert statuses[file.name, 200] > SOAK / 2, f"{file.name} was read too seldom for a test: {statuses}"
    assert late["files"] <= early["files"] + 24, (early, late)
    assert late["parts"] < MOST_PARTS, (early, late)
    assert late["threads"] <= early["threads"] + 4, (early, late)
    assert late["memory"] <= early["memory"] * 1.2 + (40 << 20), (early, late)


def changed(file: Changing, over: Event, seed: int) -> None:
    place = random.Random(seed)  # noqa: S311
    while not over.wait(PAUSE * file.calm * place.random() * 2):
        file.next(place)


def watched(process: int, clients: list[Client]) -> tuple[dict[str, int], dict[str, int]]:
    """What the server holds once it is warm, and at the end; ends early where a client has seen something wrong."""
    begun = monotonic()
    while monotonic() < begun + SOAK / 2 and not any(client.wrong for client in clients):
        sleep(0.1)
    early = held(process)
    most = early
    while monotonic() < begun + SOAK and not any(client.wrong for client in clients):
        sleep(0.1)
        if monotonic() > begun + SOAK * 0.9:
            most = held(process)
    return early, most


def held(process: int) -> dict[str, int]:
    proc = Path("/proc", str(process))
    fields = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
    parts = sum(is_part(link) for link in (proc / "fd").iterdir())
    return {
        "files": len(os.listdir(proc / "fd")) - parts,  # noqa: PTH208
        "parts": parts,
        "threads": int(fields["Threads"]),
        "memory": int(fields["VmRSS"].split()[0]) << 10,
    }


def is_part(link: Path) -> bool:
    """Whether an open file is one of many that make one image, of which a bounded number is open."""
    try:
        return any(f"/images/{folder}/" in os.readlink(link) for folder in ("sections", "series", "plate"))  # noqa: PTH115
    except OSError:
        return False


def calm(url: str, files: list[Changing]) -> None:
    """Once nothing changes any more, every file that is there is seen as it is, and as nothing else."""
    for file in files:
        if file.possible(monotonic(), monotonic()) & {ABSENT, BROKEN}:
            file.next(random.Random(0))  # noqa: S311
            while file.possible(monotonic(), monotonic()) & {ABSENT, BROKEN}:
                file.turn(file.version)
    sleep(REFRESH + 1)
    client = Client(url, files, Event(), 99)
    for file in files:
        ranges = file.query(client.random)
        asked = "&".join(f"{axis}={text}" for axis, text in ranges.items())
        answer = client.http.request("GET", f"{url}/api/cutout/images/{file.name}?{asked}")
        assert answer.status == 200, (file.name, answer.data)
        client.judge(file, np.load(io.BytesIO(answer.data)), ranges, file.possible(monotonic(), monotonic()))
    assert client.wrong == []


@contextmanager
def serving(folder: Path, scratch: Path) -> Iterator[tuple[str, int]]:
    """The URL, without a slash at its end, and the process of a server as a user starts it, with small caches."""
    small = {
        "DIASCOPE_REFRESH_SECONDS": str(REFRESH),
        "DIASCOPE_CHUNK_CACHE": "8000000",
        "DIASCOPE_FILE_CACHE": "8000000",
        # A busy machine is no trouble of the server's.
        "DIASCOPE_SLOW_SECONDS": "0",
    }
    words = [sys.executable, "-m", "diascope", "serve", str(folder), "--port", "0"]
    with (
        (scratch / "log").open("w") as log,
        subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True, env=os.environ | small) as process,
    ):
        try:
            assert process.stdout
            yield process.stdout.readline().split()[-1].rstrip("/"), process.pid
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
