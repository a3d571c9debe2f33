"""What an arrangement sees of the repositories while it is made, so that a refresh can tell whether it changed.

Everything that decides what is shown where is asked of ``Seen``: the files of a folder, the bytes of a table, an opened
image. A refresh asks the same again, and where all answers are the same the arrangement is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from diascope.arrangements.by_name import ByName
from diascope.arrangements.contents import Link
from diascope.catalogue.located import viewed
from diascope.catalogue.repository import Repository, What
from diascope.errors import DiascopeError, Forbidden, NotFound, TooLarge
from diascope.image.image import Image
from diascope.operations.view import View, view
from diascope.tree.file import File

MOST = 2_000_000
"""How many names of a repository are looked at."""
DEEPEST = 64
"""How deep folders are walked: links that are followed may lead in circles."""
NUMBER = re.compile(r"([0-9]+)")
OME = ".ome"


class Found(NamedTuple):
    """A file, or an image that is a folder."""

    path: str
    """Within the repository."""
    what: What
    is_folder: bool

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class Walked(NamedTuple):
    """What lies below a folder."""

    found: tuple[Found, ...]
    unread: frozenset[str]
    """Why folders in it could not be read, a sentence each."""


@dataclass(slots=True)
class Seen:
    """What may be seen, and what was asked."""

    tree: ByName
    allowed: tuple[str, ...]
    """The repositories that the mapping may name."""
    _asked: dict[Hashable, tuple[Callable[[], Any], Any]] = field(default_factory=dict)

    def repository(self, name: str | None) -> Repository:
        """The repository of this name, or the only one; raises Forbidden and NotFound where there is none to see."""
        if name is None:
            if len(self.allowed) != 1:
                raise NotFound(f"say which repository: there are {', '.join(self.allowed) or 'none'}")
            name = self.allowed[0]
        if name in self.allowed:
            return self.tree.catalogue.repository(name)
        if name in self.tree.catalogue.repositories:
            raise Forbidden(f"the repository {name!r} is not open to this mapping, which lies in another")
        raise NotFound(f"there is no repository {name!r}; there are: {', '.join(self.allowed) or 'none'}")

    def files(self, repository: Repository, folder: str = "") -> tuple[Found, ...]:
        """Every file below a folder, images that are folders as one, none where there is no such folder.

        No image is opened. Names that are no text and folders that cannot be read (``unread``) are left out. Raises
        TooLarge where there are too many.
        """
        question = ("files", repository.name, folder)
        return cast(Walked, self._answer(question, lambda: _walked(repository, folder))).found

    @property
    def unread(self) -> frozenset[str]:
        """Why folders were left out, a sentence each."""
        answers = [answer for _, answer in self._asked.values()]
        return frozenset[str]().union(*(answer.unread for answer in answers if isinstance(answer, Walked)))

    def read(self, repository: Repository, path: str, most: int) -> bytes | None:
        """The bytes of a stored file, None where there is none; raises TooLarge over so many."""
        question = ("bytes", repository.name, path)
        return cast(bytes | None, self._answer(question, lambda: _read(repository, path, most)))

    def image(self, path: str, steps: str = "original") -> Image:
        """The image at a path of the root tree under a view, opened; raises what opening it raises.

        Images keep files open: keep what is needed of it, not the image.
        """
        self.repository(path.partition("/")[0])
        self._answer(("image", path, steps), lambda: viewed(self.tree.catalogue, path, steps)[1])
        return viewed(self.tree.catalogue, path, steps)[0]

    def file(self, link: Link) -> File:
        """The file that a link leads to, for its size; raises as looking it up does."""

        def found() -> File:
            file = self.tree.file(self.tree.address(link.path, link.view, link.layout, link.suffix))
            if file is None:
                raise NotFound(f"there is no file at {link}")
            return file

        def identity() -> str:
            try:
                return str(found().etag)
            except DiascopeError as error:
                return str(error)

        self._answer(("file", link), identity)
        return found()

    @staticmethod
    def view(repository: Repository, steps: str) -> View:
        """The view that a text spells; raises BadRequest."""
        return view(steps, repository.views)

    def same(self) -> bool:
        """Whether all that was asked would be answered as it was."""
        return all(_told(ask) == answer for ask, answer in self._asked.values())

    def _answer(self, question: Hashable, ask: Callable[[], Any]) -> Any:
        """The answer, or the error, each asked for once."""
        if question not in self._asked:
            self._asked[question] = ask, _told(ask)
        answer = self._asked[question][1]
        if isinstance(answer, _Refusal):
            raise answer.error
        return answer


class _Refusal(NamedTuple):
    """An answer that is an error; equal to another with the same words."""

    kind: type[DiascopeError]
    words: str

    @property
    def error(self) -> DiascopeError:
        return self.kind(self.words)


def _told(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except DiascopeError as error:
        return _Refusal(type(error), str(error))


def natural(path: str) -> tuple[str | int, ...]:
    """What paths are ordered by as people order them: 2 before 10."""
    parts = NUMBER.split(path)
    return tuple(int(part[:4000]) if k % 2 else part for k, part in enumerate(parts))


def stem_of(found: Found, suffixes: tuple[str, ...]) -> str:
    """The name of a file without what tells its format: the ending of an image or the last one, and ``.ome`` before.

    The endings of images are ``image_suffixes()``.
    """
    name, lower = found.name, found.name.lower()
    fitting = suffixes if found.what == "image" and lower.endswith(suffixes) else ()
    ending = next((each for each in fitting if lower.endswith(each) and len(each) < len(name)), None)
    before, dot, _ = name.rpartition(".")
    name = name[: -len(ending)] if ending else before if dot and before else name
    return name[: -len(OME)] if found.what == "image" and name.lower().endswith(OME) and len(name) > len(OME) else name


def _walked(repository: Repository, folder: str) -> Walked:
    """Every file below a folder; one that cannot be read hides none of the others."""
    unread: set[str] = set()
    return Walked(tuple(_files(repository, folder, unread)), frozenset(unread))


def _files(repository: Repository, folder: str, unread: set[str]) -> Iterator[Found]:
    count = 0
    place = repository.place(folder) if folder else None
    stack = [(folder, 0)] if not folder or (place and place.what == "folder") else []
    while stack:
        inside, depth = stack.pop()
        folders = []
        for found in _listed(repository, inside, unread):
            count += 1
            if count > MOST:
                raise TooLarge(f"the repository {repository.name!r} has more than {MOST} files")
            if found.what == "folder":
                folders.append(found.path)
            else:
                yield found
        if depth < DEEPEST:
            stack += [(path, depth + 1) for path in reversed(folders)]


def _listed(repository: Repository, folder: str, unread: set[str]) -> Iterator[Found]:
    """What is in a folder, nothing where it has gone or cannot be read, which is noted."""
    try:
        for name, is_folder in sorted(repository.store.names(folder)):
            place = repository.seen(folder, name, is_folder)
            if place and not any("\ud800" <= letter <= "\udfff" for letter in name):
                yield Found(place.path, place.what, is_folder)
    except NotFound:
        return
    except (DiascopeError, OSError) as error:
        unread.add(str(error))


def _read(repository: Repository, path: str, most: int) -> bytes | None:
    place = repository.place(path)  # to which nothing hidden is there
    if place is None or place.what == "folder":
        return None
    blob = repository.store.open(path)
    if blob.stat.size > most:
        raise TooLarge(f"{path}: it has {blob.stat.size} bytes; the limit is {most}")
    return blob.read(0, blob.stat.size)
