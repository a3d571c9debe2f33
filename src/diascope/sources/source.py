"""What a source is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from diascope.errors import NotFound
from diascope.sources.dataset import Dataset
from diascope.sources.members import Members
from diascope.stores.store import Store

HEAD_SIZE = 4096
MOST_NAMES = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """What is seen of a file or folder before it is opened."""

    name: str
    """In lower case."""
    first: bytes = b""
    """The first bytes of a file, none of a folder."""
    markers: frozenset[str] = frozenset()
    """Which of the sources' markers lie in the folder, none for a file."""
    marker: Callable[[str], bytes] = lambda _: b""
    """The first bytes of a file in the folder, for formats whose markers have names that other files may have; a look
    costs."""
    names: Callable[[], tuple[str, ...]] = lambda: ()
    """The first names in the folder, of folders with a slash behind, for formats without a marker; a look costs."""


def stat_version(store: Store, path: str) -> str:
    """The version of a dataset that is one file."""
    stat = store.stat(path)
    return stat.version if stat else ""


def first_bytes(store: Store, path: str) -> bytes:
    """As many bytes as a head has; none where there is no such file."""
    try:
        return store.open(path).read(0, HEAD_SIZE)
    except NotFound:
        return b""


def first_names(store: Store, path: str) -> tuple[str, ...]:
    """As many names in a folder as a head has, in the store's order: no folder costs more, however full it is."""
    return tuple(name + "/" * is_folder for name, is_folder in islice(store.names(path), MOST_NAMES))


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A format that is read."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    """Endings of file names, in lower case, by which a listing takes a file for an image without opening it."""
    doubtful: tuple[str, ...] = ()
    """Those of the endings that files of other kinds have too, so that a listing looks at the first bytes."""
    markers: tuple[str, ...] = ()
    """Names of files that make the folder they lie in an image."""
    folders: str = ""
    """Which folders are taken for an image by the names in them, in words, where there is no marker."""
    matches: Callable[[Head], bool]
    """Whether a file that begins so is of this format; of several that say so the first by name opens it."""
    open: Callable[[Store, str], Dataset]
    """Reads no more than the metadata. Raises Unreadable with the reason where the bytes cannot be understood."""
    version: Callable[[Store, str], str] = stat_version
    """What ``open`` would give as the dataset's version, at the cost of a few looks at the store."""
    library: str = ""
    """What reads the pixels, as its users know it; empty where Diascope does so itself."""
    modules: tuple[str, ...] = ()
    """The modules of that library, which are imported when a file is opened."""
    extra: str | None = None
    """The extra that installs them, ``diascope[extra]``; None where every installation has them."""
    supports: str = ""
    """What of the format is read and what is not, in a line."""
    is_isolated: bool = False
    """Whether hostile bytes may crash, hang or bloat its library: it is then opened in a process of its own."""
    needs_local_file: bool = False
    """Whether its library reads local files only: of others it gets a copy."""
    is_fallback: bool = False
    """Whether it opens only what no other source knows."""
    within: Callable[[Members], Source] | None = None
    """For a format whose images are made of other files' images: the same source that gets at them through these."""
