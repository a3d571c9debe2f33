"""A server that is not spared: mixed traffic, clients that vanish, files that change, processes that are killed.

Every answer is checked, and what the processes hold stays level. ``DIASCOPE_STEADY_SECONDS`` says how long it takes:
two minutes with CI=true, less elsewhere, half an hour or a night on demand.
"""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any, NamedTuple

import pytest
import urllib3

from tests.changing_files import ALL, Changing
from tests.judges.required import in_ci
from tests.soak.clients import Impolite, Judging
from tests.soak.server import Held, descendants, held, serving, words_of
from tests.soak.still import Still
from tests.test_changing_soak import REFRESH, Client, changed

STEADY = float(os.environ.get("DIASCOPE_STEADY_SECONDS", "120" if in_ci() else "30"))
CALM = 3.0
"""So much more seldom files change here than where nothing else happens."""
KILLED = 3.0
"""Seconds after a kill within which a connection may be cut off."""
LATER = 5.0
"""Seconds between two kills."""


class Bounds(NamedTuple):
    """The most that processes hold."""

    processes: int
    files: int
    threads: int
    memory: int


MOST = Bounds(processes=8, files=450, threads=40, memory=700 << 20)
"""The one that starts the others, two workers, their readers; some 400 MiB for a worker, and what it may keep."""

SETTINGS = {
    "DIASCOPE_REFRESH_SECONDS": str(REFRESH),
    "DIASCOPE_CHUNK_CACHE": "16000000",
    "DIASCOPE_FILE_CACHE": "16000000",
    "DIASCOPE_WORKERS": "2",
    "DIASCOPE_READER_PROCESSES": "2",
    "DIASCOPE_QUARANTINE_SECONDS": "0",
}

pytestmark = pytest.mark.timeout(STEADY + 300)


class Killer(Thread):
    """Kills a process of the server now and then, in the midst of whatever it does."""

    def __init__(self, process: int, over: Event) -> None:
        super().__init__(daemon=True)
        self.process, self.over = process, over
        self.random = random.Random(3)  # noqa: S311
        self.at: list[float] = []
        self.whom: Counter[str] = Counter()

    def run(self) -> None:
        while not self.over.wait(LATER):
            victims = [pid for pid in descendants(self.process) if "diascope" in words_of(pid)]
            if victims:
                self.kill(self.random.choice(victims))

    def kill(self, pid: int) -> None:
        self.whom["reader" if "isolation" in words_of(pid) else "worker"] += 1
        self.at.append(monotonic())
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def since(self, begun: float) -> bool:
        """Whether one was killed while or shortly before something took place that began then."""
        return any(at > begun - KILLED for at in list(self.at))


class Cutouts(Client):
    """Reads what changes; a connection may be cut off by a kill, and a reader that was killed is told of."""

    killer: Killer

    def ask(self, file: Changing) -> None:
        begun = monotonic()
        try:
            super().ask(file)
        except urllib3.exceptions.HTTPError:
            if not self.killer.since(begun):
                raise
            self.statuses[file.name, 0] += 1
        if self.wrong and "was read when" in self.wrong[-1] and self.killer.since(begun):
            self.wrong.pop()


def test_nothing_is_wrong_and_nothing_grows_whatever_happens(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    files: list[Any] = [kind(tmp_path / "images") for kind in ALL]
    for file in files:
        file.calm = file.calm * CALM
    still, over = Still(tmp_path / "still"), Event()
    folders = [tmp_path / "images", tmp_path / "still"]
    with serving(folders, tmp_path / "log", SETTINGS) as (url, process):
        killer = Killer(process, over)
        judging: list[Judging] = [Judging(url, still, over, seed, killer.since) for seed in range(12)]
        cutouts = [Cutouts(url, files, over, seed) for seed in range(8)]
        for client in cutouts:
            client.killer = killer
        impolite = [Impolite(url, still, over, seed) for seed in range(4)]
        changers = [Thread(target=changed, args=(file, over, seed), daemon=True) for seed, file in enumerate(files)]
        threads: list[Thread] = [*judging, *cutouts, *impolite, *changers, killer]
        for thread in threads:
            thread.start()
        samples = watched(process, [*judging, *cutouts])
        over.set()
        for thread in threads:
            thread.join(90)
            assert not thread.is_alive(), f"{thread} hangs"
    told = (tmp_path / "log").read_text()
    wrong = [each for clients in (judging, cutouts) for client in clients for each in client.wrong]
    assert not wrong, "\n".join(wrong) + told[-3000:]
    assert "Traceback" not in told, told[-3000:]
    statuses = sum((client.statuses for client in judging), Counter())
    assert statuses["200"] + statuses["206"] > STEADY, statuses
    assert statuses["cut"] <= 16 * max(len(killer.at), 1), (statuses, killer.whom)
    assert all(client.times > STEADY / 4 for client in impolite)
    assert len(killer.at) > STEADY / LATER / 3
    judged_level(process, samples)


def watched(process: int, clients: list[Any]) -> list[dict[int, Held]]:
    """What the server holds from when it is warm to the end; ends early where a client has seen something wrong."""
    begun, samples = monotonic(), []
    while monotonic() < begun + STEADY and not any(client.wrong for client in clients):
        sleep(0.5)
        if monotonic() > begun + STEADY / 3:
            samples.append(held(process))
    return samples


def judged_level(process: int, samples: list[dict[int, Held]]) -> None:
    """None ever holds more than a process may, and the one that is never killed no more at the end than before."""
    assert max(map(len, samples)) <= MOST.processes
    for sample in samples:
        for held_now in sample.values():
            assert held_now.files <= MOST.files, samples[-1]
            assert held_now.threads <= MOST.threads, samples[-1]
            assert held_now.memory <= MOST.memory, samples[-1]
    early, late = samples[0][process], samples[-1][process]
    assert late.files <= early.files + 8, (early, late)
    assert late.threads <= early.threads + 4, (early, late)
    assert late.memory <= early.memory + (24 << 20), (early, late)
