"""OME-TIFF that is spread over several files, or whose metadata lies in a companion file of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

import tifffile

from diascope.bounded import BoundedCache
from diascope.errors import BadRequest, Changed, Forbidden, NotFound, Unreadable
from diascope.image.image import Image
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.reading.beside import told
from diascope.sources.reading.names.safe_names import safe_names
from diascope.sources.reading.xml import MAX_XML, child, parsed_xml
from diascope.sources.source import stat_version
from diascope.sources.tiff import ome
from diascope.sources.tiff.facts import with_tags
from diascope.sources.tiff.names import stem
from diascope.sources.tiff.page import Page
from diascope.sources.tiff.parsed import Parsed, locked_page, parsed, understood
from diascope.sources.tiff.planes import Place, Planes, file_name, planes
from diascope.sources.tiff.scene import image
from diascope.sources.tiff.stack import Stack, stack
from diascope.stores.store import Store

OPEN_FILES = 64
"""Files of a set that are kept open."""

KEPT_PAGES = 1024

LOOKED_AT = 1000
"""Of a set so many files tell its version; of any the pixels are of one version or none."""

_sets: BoundedCache[tuple[str, ...]] = BoundedCache(10_000, weigh=lambda files: 1 + len(files) // 100)
"""The files of sets by the path and version of the main one, none of a file that is no set."""


@dataclass(frozen=True, slots=True, eq=False)
class Siblings:
    """The files of a set, opened when a plane of theirs is read."""

    store: Store
    path: str
    """Of the main file or the companion."""
    own: Parsed | None
    """The main file where it has pixels."""
    _files: BoundedCache[Parsed] = field(default_factory=lambda: BoundedCache(OPEN_FILES, weigh=lambda _: 1))
    _versions: dict[str, str] = field(default_factory=dict)
    """Of the files when they were first looked at."""
    _pages: BoundedCache[Page] = field(default_factory=lambda: BoundedCache(KEPT_PAGES, weigh=lambda _: 1))

    def beside(self, name: str) -> str:
        """The path of a file named in the metadata."""
        folder, slash, _ = self.path.rpartition("/")
        return f"{folder}{slash}{name}"

    def file(self, name: str) -> Parsed:
        """An opened file; raises Unreadable with its name where it is missing."""
        if not name:
            if self.own is None:
                raise Unreadable(f"{self.path}: its planes are in files that it does not name")
            return self.own
        return self._files.get(name, lambda: self._opened(name))

    def _opened(self, name: str) -> Parsed:
        try:
            found = parsed(self.store, self.beside(name))
        except (NotFound, BadRequest, Forbidden) as error:
            raise Unreadable(f"{self.path}: the file {name!r} of the same image is missing: {error}") from error
        if self._versions.setdefault(found.path, found.blob.stat.version) != found.blob.stat.version:
            raise Changed(f"{found.path} is another file than it was")
        return found

    def look(self, paths: Iterable[str]) -> str:
        """The version of the set, of which these files have to stay what they are."""
        found = {path: stat_version(self.store, path) if _exists(self.store, path) else "" for path in paths}
        self._versions.update({path: version for path, version in found.items() if version})
        return told(found)

    def frame(self, place: Place, level: int) -> tuple[Parsed, Any]:
        """The directory of a plane, or one of its reduced copies."""
        file = self.file(place.file)
        with file.lock:
            return file, understood(file.path, lambda: _frame(file, place.directory, level))

    def page(self, place: Place, level: int, like: Page) -> Page:
        """A page of the same shape and type as the others."""
        found = self._pages.get((place, level), lambda: self._page(place, level))
        if found.shape != like.shape or found.dtype != like.dtype:
            raise Unreadable(
                f"{self.path}: page {place.directory} of {place.file or 'the file'} has {found.shape} pixels"
                f" of {found.dtype}, others have {like.shape} of {like.dtype}"
            )
        return found

    def _page(self, place: Place, level: int) -> Page:
        file, frame = self.frame(place, level)
        return locked_page(file, frame, f"{file.path}: level {level}, page {place.directory}")


def _frame(file: Parsed, index: int, level: int) -> Any:
    if index >= file.pages:
        raise Unreadable(f"{file.path}: it has {file.pages} pages, its metadata knows a page {index}")
    main = file.tiff.pages.get(index)
    if level == 0:
        return main
    file.tiff.filehandle.seek(main.subifds[level - 1])
    return tifffile.TiffPage(file.tiff, (index, level - 1))


def companion_root(store: Store, path: str) -> ET.Element:
    """The OME-XML of a companion file."""
    stat = store.stat(path)
    if stat is None or stat.size > MAX_XML:
        raise Unreadable(f"{path}: the metadata of this OME-TIFF is missing, or larger than {MAX_XML} bytes")
    data = store.read(path) or b""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return parsed_xml(data.decode(encoding, "replace"), path)


def described(store: Store, file: Parsed) -> ET.Element | None:
    """The OME-XML of a file that shares its images with others, None of any other file."""
    if not file.tiff.is_ome or file.tiff.ome_metadata is None:
        return None
    root = parsed_xml(file.tiff.ome_metadata, file.path)
    binary_only = child(root, "BinaryOnly")
    if binary_only is not None:
        folder, slash, _ = file.path.rpartition("/")
        path = f"{folder}{slash}{binary_only.get('MetadataFile', '')}"
        # Without its companion a file still has its own pages, which are then read as those of plain TIFF.
        return companion_root(store, path) if _exists(store, path) else None
    names = {file_name(uuid).lower() for uuid in _uuids(root) if uuid.text != root.get("UUID")}
    return root if names - {file.name.lower()} else None


def _exists(store: Store, path: str) -> bool:
    try:
        stat = store.stat(path)
    except (BadRequest, Forbidden):
        return False
    return stat is not None and not stat.is_folder


def _uuids(root: ET.Element) -> list[ET.Element]:
    return [uuid for uuid in root.iter() if uuid.tag.endswith("}UUID") or uuid.tag == "UUID"]


def opened_set(store: Store, path: str, root: ET.Element, own: Parsed | None) -> Dataset:
    """The images that OME-XML describes; ``path`` is what was asked for, ``own`` the same as an opened TIFF file."""
    siblings = Siblings(store, path, own)
    own_names = _own_names(siblings, root)
    elements = ome.image_elements(root)
    if not elements:
        raise Unreadable(f"{path}: its OME-XML describes no image")
    single = len(elements) == 1
    texts = [stem(path.rpartition("/")[2]) if single else element.get("Name", "") for element in elements]
    names = safe_names(texts)
    found = dict(zip(names, elements, strict=True))

    def made(name: str) -> Image:
        return understood(path, lambda: _image(siblings, name, root, found[name], planes(found[name], own_names, path)))

    listed = dict.fromkeys(siblings.beside(name) for uuid in _uuids(root) if (name := file_name(uuid)))
    files = (path, *(each for each in listed if each != path))
    seen = files[:LOOKED_AT]
    remembered((path, stat_version(store, path)), seen)
    return Dataset(
        version=siblings.look(seen),
        images=Lazily(names, made),
        files=files,
    )


def version(store: Store, path: str) -> str:
    """Of all the files where this one is known to be one of several, which is so once it was opened."""
    own = stat_version(store, path)
    files = _sets.get((path, own), tuple)
    return told({each: stat_version(store, each) if _exists(store, each) else "" for each in files}) if files else own


def remembered(main: tuple[str, str], files: tuple[str, ...]) -> None:
    """The files of the set that a file of this path and version is the main one of."""
    _sets.discard(main)
    _sets.get(main, lambda: files)


def _own_names(siblings: Siblings, root: ET.Element) -> frozenset[str]:
    """The names that mean the main file: its own, that of the root's identifier, and its name before it was renamed."""
    if siblings.own is None:
        return frozenset()
    uuids = _uuids(root)
    names = {siblings.own.name} | {file_name(uuid) for uuid in uuids if uuid.text == root.get("UUID")}
    only = {file_name(uuid) for uuid in uuids}
    if len(only) == 1 and not _exists(siblings.store, siblings.beside(next(iter(only)))):
        names |= only
    return frozenset(names)


def _image(siblings: Siblings, name: str, root: ET.Element, element: ET.Element, found: Planes) -> Image:
    first = _first(siblings, found)
    keyframe = siblings.frame(first, 0)[1]
    stacks = [_stack(siblings, found, first, level) for level in range(1 + len(keyframe.subifds or ()))]
    return image(name, stacks, keyframe, with_tags(ome.facts(root, element), keyframe))


def _first(siblings: Siblings, found: Planes) -> Place:
    """The first plane whose file is there: it tells what all are like."""
    missing: Unreadable | None = None
    tried: set[str] = set()
    for place in found.places.values():
        if place.file in tried:
            continue
        tried.add(place.file)
        try:
            siblings.frame(place, 0)
        except Unreadable as error:
            missing = missing or error
        else:
            return place
    raise missing or Unreadable(f"{siblings.path}: its OME-XML tells of no plane where it is")


def _stack(siblings: Siblings, found: Planes, first: Place, level: int) -> Stack:
    file, keyframe = siblings.frame(first, level)
    like = locked_page(file, keyframe, f"{file.path}: level {level}")

    def page_of(number: int) -> Page | None:
        place = found.places.get(number)
        return siblings.page(place, level, like) if place else None

    letters = found.letters + keyframe.axes
    sizes = (*(found.sizes[letter] for letter in found.letters), *map(int, keyframe.shape))
    return stack(letters, sizes, like, page_of)
