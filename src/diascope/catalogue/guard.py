"""What stands before all reads of a dataset: every trouble is a clear error that names the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import TypeVar

from diascope.errors import Changed, DiascopeError, Unreadable, beneath
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.image.stored import stored_as, through
from diascope.sources.source import Source
from diascope.stores.store import Store
from diascope.work import Count, check, claim, timed

T = TypeVar("T")

decoded = Count()
"""How often stored pixels were read."""
passed = Count()
"""How often stored bytes were passed on unopened."""


@dataclass(frozen=True, slots=True)
class Guard:
    """Runs what reads a dataset of a version."""

    source: Source
    store: Store
    path: str
    version: str
    """Of what was opened."""
    changed: Callable[[str], None]
    """Called with the path where that is another one by now."""

    def run(self, action: Callable[[], T]) -> T:
        """The result of an action; raises Unreadable, and Changed where the file is another one by now."""
        try:
            return self._checked(timed("decode", lambda: clearly(self.path, action)))
        except Changed:
            self.changed(self.path)
            raise
        except Unreadable as error:
            if type(error) is not Unreadable or not self._is_another():
                raise
            self.changed(self.path)
            raise Changed(f"{self.path} was written to while it was read: {error}") from error

    def _checked(self, result: T) -> T:
        """A library that opens the file itself does not say that it was written to, and mixes what it reads."""
        if (self.source.is_isolated or self.source.needs_local_file) and self._is_another():
            raise Changed(f"{self.path} was written to while it was read")
        return result

    def _is_another(self) -> bool:
        try:
            return self.source.version(self.store, self.path) != self.version
        except DiascopeError:
            return False

    def guarded(self, level: Level) -> Level:
        """The same level, which gives the pixels that were asked for or an error."""

        def read_pixels(region: Region) -> Pixels:
            claim(2 * prod(region.shape) * level.dtype.itemsize)  # as stored and as pixels
            pixels = self.run(lambda: level.read_pixels(region))
            decoded.add()
            if pixels.shape != region.shape or pixels.dtype != level.dtype:
                raise Unreadable(
                    f"{self.path}: {region.shape} pixels of {level.dtype} were read as {pixels.shape} of {pixels.dtype}"
                )
            return pixels

        return stored_as(replace(level, read_pixels=read_pixels), level.stored and through(level.stored, self._passed))

    def _passed(self, action: Callable[[], T]) -> T:
        """What an action reads of chunks as they are stored."""
        check()
        stored = self.run(action)
        if stored is not None:
            passed.add()
        return stored


def clearly(path: str, action: Callable[[], T]) -> T:
    """The result of an action, every error of a reader's own being told as Unreadable with the file and the reason."""
    try:
        return action()
    except Exception as error:
        told = _told(path, beneath(error))
        if told is error:
            raise
        raise told from error


def _told(path: str, error: BaseException) -> BaseException:
    if isinstance(error, Unreadable):
        named = path.rpartition("/")[2] in str(error)
        return error if named else type(error)(f"{path}: {error}")
    if isinstance(error, DiascopeError):
        return error
    reason = " ".join(str(error).split())[:500]
    return Unreadable(f"{path}: {reason or 'it cannot be read'} ({type(error).__name__})")
