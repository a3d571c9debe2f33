"""Small JSON files of a store, read within bounds, and typed looks into them."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from diascope.errors import BadRequest, NotFound, Unreadable
from diascope.image.region import Ints
from diascope.stores.store import Store

Document: TypeAlias = dict[str, Any]

LARGEST_DOCUMENT = 1 << 24
LARGEST_SIZE = 1 << 62


def document(store: Store, path: str) -> Document | None:
    """The JSON object of a file, None where there is no such file; raises Unreadable where it is none."""
    try:
        blob = store.open(path)
    except NotFound:
        return None
    size = blob.stat.size
    if size > LARGEST_DOCUMENT:
        raise Unreadable(f"{path}: {size} bytes of metadata are more than the {LARGEST_DOCUMENT} that are read")
    try:
        value = json.loads(blob.read(0, size))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path}: this is no JSON that can be read ({error})") from error
    return mapping(value, path)


def mapping(value: Any, what: str) -> Document:
    """The value, which must be a JSON object."""
    if not isinstance(value, dict):
        raise Unreadable(f"{what}: a JSON object is expected, not {shown(value)}")
    return value


def listing(value: Any, what: str) -> list[Any]:
    """The value, which must be a JSON array."""
    if not isinstance(value, list):
        raise Unreadable(f"{what}: a JSON array is expected, not {shown(value)}")
    return value


def text(value: Any, what: str) -> str:
    """The value, which must be a JSON string."""
    if not isinstance(value, str):
        raise Unreadable(f"{what}: a JSON string is expected, not {shown(value)}")
    return value


def sizes(value: Any, what: str, least: int = 0) -> Ints:
    """The value, which must be an array of integers, none below the least."""
    numbers = listing(value, what)
    for number in numbers:
        if type(number) is not int or not least <= number < LARGEST_SIZE:
            raise Unreadable(f"{what}: {shown(number)} is no size")
    return tuple(numbers)


def part(document: Document, key: str) -> Document:
    """The JSON object under a key, an empty one where it is missing or no object."""
    value = document.get(key)
    return value if isinstance(value, dict) else {}


def shown(value: Any) -> str:
    """A value, short enough for a message."""
    text = repr(value) if not isinstance(value, dict | list) else type(value).__name__
    return text if len(text) <= 80 else f"{text[:77]}..."


def below(path: str, relative: str) -> str:
    """The path of something below another; raises Unreadable where a file's own words lead out of it."""
    names = relative.removesuffix("/").split("/")
    if any(not is_safe(name) for name in names):
        raise Unreadable(f"{path}: {shown(relative)} is no path below it")
    return joined(path, "/".join(names))


def joined(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


def is_safe(name: str) -> bool:
    """Whether a name from a file can stand as one part of a path."""
    return 0 < len(name) < 256 and name not in {".", ".."} and "/" not in name and name.isprintable()


def exists(store: Store, path: str) -> bool:
    try:
        return store.stat(path) is not None
    except BadRequest:
        return False
