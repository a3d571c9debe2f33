"""A server, of as many processes as it has: what it costs, and its end."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

PATIENCE = 60
SETTLING, IDLE = 60, 0.003
"""Quarters of a second that a server is waited for at most, and the seconds of CPU in one of them that are rest."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Server:
    """A running one."""

    def __init__(self, port: int, roots: Sequence[int]) -> None:
        self.port = port
        self.roots = roots

    def processes(self) -> list[int]:
        """Those that were started, and their children's children."""
        found, todo = [], list(self.roots)
        while todo:
            process = todo.pop()
            found.append(process)
            for task in Path(f"/proc/{process}/task").glob("*/children"):
                todo += map(int, task.read_text(encoding="ascii").split())
        return found

    def processor_seconds(self) -> float:
        """What all have used so far, in user and system mode, on all processors.

        From the scheduler's clock of each process, whose ticks are nanoseconds; those of /proc/*/stat are too coarse.
        """
        return sum(time.clock_gettime((~process << 3) | 2) for process in self.processes())

    def settle(self) -> None:
        """Wait until what was begun at the start, such as an index, is over: it is no part of any request."""
        for _ in range(SETTLING):
            before = self.processor_seconds()
            time.sleep(0.25)
            if self.processor_seconds() - before < IDLE:
                return

    def peak(self) -> int:
        """The most memory that each has had, together, in bytes."""
        return sum(_kilobytes(process, "VmHWM:") for process in self.processes()) * 1024


def _kilobytes(process: int, field: str) -> int:
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.partition(field)[2].split()[0])


@contextmanager
def running(
    commands: Sequence[Sequence[str]], port: int, log: Path, environment: Mapping[str, str]
) -> Iterator[Server]:
    """A server of some programs, from when it accepts connections until the block ends."""
    with ExitStack() as stack, log.open("wb") as output:
        processes = [stack.enter_context(_started(command, output, environment)) for command in commands]
        end = time.perf_counter() + PATIENCE
        while not _accepts(port):
            if time.perf_counter() > end or any(process.poll() is not None for process in processes):
                raise ChildProcessError(f"{commands[-1][0]} did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield Server(port, [process.pid for process in processes])


@contextmanager
def _started(
    command: Sequence[str], output: IO[bytes], environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
