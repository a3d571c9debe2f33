"""Rounds of requests to one server after another, each started anew, and what was found of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from .peers import Peers, Way
from .processes import Server, free_port, running
from .work import Pixels, Place, Work

CONNECTIONS = (1, 16)
ANSWERS = 20
"""How many times as often a place is asked for again, at most."""
BLOCK = 8
PATIENCE = 120
"""Seconds for what is not measured."""
Order = Callable[[list[str], int, float], dict[str, Any]]


class Wrong(Exception):
    """A server that answered with another picture, or not at all."""


class Phase(NamedTuple):
    """So many requests at once, of a round."""

    connections: int
    when: str
    requests: int
    cpu_ms: float
    """Of the server, for one request."""
    per_second: float
    p50_ms: float
    p99_ms: float
    client_share: float
    """Of a processor, that the client took."""
    load: float
    """Of the machine, by all that runs on it, when the phase began."""


class Round(NamedTuple):
    """All phases of a way to ask."""

    phases: list[Phase]
    peak: int


class Checked:
    """The sums of answers that were found right; what is known of what they show is shared by all servers."""

    def __init__(self, work: Work, way: Way, known: dict[Any, Pixels]) -> None:
        self.work = work
        self.way = way
        self.expected = way.expected or work.expected
        self.sums: dict[Place, int] = {}
        self.known = known

    def _expected(self, place: Place) -> Pixels:
        key = (self.expected, place)
        if key not in self.known:
            self.known[key] = _told(self.expected(place))
        return self.known[key]

    def check(self, server: Server, sums: dict[Place, int]) -> None:
        """Each answer is the right picture: it is asked for once more, and looked at, unless it was before."""
        connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
        for place, sum_ in sums.items():
            if self.sums.get(place) != sum_:
                self._look(connection, place, sum_)
                self.sums[place] = sum_
        connection.close()

    def _look(self, connection: HTTPConnection, place: Place, sum_: int) -> None:
        path = self.way.path(place)
        connection.request("GET", path)
        data = connection.getresponse().read()
        if crc32(data) != sum_:
            raise Wrong(f"{path} has two answers")
        pixels, expected = _told(self.work.decoded(data)), self._expected(place)
        if pixels.shape != expected.shape:
            raise Wrong(f"{path} is {pixels.shape} instead of {expected.shape}")
        off = float(np.abs(pixels - expected).mean())
        if off > self.work.loss:
            raise Wrong(f"{path} is off by {off:.2f} on average")


def _told(pixels: Pixels) -> Pixels:
    """Of pictures the means of blocks, which JPEG keeps where it loses what is fine."""
    if pixels.shape[-1] != 3:
        return pixels.astype(np.float32)
    height, width = (size // BLOCK for size in pixels.shape[:2])
    return np.asarray(pixels.reshape(height, BLOCK, width, BLOCK, 3).mean(axis=(1, 3), dtype=np.float32))


def measured(peers: Peers, work: Work, way: Way, checked: Checked, seconds: float) -> Round:
    """One round: half of the places over one connection, the others over many, and then again."""
    port = free_port()
    launch = peers.launch(way.server, port)
    log = peers.scratch / f"{way.server}.log"
    with running(launch.commands, port, log, launch.environment) as server, _client(port) as order:
        order([way.path(work.places[0])], 1, PATIENCE)
        if way.warming:
            order([way.warming(place) for place in work.places], 4, PATIENCE)
        server.settle()
        phases: list[Phase] = []
        sums: dict[Place, int] = {}
        for turn, connections in enumerate(CONNECTIONS):
            asked = Asked(server, order, way, connections, seconds)
            first, found = asked.phase(work.places[1 + turn :: len(CONNECTIONS)], "first")
            phases.append(first)
            sums |= found
            if work.is_repeated:
                phase, again = asked.phase(list(found) * ANSWERS, "again")
                phases.append(phase)
                if any(found[place] != sum_ for place, sum_ in again.items()):
                    raise Wrong(f"{way.server} has two answers for one address")
        peak = server.peak()
        checked.check(server, sums)
    return Round(phases, peak)


class Asked(NamedTuple):
    """A server, and how it is asked."""

    server: Server
    order: Order
    way: Way
    connections: int
    seconds: float

    def phase(self, places: list[Place], when: str) -> tuple[Phase, dict[Place, int]]:
        """What it cost, and the sum of each place's answer."""
        paths = [self.way.path(place) for place in places]
        load, before = os.getloadavg()[0], self.server.processor_seconds()
        got = self.order(paths, self.connections, self.seconds)
        spent, number = self.server.processor_seconds() - before, got["requests"]
        phase = Phase(
            connections=self.connections,
            when=when,
            requests=number,
            cpu_ms=spent / number * 1000,
            per_second=number / got["seconds"],
            p50_ms=got["p50"] * 1000,
            p99_ms=got["p99"] * 1000,
            client_share=got["client_seconds"] / got["seconds"],
            load=load,
        )
        return phase, {places[int(index)]: sum_ for index, (sum_, _) in got["sums"].items()}


@contextmanager
def _client(port: int) -> Iterator[Order]:
    """The process that asks."""
    command = [sys.executable, str(Path(__file__).with_name("client.py")), str(port)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]

        def order(paths: list[str], connections: int, seconds: float) -> dict[str, Any]:
            words = {"paths": paths, "connections": connections, "seconds": seconds}
            print(json.dumps(words), file=process.stdin, flush=True)
            line = process.stdout.readline()
            if not line:
                raise Wrong(process.stderr.read().strip()[-800:])
            found: dict[str, Any] = json.loads(line)
            return found

        try:
            yield order
        finally:
            process.stdin.close()
            process.wait(60)


def medians(rounds: list[Round]) -> list[dict[str, Any]]:
    """Of each phase, over all rounds."""
    found = []
    for same in zip(*(each.phases for each in rounds), strict=True):
        figures = {name: median(getattr(phase, name) for phase in same) for name in FIGURES}
        found.append(
            {
                "connections": same[0].connections,
                "when": same[0].when,
                **figures,
                "rounds": [phase._asdict() for phase in same],
            }
        )
    return found


FIGURES = ("requests", "cpu_ms", "per_second", "p50_ms", "p99_ms", "client_share", "load")
