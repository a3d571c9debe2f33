"""Admission: which requests are worked at now, which wait, and which are told to come back.

Small work is never refused. Work begins as small; where it is about to take more memory than that (see
``diascope.work``) it is given up before it has taken it, and begins again in a lane whose memory is bounded.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from diascope.access.turns import Turns
from diascope.errors import Overloaded, TooLarge
from diascope.work import Gone, Larger, Task, done

T = TypeVar("T")

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

PATIENCE = 0.05
"""Seconds after which it is watched whether a client is still there."""

ATTEMPTS = 8
"""How often work begins anew: it may have waited for what another request was making, and then gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is done at once."""

    threads: int = 2
    small: int = 32 << 20
    """Bytes of memory that every request may take."""
    memory: int = 2 << 30
    """Bytes that all larger ones may take together."""
    waiting: int = 128
    """How many larger ones wait before more of them are refused."""
    seconds: float = 60.0
    """How long a larger one waits."""
    client: int = 0
    """How many requests of one client are under way; 0 is any number."""
    key: int = 0
    """The same of all clients with one key."""


@dataclass(slots=True, eq=False)
class Job:
    """A piece of work that is waited for."""

    ticket: Ticket
    action: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


class Threads:
    """Threads that are started when they are first needed, and take jobs in turn."""

    def __init__(self, name: str, most: int) -> None:
        self.name, self.most = name, most
        self.busy = 0
        self._started = 0
        self._jobs: SimpleQueue[tuple[Job, Callable[[Job, Any, BaseException | None], None]]] = SimpleQueue()

    @property
    def has_room(self) -> bool:
        return self.busy < self.most

    def start(self, job: Job, finish: Callable[[Job, Any, BaseException | None], None]) -> None:
        """Have a job done; ``finish`` is called in the loop that it came from."""
        self.busy += 1
        if self.busy > self._started:
            Thread(target=self._serve, name=f"{self.name}-{self._started}", daemon=True).start()
            self._started += 1
        self._jobs.put((job, finish))

    def _serve(self) -> None:
        while True:
            job, finish = self._jobs.get()
            result, trouble = None, None
            try:
                result = done(job.ticket.task, job.action)
            except BaseException as error:  # noqa: BLE001  # it is raised where it is waited for
                trouble = error
            with suppress(RuntimeError):  # of a loop that has ended meanwhile
                job.loop.call_soon_threadsafe(finish, job, result, trouble)
            del job, finish, result, trouble


class Lane:
    """Jobs that wait for a thread, and those that have one."""

    def __init__(self, threads: Threads, memory: int) -> None:
        self.threads = threads
        self.memory = memory
        self.taken = 0
        """Bytes that tickets hold."""
        self.waiting: Turns[Job] = Turns()

    def add(self, job: Job) -> None:
        """Do it when it is its turn."""
        self.waiting.add(job.ticket.client, job)
        self.fill()

    def drop(self, job: Job) -> bool:
        """Do it no more; whether it had not begun."""
        if not self.waiting.remove(job.ticket.client, job):
            return False
        job.ticket.is_running = False
        self.fill()
        return True

    def fill(self) -> None:
        """Begin what there is room for, in turn: whoever waits for much memory is not overtaken for ever."""
        while self.threads.has_room and (job := self.waiting.first()) is not None:
            more = max(job.ticket.need - job.ticket.held, 0)
            if more and self.taken + more > self.memory:
                return
            self.waiting.take()
            self.taken += more
            job.ticket.held += more
            self.threads.start(job, self._finished)

    def _finished(self, job: Job, result: Any, trouble: BaseException | None) -> None:
        self.threads.busy -= 1
        job.ticket.is_running = False
        if job.future.done():  # nobody waits for it
            job.ticket.leave()
        elif trouble is not None and not isinstance(trouble, Larger | Gone):
            job.future.set_exception(trouble)
        else:
            job.future.set_result(trouble or result)
        self.fill()


@dataclass(slots=True, eq=False)
class Ticket:
    """A request, from when it comes to when the last byte of its answer is sent."""

    admission: Admission
    client: str
    task: Task
    need: int = 0
    """Bytes that its work needs, nothing where it is small."""
    held: int = 0
    """Bytes of those of larger work that are its own."""
    is_running: bool = False
    is_left: bool = False
    key: str = ""
    """That its client has proven to have."""

    async def run(self, action: Callable[[], T], receive: Receive | None = None) -> T:
        """The result of an action that is done in a thread, from its beginning again where it turns out to be larger.

        Raises Overloaded where it would have to wait too long, TooLarge where it never fits, and Gone once ``receive``
        tells that the client has left.
        """
        for _ in range(ATTEMPTS):
            result: T | Larger | Gone = await self.admission.finished(self, action, receive)
            if self.task.is_gone:
                raise Gone
            if isinstance(result, Larger):
                self.keep(0)  # lest two wait for what the other one has
                self.need = max(self.need, self.admission.rounded(result.nbytes))
                self.task.allowed = max(self.task.allowed, self.need)
            elif not isinstance(result, Gone):
                return result
        raise Overloaded("what others are making at the same time was given up again and again")

    def keep(self, nbytes: int) -> None:
        """No more than so many bytes are held from now on."""
        if self.held > nbytes:
            self.admission.large.taken -= self.held - nbytes
            self.held = nbytes
            self.admission.large.fill()

    def unbounded(self) -> None:
        """From now on work that cannot begin again claims what it wants: it is bounded otherwise."""
        self.task.allowed = max(self.task.allowed, self.admission.limits.memory)

    def abandon(self) -> None:
        """Nobody waits for it any more."""
        self.task.is_gone = True

    def leave(self) -> None:
        """The request is over."""
        if self.is_running:  # until it notices it holds what it has taken
            self.task.is_gone = True
        elif not self.is_left:
            self.is_left = True
            self.keep(0)
            self.admission.left(self)


class Admission:
    """The lanes of a server; all of it belongs to one event loop."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.small = Lane(Threads("diascope", limits.threads), 0)
        self.large = Lane(Threads("diascope-large", max(1, limits.threads // 2)), limits.memory)
        self.refused: Counter[str] = Counter()
        """How many were, by reason."""
        self.vanished = 0
        """How many clients left before they had an answer."""
        self.clients: Counter[str] = Counter()
        """How many requests are under way."""
        self.keys: Counter[str] = Counter()
        self._lock = Lock()

    def ticket(self, client: str) -> Ticket:
        """Admits a request; raises Overloaded where its client has too many under way."""
        if 0 < self.limits.client <= self.clients[client]:
            self.refused["client"] += 1
            raise Overloaded(f"{self.limits.client} requests of this client are under way already (client_requests)")
        self.clients[client] += 1
        ticket = Ticket(self, client, Task(self.limits.small))
        if self.limits.key:
            ticket.task.named = partial(self._named, ticket)
        return ticket

    def _named(self, ticket: Ticket, key: str) -> None:
        """Called by the thread that works for it; raises Overloaded where all with its key have too much under way."""
        with self._lock:
            if ticket.key or ticket.is_left:
                return
            if self.keys[key] >= self.limits.key:
                self.refused["key"] += 1
                raise Overloaded(f"{self.limits.key} requests with this key are under way already (key_requests)")
            ticket.key = key
            self.keys[key] += 1

    def left(self, ticket: Ticket) -> None:
        """A request is over."""
        self.clients[ticket.client] -= 1
        if not self.clients[ticket.client]:
            del self.clients[ticket.client]
        with self._lock:
            if ticket.key:
                self.keys[ticket.key] -= 1

    def rounded(self, nbytes: int) -> int:
        """So many bytes or some more, lest work that claims ever more begins ever anew.

        Raises TooLarge where so many are never free.
        """
        if nbytes > self.limits.memory:
            self.refused["size"] += 1
            raise TooLarge(
                f"about {nbytes} bytes of memory are needed; the limit is {self.limits.memory} (work_memory)"
            )
        return min(1 << (nbytes - 1).bit_length(), self.limits.memory)

    async def finished(self, ticket: Ticket, action: Callable[[], T], receive: Receive | None) -> T | Larger | Gone:
        """The result of one attempt, or why it is to begin again; raises Overloaded, and Gone."""
        loop = asyncio.get_running_loop()
        job = Job(ticket, action, loop, loop.create_future())
        lane = self.large if ticket.need else self.small
        timer = None
        if ticket.need:
            self._check_room()
            timer = loop.call_later(self.limits.seconds, self._too_long, job)
        ticket.is_running = True
        lane.add(job)
        watch = Watch(job, receive)
        try:
            result: T | Larger | Gone = await job.future
        except (Gone, asyncio.CancelledError):
            self.vanished += 1
            ticket.task.is_gone = True
            lane.drop(job)
            raise
        finally:
            watch.end()
            if timer is not None:
                timer.cancel()
        return result

    def _check_room(self) -> None:
        if len(self.large.waiting) >= self.limits.waiting:
            self.refused["full"] += 1
            raise Overloaded(f"{self.limits.waiting} requests that take much memory are waiting already (work_waiting)")

    def _too_long(self, job: Job) -> None:
        if self.large.drop(job) and not job.future.done():
            self.refused["late"] += 1
            told = f"no memory was free for it for {self.limits.seconds:g} s (work_seconds)"
            job.future.set_exception(Overloaded(told))


class Watch:
    """Looks after some time whether the client of a job is still there."""

    def __init__(self, job: Job, receive: Receive | None) -> None:
        self._job, self._receive = job, receive
        self._task: asyncio.Task[None] | None = None
        self._timer = job.loop.call_later(PATIENCE, self._begin) if receive else None

    def _begin(self) -> None:
        self._task = self._job.loop.create_task(self._look())

    async def _look(self) -> None:
        await gone(self._receive)
        if not self._job.future.done():
            self._job.future.set_exception(Gone())

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()


async def gone(receive: Receive | None) -> None:
    """Returns once the client has closed the connection."""
    while receive is not None and (await receive())["type"] != "http.disconnect":
        pass
