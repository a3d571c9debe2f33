"""The files that an XLEF project is made of: collections, images and what holds their pixels.

https://www.leica-microsystems.com: Leica Image File Formats 3.2. References are relative paths, as Windows spells them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import unquote

from diascope.errors import NotFound, Unreadable
from diascope.sources.leica.layout import number
from diascope.sources.leica.pictures import Frame
from diascope.sources.leica.tree import parsed
from diascope.stores.store import Store

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LARGEST_XML = 1 << 27
DEEPEST = 16
MOST_FILES = 1 << 16
MOST_NAMES = 10_000
"""In a larger folder names are not looked for in another case."""


@dataclass(frozen=True, slots=True)
class Member:
    """An image's XML, and the collections that lead to it."""

    path: str
    folders: tuple[str, ...]
    root: Element


def members(store: Store, path: str) -> tuple[list[Member], list[str]]:
    """The images of a project, a collection or an image's own file, and all files of XML on the way.

    A file that is missing is left out: projects are often copied in part.
    """
    found: list[Member] = []
    files: dict[str, None] = {}
    asked = 0
    waiting: list[tuple[str, tuple[str, ...], int]] = [(path, (), 0)]
    while waiting:
        each, folders, depth = waiting.pop()
        if each in files:
            continue
        root = _document(store, each)
        if root is None:
            continue
        files[each] = None
        if depth > DEEPEST or len(files) > MOST_FILES:
            raise Unreadable(f"its files are more than {MOST_FILES}, or more than {DEEPEST} deep")
        top = root.find("Element")
        if top is None:
            continue
        if top.find("Data/Image") is not None:
            found.append(Member(each, folders, root))
        inner = folders if depth == 0 else (*folders, top.get("Name", ""))
        named = {ref.get("File", ""): ref for ref in top.findall("Children/Reference")}
        asked += len(named)
        if asked > MOST_FILES:
            raise Unreadable(f"its files name more than {MOST_FILES} others")
        below = [target for ref in named.values() if (target := beside(store, each, ref))]
        waiting += [(target, inner, depth + 1) for target in reversed(below)]
    if not files:
        raise NotFound(f"there is no file {path!r}")
    return found, list(files)


def _document(store: Store, path: str) -> Element | None:
    stat = store.stat(path)
    if stat is None or stat.is_folder:
        return None
    if stat.size > LARGEST_XML:
        raise Unreadable(f"{path}: {stat.size} bytes of XML are over the limit of {LARGEST_XML}")
    data = store.read(path)
    return None if data is None else parsed(data)


def beside(store: Store, path: str, reference: Element) -> str | None:
    """The path that a reference leads to, None where nothing is there or it leads out of the store."""
    name = unquote(reference.get("File", "")).replace("\\", "/").lstrip("/")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
    if not name or target.startswith("..") or "\0" in target or target == ".":
        return None
    return target if store.stat(target) else _in_other_case(store, target)


def _in_other_case(store: Store, target: str) -> str | None:
    """The same file where only the case of its last name differs, as it may where Windows wrote it."""
    folder, _, name = target.rpartition("/")
    try:
        names = (each for each, _ in store.names(folder))
        found = next((each for each in islice(names, MOST_NAMES) if each.casefold() == name.casefold()), None)
    except NotFound:
        return None
    return None if found is None else posixpath.join(folder, found)


def frames(store: Store, member: Member) -> Iterator[Frame]:
    """The files that have the pixels of an image, and their places in its memory."""
    memory = member.root.find("Element/Memory")
    for block in memory if memory is not None else ():
        if "File" not in block.attrib:
            continue
        target = beside(store, member.path, block)
        if target is None:
            raise Unreadable(f"{block.get('File', '')[:200]!r}, which has pixels, is not there")
        stat = store.stat(target)
        yield Frame(target, number(block, "Offset"), number(block, "Size"), stat.version if stat else "")
