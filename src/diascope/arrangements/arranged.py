"""The tree of an arrangement: made at the first look, kept until what it was made of changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock, Thread
from time import monotonic
from typing import Any, NamedTuple

from diascope.arrangements.arrangement import Arrangement, Written, written
from diascope.arrangements.by_name import ByName
from diascope.arrangements.contents import Contents, Folder, Leaf, Link, Made, Trouble
from diascope.arrangements.seen import Seen
from diascope.document import LARGEST
from diascope.errors import BadRequest, DiascopeError, Malformed, NotFound, Unreadable, Unsupported
from diascope.haste import pause
from diascope.stores.store import Store
from diascope.tree.file import Entry, File, in_memory
from diascope.tree.order import entries_from

SHARE = 10
"""Of how many seconds one is spent on looking whether anything has changed, at the most."""
LONG = 0.1
"""Seconds for which whoever finds it due waits; where looking takes longer nobody does."""


class Outcome(NamedTuple):
    """What was made, or why it was not, and what it was made of."""

    text: bytes | None
    kind: str
    contents: Contents | DiascopeError
    seen: Seen


@dataclass(slots=True, kw_only=True)
class Arranged:
    """The files of the repositories as a mapping file arranges them."""

    tree: ByName
    store: Store
    """Where the mapping file lies."""
    path: str
    """Of the mapping file in its store."""
    name: str
    """Of the mapping file, as errors name it."""
    allowed: Callable[[], tuple[str, ...]]
    """The repositories that it may name."""
    refresh_seconds: float
    _outcome: Outcome | None = None
    _due: float = 0.0
    _took: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def file(self, path: str) -> File | None:
        leaf, target, rest = self._walked(path.removesuffix("/"))
        if leaf is None or isinstance(leaf, Folder):
            return None
        if isinstance(leaf, Link):
            return self._linked(leaf, target, rest + "/" * path.endswith("/"))
        return None if rest or path.endswith("/") or isinstance(leaf, Trouble) else _made(leaf, target)

    def entries(self, path: str) -> Iterator[Entry] | None:
        return self._listed(path, "", self.tree.entries)

    def entries_from(self, path: str, start: str) -> Iterator[Entry] | None:
        """As ``diascope.tree.order`` wants them."""
        return self._listed(path, start, lambda address: entries_from(self.tree, address, start))

    def _listed(self, path: str, start: str, linked: Callable[[str], Iterator[Entry] | None]) -> Iterator[Entry] | None:
        leaf, target, rest = self._walked(path)
        if isinstance(leaf, Folder):
            return leaf.entries_from(start)
        if not isinstance(leaf, Link) or not leaf.is_folder:
            return None
        address = self._address(leaf, target)
        entries = linked(_joined(address, rest))
        if entries is None and not rest:
            raise Unreadable(f"{target}: there is no folder at {address} any more")
        return entries

    @property
    def contents(self) -> Contents:
        """What is shown now; raises where nothing can be, as with a mapping file that is wrong."""
        made = self._current().contents
        if isinstance(made, DiascopeError):
            raise type(made)(*made.args)
        return made

    @property
    def kind(self) -> str:
        """The name of the kind of arrangement, empty where the mapping file does not say one."""
        return self._current().kind

    def read(self) -> tuple[Arrangement[Any], Written[Any]]:
        """What the mapping file says; raises Malformed and NotFound."""
        return written(self._text() or b"", self.name)

    def _walked(self, path: str) -> tuple[Folder | Leaf | None, str, str]:
        """What lies on the way along a path, its own path, and what is left behind it; raises for a trouble."""
        child: Folder | Leaf | None = self.contents.top
        names = path.split("/") if path else []
        for k, name in enumerate(names):
            if not isinstance(child, Folder):
                return child, "/".join(names[:k]), "/".join(names[k:])
            child = child.children.get(name)
            if isinstance(child, Trouble):
                raise child.kind(child.reason)
        return child, path, ""

    def _linked(self, link: Link, target: str, rest: str) -> File | None:
        address = self._address(link, target)
        if rest.strip("/") and not link.is_folder:
            return None
        file = self.tree.file(address + rest if rest == "/" else _joined(address, rest))
        if file is None and not rest and not link.is_folder:
            raise Unreadable(f"{target}: there is no file at {address} any more")
        return file

    def _address(self, link: Link, target: str) -> str:
        """Where a link leads; that there is nothing, or that a view does not fit, is trouble: the path is promised."""
        try:
            return self.tree.address(link.path, link.view, link.layout, link.suffix)
        except NotFound as error:
            raise Unreadable(f"{target}: {error}") from error
        except BadRequest as error:
            raise Unsupported(f"{target}: {error}") from error

    def _current(self) -> Outcome:
        """What was made last. One of those who find it due looks again, the others go on with what there is."""
        outcome = self._outcome
        if outcome is None:
            pause()
            with self._lock:
                return self._outcome or self._look()
        if monotonic() < self._due:
            return outcome
        pause()
        if not self._lock.acquire(blocking=False):
            return outcome
        if self.refresh_seconds and self._took > LONG:
            try:
                Thread(target=self._look_and_release, daemon=True).start()
            except RuntimeError:  # there are too many: whoever is next looks
                self._lock.release()
            return outcome
        return self._look_and_release()

    def _look_and_release(self) -> Outcome:
        try:
            return self._look()
        finally:
            self._lock.release()

    def _look(self) -> Outcome:
        start = monotonic()
        outcome = self._outcome = self._renewed(self._outcome)
        end = monotonic()
        self._took = end - start
        self._due = end + max(self.refresh_seconds, self._took * SHARE) if self.refresh_seconds else end
        return outcome

    def _renewed(self, before: Outcome | None) -> Outcome:
        seen = Seen(self.tree, self.allowed())
        kind = ""
        text: bytes | None = None
        try:
            text = self._text()
            if before and text == before.text and seen.allowed == before.seen.allowed and before.seen.same():
                return before
            arrangement, said = written(text or b"", self.name)
            kind = arrangement.name
            contents = arrangement.contents(seen, said)
            known = before is not None and text == before.text and isinstance(before.contents, Contents)
            if before and known and not seen.unread <= before.seen.unread:
                # What lies in a folder that cannot be read any more is not absent: looking there tells the trouble.
                return before
            contents.problems.extend(sorted(seen.unread))
            return Outcome(text, kind, contents, seen)
        except (NotFound, BadRequest) as error:
            # Whoever asks for a path is told of trouble: neither is it absent nor is the request wrong.
            return Outcome(text, kind, Malformed(f"{self.name}: {error}"), seen)
        except DiascopeError as error:
            return Outcome(text, kind, error, seen)

    def _text(self) -> bytes | None:
        """The bytes of the mapping file, one more than it may have where it is too large."""
        try:
            return self.store.open(self.path).read(0, LARGEST + 1)
        except NotFound as error:
            raise Unreadable(f"{self.name}: there is no such mapping file") from error


def problems(arranged: Arranged, *, deep: bool = True) -> Iterator[str]:
    """All that is wrong, a sentence each; ``deep`` looks up every file, which opens every image."""
    contents = arranged.contents
    yield from contents.problems
    for target, leaf in contents.leaves():
        if isinstance(leaf, Trouble):
            if leaf.reason not in contents.problems:
                yield leaf.reason
        elif deep:
            try:
                looked = arranged.entries(target) if leaf.is_folder else arranged.file(target)
            except DiascopeError as error:
                yield str(error) if target in str(error) else f"{target}: {error}"
            else:
                if looked is None:
                    yield f"{target}: there is nothing"


def _made(leaf: Made, target: str) -> File:
    try:
        data = leaf.make()
    except NotFound as error:
        raise Unreadable(f"{target}: {error}") from error
    except BadRequest as error:
        raise Unsupported(f"{target}: {error}") from error
    file = in_memory(data, leaf.media_type)
    return File(
        media_type=file.media_type,
        size=file.size,
        read=file.read,
        cheap=True,
        etag=sha256(f"{target}\0".encode() + data).hexdigest()[:32],
    )


def _joined(address: str, rest: str) -> str:
    return f"{address}/{rest}" if rest else address
