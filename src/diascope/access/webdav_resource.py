"""Files and folders of a tree as wsgidav's resources, with the properties that RFC 4918 (section 15) defines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote

from wsgidav.dav_error import DAVError
from wsgidav.dav_provider import DAVCollection, DAVNonCollection, DAVProvider

from diascope.access.attributes import moment
from diascope.access.problem import status_of
from diascope.bounded import BoundedCache
from diascope.errors import BadRequest, DiascopeError, NotFound, TooLarge, Unimplemented
from diascope.tree.file import File, Tree

ETAG = "{DAV:}getetag"
NAMES = (
    "{DAV:}resourcetype", "{DAV:}creationdate", "{DAV:}getcontentlength", "{DAV:}getcontenttype",
    "{DAV:}getlastmodified", "{DAV:}displayname", ETAG,
)  # fmt: skip
"""The properties of a file, known without looking."""
SAFE = "/~,=@:!$()*;"
"""What stands in the path of a URL as it is, and in XML too."""
NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
SIZES = 200_000
"""How many sizes are remembered of files of which only their bytes tell it."""

Sizes = BoundedCache[int]
T = TypeVar("T")


class Provider(DAVProvider):  # type: ignore[misc]
    """A tree by whole paths."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self.verbose = 0
        self.share_path = ""
        self._tree = tree
        self._sizes: Sizes = BoundedCache(SIZES, weigh=lambda _: 1)

    def is_readonly(self) -> bool:
        return True

    def get_resource_inst(self, path: str, environ: dict[str, Any]) -> VirtualFile | Folder | None:
        """What lies at a path; what ends in a slash is a folder at the most."""
        environ["wsgidav.provider"] = self
        inside, may_be_file = within(path)
        file = looked_up(self._tree.file, inside) if may_be_file else None
        if file is not None:
            return VirtualFile(path, environ, lambda: file, self._sizes)
        return None if looked_up(self._tree.entries, inside) is None else Folder(f"/{inside}", environ)

    def members(self, path: str, environ: dict[str, Any]) -> Iterator[VirtualFile | Folder]:
        """What a folder lists, one after another; names that no URL can spell are not there."""
        for entry in self._tree.entries(path[1:]) or ():
            if any("\ud800" <= letter <= "\udfff" for letter in entry.name):
                continue
            below = f"{path.rstrip('/')}/{entry.name}"
            if entry.is_folder:
                yield Folder(below, environ)
            else:
                yield VirtualFile(below, environ, self._look(below), self._sizes)

    def _look(self, path: str) -> Callable[[], File]:
        def looked_up() -> File:
            file = self._tree.file(path[1:])
            if file is None:
                raise NotFound(f"{path} is gone")
            return file

        return looked_up


class Folder(DAVCollection):  # type: ignore[misc]
    """A folder; its time is none, as nobody has looked at all that is in it."""

    def members(self) -> Iterator[VirtualFile | Folder]:
        """What it lists, one after another: it may have a billion."""
        found: Iterator[VirtualFile | Folder] = self.provider.members(self.path, self.environ)
        return found

    def get_member_names(self) -> Iterator[str]:
        return (member.name for member in self.members())

    def get_last_modified(self) -> float:
        return moment(None)

    def get_creation_date(self) -> float:
        return moment(None)

    def get_display_name(self) -> str:
        return shown(self.name)

    def get_ref_url(self) -> str:
        return str(self.path)

    def get_href(self) -> str:
        return quote(f"{self.path.rstrip('/')}/", safe=SAFE)


class VirtualFile(DAVNonCollection):  # type: ignore[misc]
    """A file that is looked up, and where only its bytes tell the size made, once a property needs it."""

    def __init__(self, path: str, environ: dict[str, Any], look: Callable[[], File], sizes: Sizes) -> None:
        super().__init__(path, environ)
        self._look, self._sizes = look, sizes

    @cached_property
    def file(self) -> File:
        # A file that would tell its own URL is as it is: the same bytes through every mount.
        return replace(self._look(), located=None)

    def get_property_names(self, *, is_allprop: bool) -> tuple[str, ...]:  # noqa: ARG002
        return NAMES

    def get_property_value(self, name: str) -> Any:
        """Its text or element; what cannot be known has the status of the trouble, which hides no other property."""
        try:
            value = super().get_property_value(name)
        except DiascopeError as error:
            raise DAVError(status_of(error), str(error)) from error
        return f'"{value}"' if name == ETAG else value

    def get_content_length(self) -> int:
        file = self.file
        if file.size is not None:
            return file.size
        if file.etag is None:
            return len(file.read(0, None))
        return self._sizes.get(file.etag, lambda: len(file.read(0, None)))

    def get_content_type(self) -> str:
        return self.file.media_type

    def get_etag(self) -> str | None:
        return self.file.etag

    @cached_property
    def moment(self) -> int:
        return moment(self.file.etag)

    def get_last_modified(self) -> float:
        return self.moment

    def get_creation_date(self) -> float:
        return self.moment

    def get_display_name(self) -> str:
        return shown(self.name)

    def get_content(self) -> Any:
        raise NotImplementedError  # its bytes are answered without it

    def support_etag(self) -> bool:
        return self.get_etag() is not None

    def support_ranges(self) -> bool:
        return True

    def get_ref_url(self) -> str:
        return str(self.path)

    def get_href(self) -> str:
        return quote(self.path, safe=SAFE)


def within(path: str) -> tuple[str, bool]:
    """The path in the tree, and whether it may be a file's: what ends in a slash is a folder at the most.

    Raises NotFound where a name is empty.
    """
    inside = path[1:].removesuffix("/")
    if "//" in path:
        raise NotFound(f"there is nothing at {inside!r}")
    return inside, not path.endswith("/")


def looked_up(look: Callable[[str], T], path: str) -> T:
    """What lies at a path; raises NotFound where a name in it is malformed.

    Programs look for files of their own in every folder, also where a name would be a view. Whatever is wrong when
    bytes are made is no such name.
    """
    try:
        return look(path)
    except (TooLarge, Unimplemented):
        raise
    except BadRequest as error:
        raise NotFound(str(error)) from error


def shown(name: str) -> str:
    """A name as XML can hold it."""
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", name)


def modified(seconds: float) -> str:
    """A time as HTTP has it."""
    return formatdate(seconds, usegmt=True)
