"""What is noted of every request: counts for metrics, and a line in the log where that is wanted or it was slow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from diascope.access.admission import Admission
from diascope.access.connections import Connections
from diascope.access.observability.answers import Answers
from diascope.access.observability.process import process
from diascope.access.observability.samples import Samples
from diascope.access.observability.shared import Folder, Told

REQUESTS = logging.getLogger("diascope.requests")

EVERY = 1.0
"""Seconds between two writings of what this process tells the others."""

VANISHED = 499
"""The status of a request whose client left before it was answered, as nginx has it; nobody is sent it."""


class Request(NamedTuple):
    """A request that is over."""

    door: str
    method: str
    path: str
    """Percent-encoded, without the query, which may be a signature."""
    client: str
    id: str
    status: int
    seconds: float
    source: str = ""
    layout: str = ""
    stages: Mapping[str, float] = {}


@dataclass(slots=True)
class Observer:
    """Notes requests in the thread of the event loop."""

    log_requests: bool = False
    """Whether each of them has a line in the log."""
    slow_seconds: float = 0.0
    """Those that took longer have one with the times of their stages; 0 is none."""
    condition: Callable[[], Samples] = dict
    """What the rest of the house tells of itself."""
    folder: Folder | None = None
    """Where the processes of one server tell one another their numbers."""
    admission: Admission | None = None
    connections: Connections | None = None
    answers: Answers = field(default_factory=Answers)
    _writing: asyncio.Task[None] | None = None

    def note(self, door: str, source: str, layout: str, status: int, seconds: float) -> None:
        """One more request is over."""
        self.answers.note(door, source, layout, status, seconds)
        if self.folder is not None and self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    def is_told(self, seconds: float) -> bool:
        """Whether a request that took so long has a line in the log."""
        return self.log_requests or 0 < self.slow_seconds <= seconds

    def tell(self, request: Request) -> None:
        """Write the line."""
        is_slow = 0 < self.slow_seconds <= request.seconds
        stages = {name: round(seconds, 4) for name, seconds in request.stages.items() if seconds >= 0.0001}
        extra = {
            "request": request.id,
            "client": request.client,
            "door": request.door,
            "status": request.status,
            "seconds": round(request.seconds, 4),
            "source": request.source,
            "layout": request.layout,
            "stages": stages if is_slow else None,
        }
        level = logging.WARNING if is_slow else logging.INFO
        REQUESTS.log(level, "%s%s %s", "slow: " if is_slow else "", request.method, request.path, extra=extra)

    def told(self) -> Told:
        """What this process tells now."""
        samples = process() | self.condition()
        if self.admission is not None:
            samples |= lanes(self.admission)
        if self.connections is not None:
            samples |= clients(self.connections)
        name = self.folder.process if self.folder else "1"
        return Told(name, dict(self.answers.series), samples)

    def tellings(self) -> list[Told]:
        """What all processes of the server tell."""
        return [self.told(), *(self.folder.others() if self.folder else ())]

    async def _write(self) -> None:
        """Tell the others soon; until then more may be told."""
        await asyncio.sleep(EVERY)
        self._writing = None
        self.write()

    def write(self) -> None:
        """Tell the others now."""
        if self.folder is not None:
            with suppress(OSError):  # of a folder that is gone because the server is about to end
                self.folder.write(self.told())


def clients(connections: Connections) -> Samples:
    """How many are connected, and what they have yet to take."""
    samples: Samples = {
        ("diascope_connections", ""): len(connections.open),
        ("diascope_unsent_bytes", ""): connections.unsent,
    }
    for reason in ("full", "head", "resting", "slow", "stalled"):
        samples["diascope_cut", reason] = connections.cut[reason]
    return samples


def lanes(admission: Admission) -> Samples:
    """What is worked at, what waits, and what was refused."""
    samples: Samples = {
        ("diascope_work_memory_bytes", ""): admission.large.taken,
        ("diascope_work_memory_limit_bytes", ""): admission.limits.memory,
        ("diascope_vanished", ""): admission.vanished,
    }
    for name, lane in (("small", admission.small), ("large", admission.large)):
        samples["diascope_work_running", name] = lane.threads.busy
        samples["diascope_work_waiting", name] = len(lane.waiting)
    for reason in ("client", "key", "full", "late", "size"):
        samples["diascope_refused", reason] = admission.refused[reason]
    return samples
