"""The files that belong to a slide: OpenSlide opens them by the names that its index has."""

from __future__ import annotations

import re

from diascope.errors import Unreadable
from diascope.sources.reading.beside import fingerprint
from diascope.stores.store import Store

MIRAX = ".mrxs"
SLIDEDAT = "Slidedat.ini"

LONGEST_INDEX = 1 << 20
MOST_FILES = 10_000

MIRAX_KEY = re.compile(r"(FILE_\d+|INDEXFILE)")
HAMAMATSU_KEY = re.compile(r"(ImageFile.*|MapFile|MacroImage|OptimisationFile)")
"""OpenSlide takes more for the place of an image than stands there: ``(+0,0)``, ``( 0``."""

SPACE = " \t\r"
"""What it leaves away at the ends of a key and a value."""


def companions(store: Store, path: str) -> tuple[str, ...]:
    """The paths of all files but the first, in order; raises Unreadable where the index names none."""
    lower = path.lower()
    if lower.endswith(MIRAX):
        folder = path[: -len(MIRAX)]
        names = _named(store, f"{folder}/{SLIDEDAT}", MIRAX_KEY)
        return tuple(dict.fromkeys(f"{folder}/{name}" for name in (SLIDEDAT, *names)))
    if lower.endswith((".vms", ".vmu")):
        folder = path.rpartition("/")[0]
        names = _named(store, path, HAMAMATSU_KEY)
        paths = (f"{folder}/{name}" if folder else name for name in names)
        return tuple(dict.fromkeys(each for each in paths if store.stat(each)))
    return ()


def _named(store: Store, path: str, keys: re.Pattern[str]) -> list[str]:
    """The values of these keys in a file of lines ``key = value``."""
    stat = store.stat(path)
    if stat is None:
        raise Unreadable(f"{path}, which says where the pixels are, is missing")
    if stat.size > LONGEST_INDEX:
        raise Unreadable(f"{path} is longer than {LONGEST_INDEX} bytes")
    lines = store.open(path).read(0, LONGEST_INDEX).decode("utf-8-sig", "replace").split("\n")
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    names = [name for key, value in pairs if keys.fullmatch(key.strip()) and (name := value.strip(SPACE))]
    for name in names:
        if "/" in name or "\\" in name or name in {".", ".."} or not name.isprintable():
            raise Unreadable(f"{path} names {name!r}, which is no file of the slide")
    if not names or len(names) > MOST_FILES:
        raise Unreadable(f"{path} names {len(names)} files")
    return names


def version(store: Store, path: str) -> str:
    """Of all the files that the index names, where it can be read."""
    try:
        others = companions(store, path)
    except Unreadable:
        others = ()
    return fingerprint(store, (path, *others))
