"""The connections of clients, and what no client may hold for long: a place, a head it never ends, an unread answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

EVERY = 0.5
"""Seconds between two looks at all connections."""

HEAD_SECONDS = 15.0
"""How long a client may take for the head of a request."""
HEAD_BYTES = 64 << 10
"""How long that may be."""

GRACE = 5.0
"""Seconds in which a client need not take its answer fast, however short memory is."""
SLOW = 256 << 10
"""Bytes a second; who takes more is never cut because memory is short."""

HELD = "diascope.held"
"""Where the scope of a request has how many bytes of memory are held until its answer is sent."""

SENT = "diascope.sent"
"""And how many bytes of it were handed to the connection so far, where it comes in blocks."""

TRANSPORT = "diascope.transport"
"""And a ``Joining``."""

REFUSED = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncache-control: no-store\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)
TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
TOO_LATE = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(slots=True)
class Connections:
    """All that a server has."""

    most: int = 4096
    """How many there are at once."""
    memory: int = 256 << 20
    """Bytes of answers that wait for their clients to take them, together; then the slowest clients are cut."""
    seconds: float = 60.0
    """How long a client may take nothing of its answer."""
    is_short: Callable[[], bool] = lambda: False
    """Whether others wait for the memory that is held for answers being sent."""
    open: set[Connection] = field(default_factory=set)
    cut: Counter[str] = field(default_factory=Counter)
    """How many were, by reason."""
    _looking: bool = False

    @property
    def unsent(self) -> int:
        """Bytes that clients have not taken yet."""
        return sum(each.unsent for each in self.open)

    def enter(self, connection: Connection) -> bool:
        """Whether there is room for one more, for which one that rests is closed."""
        if len(self.open) >= self.most and not self._make_room():
            self.cut["full"] += 1
            return False
        self.open.add(connection)
        if not self._looking:
            self._looking = True
            connection.loop.call_later(EVERY, self._look, connection.loop)
        return True

    def _make_room(self) -> bool:
        resting = next((each for each in self.open if each.is_resting), None)
        if resting is None:
            return False
        self.cut["resting"] += 1
        self.open.discard(resting)
        resting.transport.close()
        return True

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """As long as there are any."""
        self._looking = bool(self.open)
        if self._looking:
            loop.call_later(EVERY, self._look, loop)
        now = loop.time()
        for connection in [*self.open]:
            self._judge(connection, now)
        self._relieve(now)

    def _judge(self, connection: Connection, now: float) -> None:
        connection.measure(now)
        if connection.head_since is not None and now - connection.head_since > HEAD_SECONDS:
            self.cut["head"] += 1
            connection.end(TOO_LATE if connection.head_bytes else b"")
        elif connection.unsent and now - connection.moved > self.seconds:
            self.cut["stalled"] += 1
            connection.transport.abort()

    def _relieve(self, now: float) -> None:
        """Cut the slowest of those for whom memory is held that others need."""
        is_short = self.is_short()
        total = sum(each.unsent + each.held for each in self.open)
        if not is_short and total <= self.memory:
            return
        slow = [each for each in self.open if each.is_slow(now) and (each.unsent > SLOW or (is_short and each.held))]
        for connection in sorted(slow, key=lambda each: each.pace(now)):
            if total <= self.memory and not is_short:
                return
            total -= connection.unsent + connection.held
            self.cut["slow"] += 1
            connection.transport.abort()


class Joining:
    """A transport that can send the head of an answer together with its body: one call of the kernel, not two."""

    __slots__ = ("_head", "_is_held", "_transport")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._is_held = False
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """As the transport says, which is asked for every request."""
        return self._transport.is_closing()

    def hold(self) -> None:
        """What is written next goes with what is written after it, which must follow at once."""
        self._is_held = True

    def write(self, data: bytes) -> None:
        if self._is_held:
            self._is_held, self._head = False, data
            return
        if self._head:
            data, self._head = self._head + data, b""
        self._transport.write(data)


class Connection(HttpToolsProtocol):
    """A connection that is one of those of a server."""

    keeper: Connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.head_bytes = 0
        self.head_since: float | None = self.loop.time()
        """When the head of a request began, None where it has ended."""
        self.moved = self.head_since
        """When the client last took something of its answer."""
        self.begun: float | None = None
        """When it was first seen not to have taken all of it."""
        self.base = self.progress = 0
        """Bytes of the answer that it had taken then, and has now."""
        self.unsent = 0
        """Bytes that it has not taken yet."""
        super().connection_made(Joining(transport))  # type: ignore[arg-type]
        if not self.keeper.enter(self):
            self.end(REFUSED)

    def connection_lost(self, exc: Exception | None) -> None:
        self.keeper.open.discard(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.head_since is not None:
            self.head_bytes += len(data)
            if self.head_bytes > HEAD_BYTES:
                self.keeper.cut["head"] += 1
                self.end(TOO_LONG)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["diascope.transport"] = self.transport  # type: ignore[typeddict-unknown-key]
        self.head_since = self.loop.time()
        self.head_bytes = 0
        self.begun = None

    def on_headers_complete(self) -> None:
        self.head_since = None
        super().on_headers_complete()

    @property
    def is_resting(self) -> bool:
        """Whether it waits for a request after another one."""
        return self.cycle is not None and self.cycle.response_complete and self.head_since is None and not self.unsent

    @property
    def held(self) -> int:
        """Bytes of memory that are held for the answer besides those it waits to take."""
        return self._told(HELD)

    def _told(self, name: str) -> int:
        """What is told of the answer that is being sent."""
        is_under_way = self.cycle is not None and not self.cycle.response_complete
        told: int = self.cycle.scope.get(name, 0) if is_under_way else 0  # type: ignore[assignment]
        return told

    def measure(self, now: float) -> None:
        """Look at how much the client has taken."""
        unsent = self.transport.get_write_buffer_size()
        progress = self._told(SENT) - unsent
        if not unsent and not self.held:
            self.begun, self.moved = None, now
        elif self.begun is None:
            self.begun, self.base, self.moved = now, progress, now
        elif progress != self.progress:
            self.moved = now
        self.progress, self.unsent = progress, unsent

    def pace(self, now: float) -> float:
        """Bytes a second that the client takes."""
        return (self.progress - self.base) / max(now - (self.begun or now), EVERY)

    def is_slow(self, now: float) -> bool:
        """Whether it may be cut where memory is short."""
        return self.begun is not None and now - self.begun > GRACE and self.pace(now) < SLOW

    def end(self, answer: bytes) -> None:
        """Say a last word."""
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()
