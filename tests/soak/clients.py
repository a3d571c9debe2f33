"""Clients of a server that is not spared: those who judge each answer, those who vanish, those who are slow."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Callable
from threading import Event, Thread
from time import monotonic, sleep
from urllib.parse import quote, urlsplit

import urllib3

from tests.soak.still import Still

PATIENCE = 60
"""Seconds that an answer may take."""


class Judging(Thread):
    """Asks for images that stand still; whatever it gets is right, or told to come later, or cut off by a kill."""

    def __init__(self, url: str, still: Still, over: Event, seed: int, killed: Callable[[float], bool]) -> None:
        super().__init__(daemon=True)
        self.url, self.still, self.over, self.killed = url, still, over, killed
        self.random = random.Random(seed)  # noqa: S311
        self.http = urllib3.PoolManager(retries=False, timeout=PATIENCE)
        self.wrong: list[str] = []
        self.statuses: Counter[str] = Counter()
        self.slowest = 0.0

    def run(self) -> None:
        try:
            while not self.over.is_set() and not self.wrong:
                self.ask()
        except Exception as error:  # noqa: BLE001 - what ends a client ends the test
            self.wrong.append(repr(error))

    def ask(self) -> None:
        asked = self.still.asked(self.random)
        headers = {"range": f"bytes={asked.range[0]}-{asked.range[1] - 1}"} if asked.range else {}
        begun = monotonic()
        try:
            answer = self.http.request("GET", f"{self.url}/data/still/{quote(asked.path)}", headers=headers)
        except urllib3.exceptions.HTTPError as error:
            self.statuses["cut"] += 1
            if not self.killed(begun):
                self.wrong.append(f"{asked.path}: {error!r}, and nothing was killed")
            return
        self.slowest = max(self.slowest, monotonic() - begun)
        self.statuses[str(answer.status)] += 1
        if answer.status == 503:
            if "retry-after" not in answer.headers:
                self.wrong.append(f"{asked.path}: 503 without Retry-After")
            sleep(0.1)
        elif answer.status != (206 if asked.range else 200):
            self.wrong.append(f"{asked.path}: {answer.status} {answer.data[:300]!r}")
        elif wrong := asked.wrong(answer.data):
            self.wrong.append(f"{asked.path}: {wrong}")


class Impolite(Thread):
    """Goes away before it has its answer, or takes it a few bytes at a time, or never ends its request."""

    def __init__(self, url: str, still: Still, over: Event, seed: int) -> None:
        super().__init__(daemon=True)
        self.host, self.port = urlsplit(url).hostname or "", urlsplit(url).port or 0
        self.still, self.over = still, over
        self.random = random.Random(seed)  # noqa: S311
        self.times = 0

    def run(self) -> None:
        while not self.over.is_set():
            try:
                with socket.create_connection((self.host, self.port), timeout=10) as connection:
                    self.visit(connection)
            except OSError:
                sleep(0.05)  # it was this worker that was killed
            self.times += 1

    def visit(self, connection: socket.socket) -> None:
        path = self.random.choice([self.still.asked(self.random).path, "brain.ome.zarr/original/brain.ome.tif"])
        request = f"GET /data/still/{quote(path)} HTTP/1.1\r\nhost: {self.host}\r\n\r\n".encode()
        manner = self.random.choice(["gone", "early", "slow", "half"])
        connection.sendall(request[: len(request) // 2] if manner == "half" else request)
        if manner == "early":
            connection.recv(100)
        if manner == "slow":
            for _ in range(20):
                connection.recv(64)
                self.over.wait(0.05)
        if manner == "half":
            self.over.wait(0.2)
