"""Judges that run as programs of their own: asked a line, each answers a line of JSON and then the bytes of arrays.

One that is started once is asked many times, since starting one costs more than what it is asked.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from math import prod
from tempfile import TemporaryFile
from threading import Lock, Timer
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.judges.pixels import Rejected

PATIENCE = 120.0
"""Seconds for an answer."""


class Answer(NamedTuple):
    """What a program read."""

    facts: dict[str, Any]
    arrays: list[NDArray[Any]]


class Program:
    """A program that answers for as long as this one runs."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._command = list(command)
        self._environment = {**os.environ, **(environment or {})}
        self._running: subprocess.Popen[bytes] | None = None
        self._said = TemporaryFile()  # noqa: SIM115 — as long as the program runs
        self._lock = Lock()
        atexit.register(self._end)

    def _end(self) -> None:
        """It ends by itself once nobody can ask it any more."""
        if self._running:
            with suppress(subprocess.TimeoutExpired):
                self._running.communicate(timeout=5)
            self._running.kill()
        self._said.close()

    def asked(self, line: str) -> Answer:
        """What it read; raises Rejected with what it said where it refused, TimeoutExpired where it said nothing."""
        with self._lock:
            running = self._started()
            timer = Timer(PATIENCE, running.kill)
            timer.start()
            try:
                answer = self._answer(running, line)
            finally:
                late = not timer.is_alive()
                timer.cancel()
            if answer is None and late:
                raise subprocess.TimeoutExpired(self._command, PATIENCE)
            if answer is None:
                raise Rejected(f"it died: {self._last_words()}")
            return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._running is None or self._running.poll() is not None:
            # It ends by itself when its standard input is closed.
            self._running = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                env=self._environment,
            )
        return self._running

    def _answer(self, running: subprocess.Popen[bytes], line: str) -> Answer | None:
        """None where the program has ended."""
        assert running.stdin
        assert running.stdout
        running.stdin.write(f"{line}\n".encode())
        running.stdin.flush()
        head = running.stdout.readline()
        if not head:
            return None
        facts = json.loads(head)
        body = running.stdout.read(facts.pop("size", 0))
        if "error" in facts:
            raise Rejected(facts["error"])
        return Answer(facts, list(_arrays(facts.pop("arrays", []), body)))

    def _last_words(self) -> str:
        self._said.seek(0)
        return " ".join(self._said.read().decode(errors="replace").split())[-300:]


def _arrays(heads: list[dict[str, Any]], body: bytes) -> Iterator[NDArray[Any]]:
    at = 0
    for head in heads:
        dtype, count = np.dtype(head["dtype"]), prod(head["shape"])
        if len(body) < at + count * dtype.itemsize:
            raise Rejected(f"{len(body) - at} bytes of pixels for {head['shape']} of {dtype}")
        yield np.frombuffer(body, dtype, count, at).reshape(head["shape"])
        at += count * dtype.itemsize
