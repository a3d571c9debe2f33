"""One worker process, as the server sees it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

from diascope.isolation.channel import Broken, Channel, Message
from diascope.isolation.desk import Desk
from diascope.isolation.folder import Folder
from diascope.isolation.limits import Limits
from diascope.isolation.shared import SharedMemory
from diascope.isolation.trouble import checked
from diascope.settings import MEBIBYTE

SLICE = 0.05
"""Seconds between two looks at how a worker is doing."""

START = 60.0
"""Seconds until a worker is there, however busy the machine is."""

PATIENCE = 3.0
"""Seconds until a process is gone that was killed; one that waits for a disk may need longer, and is not waited for."""

KEPT = "HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TZ", "JAVA_HOME", "HDF5_PLUGIN_PATH"
"""The variables of the environment that a worker is given: others may hold secrets."""


class Ended(Exception):
    """A worker is no more, for this reason."""

    def __init__(self, reason: str, *, is_certain: bool) -> None:
        """It is certain to be the doing of what it was asked where no other dataset may have been the cause."""
        super().__init__(reason)
        self.is_certain = is_certain


class Process:
    """A worker; one thread at a time asks."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.desk = Desk()
        self.datasets: OrderedDict[int, None] = OrderedDict()
        """The keys of the datasets that are open in it, the one used last at the end."""
        self.unwanted: set[int] = set()
        """The keys of those among them that nobody holds any more."""
        self.used = monotonic()
        self.is_alive = True
        self.has_served: set[int] = set()
        self.memory = SharedMemory.created()
        self._folder = Folder()
        ours, theirs = socket.socketpair()
        ours.settimeout(SLICE)
        self._channel = Channel(ours, 0)
        try:
            with theirs:
                self._process = self._started(theirs.fileno())
        except BaseException:
            self._folder.remove()
            self.forget()
            raise

    def _started(self, descriptor: int) -> subprocess.Popen[bytes]:
        module = "diascope.isolation.worker"
        arguments = descriptor, self.memory.descriptor, self.limits.memory, os.getpid()
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", module, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(descriptor, self.memory.descriptor),
            env=_environment(self._folder.path),
            cwd=self._folder.path,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, message: Message, seconds: float | None = None) -> Message:
        """What it answers; raises what it tells of, and Ended where it does not answer any more.

        It may take so many seconds, by default those of its limits.
        """
        watch = _Watch(self, seconds or self.limits.seconds)
        try:
            self._channel.send(message, watch=watch)
            answer = self._answer(watch)
        except EOFError:
            raise self._dead() from None
        except Broken as error:
            self.end()
            raise Ended(f"does not speak as agreed: it sent {error}", is_certain=False) from error
        except BaseException:
            self.end()  # it may be in the middle of an answer that nobody hears
            raise
        self.used = monotonic()
        return checked(answer)

    def greeted(self) -> bool:
        """Whether it is there, once it is, or will never be."""
        try:
            self._answer(_Watch(self, START))
        except (EOFError, Broken, Ended):
            self.end()
            return False
        except BaseException:
            self.end()
            raise
        return True

    def _answer(self, watch: _Watch) -> Message:
        """What it says when it has asked all that it has to ask."""
        while True:
            message, _ = self._channel.receive(watch)
            self.desk.drop(message.get("drop"))
            if isinstance(message.get("answer"), dict):
                return dict(message["answer"])
            start = monotonic()
            for reply, data in self.desk.replies(message.get("ask")):
                self._channel.send(reply, data, watch)
            # A slow network is not the reader's fault.
            watch.until += monotonic() - start + self.desk.leave()

    def _dead(self) -> Ended:
        """What a worker has come to that does not answer any more."""
        patience = monotonic() + PATIENCE
        while not self._has_ended() and monotonic() < patience:
            sleep(SLICE / 10)
        has_ended = self._has_ended()
        self.end()
        status = self._process.returncode
        if not has_ended or status is None:
            return Ended("closed its connection", is_certain=False)
        if status < 0:
            return Ended(f"crashed with {signal.Signals(-status).name}", is_certain=False)
        return Ended(f"ended with the status {status}", is_certain=False)

    def _has_ended(self) -> bool:
        """Without taking notice, so that its number is not given to another process before its children are ended."""
        if sys.platform != "linux":
            return self._process.poll() is not None
        with suppress(ChildProcessError):
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return True

    def held(self) -> int:
        """How many bytes of memory it has that are not those of a file."""
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        except OSError:
            return 0
        sizes = (line.split() for line in lines if line.startswith(("RssAnon:", "RssShmem:")))
        return sum(int(words[1]) << 10 for words in sizes)

    def end(self) -> None:
        """Kill it, and leave nothing behind; by the thread that asks, or when none does."""
        if not self.is_alive:
            return
        self.kill()
        self.forget()

    def kill(self) -> None:
        """Kill it and what it has started, with their files; whoever asks it just now is told that it is no more."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                Thread(target=self._process.wait, daemon=True).start()
        self._folder.remove()

    def forget(self) -> None:
        """Close what this process holds of it."""
        self.is_alive = False
        self._channel.close()
        self.memory.close()
        self._folder.forget()


class _Watch:
    """Looks at a worker while it is waited for, and ends it when it takes too much."""

    def __init__(self, process: Process, seconds: float) -> None:
        self._process = process
        self._seconds = seconds
        self._looked = monotonic()
        self.until = self._looked + seconds

    def __call__(self) -> None:
        now = monotonic()
        if now > self.until:
            raise Ended(f"took longer than {self._seconds:g} s", is_certain=True)
        if now - self._looked < SLICE:
            return
        self._looked = now
        most = self._process.limits.memory
        if self._process.held() > most:
            alone = len(self._process.has_served) < 2
            raise Ended(f"needed more memory than {most // MEBIBYTE} MiB", is_certain=alone)


def _environment(folder: str) -> dict[str, str]:
    """What a worker is told of where things are: modules are found as here, and its temporary files go with it."""
    places = os.pathsep.join(str(Path(place).absolute()) for place in sys.path if place)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    # There are as many workers as processors, so that none needs threads of its own.
    return kept | {"PYTHONPATH": places, "TMPDIR": folder, "OMP_NUM_THREADS": "1"}
