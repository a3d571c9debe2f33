"""One request and its answer, from the head of the one to the last byte of the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from time import perf_counter
from urllib.parse import quote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from diascope.access.admission import Admission, Ticket, gone
from diascope.access.answer import Answer, Asked, failed
from diascope.access.at_once import JOINED, Ready
from diascope.access.blocks import Blocks
from diascope.access.connections import HELD, SENT, TRANSPORT
from diascope.access.head import PREFLIGHT, encoded, is_framed, lines
from diascope.access.observability.identity import identity
from diascope.access.observability.observer import VANISHED, Observer, Request
from diascope.access.request import SAFE, Headers
from diascope.errors import DiascopeError, Overloaded
from diascope.haste import Wait, hastily
from diascope.work import Gone, Task, subject

BODY = "diascope.body"
"""Where a scope has the body that was read, None where it is too long."""

ID = "diascope.request"
"""Where a scope has the id of the request, for applications that are passed it."""

TICKET = "diascope.ticket"
"""And by which they have work done in the lanes."""

TRIED = "diascope.tried"
"""Where a scope says that there was no answer at once."""

Handler = Callable[[Asked], Answer]


@dataclass(slots=True, eq=False)
class Exchange:
    """What is answered by a handler in a thread, or by an application of its own, and noted."""

    observer: Observer
    admission: Admission
    door: str
    scope: Scope
    receive: Receive
    send: Send
    begun: float = field(default_factory=perf_counter)
    id: str = ""
    status: int = VANISHED
    """What was answered."""
    source: str = ""
    layout: str = ""
    """What it was about."""

    def ready(self, handler: Handler, headers: Headers) -> Ready | None:
        """What a handler answers at once, noted as sent; None where it has to be asked once more, by an application."""
        asked = _asked(self.scope, headers)
        answer = self._at_once(handler, asked)
        if answer is None:
            self.scope[TRIED] = True
            return None
        ready = _framed(answer, asked)
        if ready is not None:
            self.id, self.status = asked.id, ready.status
            self._note()
        return ready

    def _at_once(self, handler: Handler, asked: Asked) -> Answer | None:
        answer = _at_once(handler, asked)
        self.source, self.layout = subject()
        return answer

    async def handled(self, handler: Handler) -> None:
        """Answer what a handler answers."""
        asked = _asked(self.scope)
        self.id = asked.id
        if asked.method == "OPTIONS" and (BODY not in self.scope or "access-control-request-method" in asked.headers):
            await self._send_head(204, PREFLIGHT)
            await self.send({"type": "http.response.body", "body": b""})
            return
        at_once = None if TRIED in self.scope else self._at_once(handler, asked)
        if at_once is not None:
            await self._send(at_once)
            self._note()
            return
        try:
            ticket = self.admission.ticket(client_of(self.scope))
        except Overloaded as error:
            await self._send(handler(replace(asked, trouble=error)))
            self._note()
            return
        try:
            answer = await self._answer(ticket, handler, asked)
            sending = perf_counter()
            await self._send(answer, ticket)
            ticket.task.stages["send"] = perf_counter() - sending
        except Gone:
            self.status = VANISHED  # there is nobody to tell
        finally:
            ticket.leave()
            self._note(ticket.task)

    async def passed_on(self, application: ASGIApp) -> None:
        """Have an application of its own answer."""
        self.id = self.scope[ID] = identity(Headers(self.scope["headers"]).id)
        try:
            ticket = self.scope[TICKET] = self.admission.ticket(client_of(self.scope))
        except Overloaded as error:
            await self._send(failed(error, _asked(self.scope)))
            self._note()
            return

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", self.id.encode())]
                self.scope[HELD] = ticket.held
            await self.send(message)

        try:
            await application(self.scope, self.receive, watched)
        except Gone:
            self.status = VANISHED
        finally:
            ticket.leave()
            self._note(ticket.task)

    def _note(self, task: Task | None = None) -> None:
        """It is over; it is told of in the log where that is wanted."""
        seconds = perf_counter() - self.begun
        if task is not None:
            self.source, self.layout = task.source, task.layout
        self.observer.note(self.door, self.source, self.layout, self.status, seconds)
        if self.observer.is_told(seconds):
            method, path, client = self.scope["method"], quote(self.scope["path"], safe=SAFE), client_of(self.scope)
            stages = task.stages if task is not None else {}
            about = (self.source, self.layout, stages)
            self.observer.tell(Request(self.door, method, path, client, self.id, self.status, seconds, *about))

    async def _answer(self, ticket: Ticket, handler: Handler, asked: Asked) -> Answer:
        """What the door answers; what happened before it was asked it tells in its own words."""
        try:
            answer = await ticket.run(lambda: handler(asked), self.receive)
        except DiascopeError as error:
            return handler(replace(asked, trouble=error))
        except Exception as error:  # noqa: BLE001
            return failed(error, asked)
        held = len(answer.body) if isinstance(answer.body, bytes) else int(answer.headers.get("content-length", 0))
        ticket.keep(held)
        return answer

    async def _send(self, answer: Answer, ticket: Ticket | None = None) -> None:
        is_read = self.scope["method"] in {"GET", "HEAD"} or self.scope.get(BODY) is not None
        # A body that was not read to its end: what follows it on the connection would be taken for it.
        last = {} if is_read else {"connection": "close"}
        self.status = answer.status.value
        if isinstance(answer.body, bytes) and 0 < len(answer.body) <= JOINED and self.scope["method"] != "HEAD":
            transport = self.scope.get(TRANSPORT)
            if transport is not None:
                transport.hold()
        await self._send_head(self.status, answer.headers | last | {"x-request-id": self.id})
        if isinstance(answer.body, bytes):
            body = b"" if self.scope["method"] == "HEAD" else answer.body
            await self.send({"type": "http.response.body", "body": body})
        elif ticket is not None:
            await self._send_blocks(ticket, answer.body)

    async def _send_head(self, status: int, headers: dict[str, str]) -> None:
        await self.send({"type": "http.response.start", "status": status, "headers": encoded(headers)})

    async def _send_blocks(self, ticket: Ticket, blocks: Iterator[bytes]) -> None:
        """A body block by block, as long as the client is there.

        Trouble in the middle cuts the connection: the client sees that bytes are missing.
        """
        if not isinstance(blocks, Blocks):
            ticket.unbounded()
        leaving = asyncio.create_task(gone(self.receive))
        leaving.add_done_callback(lambda _: ticket.abandon())
        try:
            while not leaving.done() and (block := await ticket.run(lambda: next(blocks, None))) is not None:
                self.scope[SENT] = self.scope.get(SENT, 0) + len(block)
                self.scope[HELD] = ticket.held
                await self.send({"type": "http.response.body", "body": block, "more_body": True})
            await self.send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()


def client_of(scope: Scope) -> str:
    """Whose request it is, as far as can be told before anything of it is believed."""
    client = scope.get("client")
    return client[0] if client else ""


def _at_once(handler: Handler, asked: Asked) -> Answer | None:
    """What a handler answers by what is in memory; None where it has to be asked in a thread that may wait."""
    if asked.method not in {"GET", "HEAD"}:
        return None
    try:
        answer = hastily(lambda: handler(asked))
    except (Wait, Exception):  # noqa: BLE001  # an error is told of by the thread that comes upon it
        subject()
        return None
    return answer if isinstance(answer.body, bytes) else None


def _framed(answer: Answer, asked: Asked) -> Ready | None:
    """An answer as bytes; None where it does not say how long it is, or what a head cannot say."""
    status, is_head = answer.status.value, asked.method == "HEAD"
    body = b"" if is_head else answer.body
    if not isinstance(body, bytes) or not is_framed(answer.headers, None if is_head else len(body), status):
        return None
    head = lines(answer.headers | {"x-request-id": asked.id})
    return None if head is None else Ready(status, head, body)


def _asked(scope: Scope, headers: Headers | None = None) -> Asked:
    if headers is None:
        headers = Headers(scope["headers"])

    def url() -> str:
        host = headers.get("host") or ":".join(map(str, scope.get("server") or ("localhost",)))
        return f"{scope['scheme']}://{host}{quote(scope['path'], safe=SAFE)}"

    return Asked(scope["method"], url, headers, scope.get(BODY, b""), identity(headers.id))
