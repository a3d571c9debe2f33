"""Listings of a bucket, ListObjects and ListObjectsV2.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html

A page may have fewer keys than it could, as S3 allows: where sizes are known only once the bytes are made, it ends
when that has taken long enough.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from time import monotonic
from typing import Literal, NamedTuple
from urllib.parse import quote

from diascope.access.answer import Answer
from diascope.access.s3_error import Refused, document, element, text
from diascope.errors import BadRequest, Unreadable, Unsupported
from diascope.tree.file import File, Tree
from diascope.tree.order import keys

MOST = 1000
"""How many keys and common prefixes a page has at the most."""
UNKNOWN = 1
"""The size of a file that cannot be made."""
SECONDS = 5.0
"""After so long a page ends with the key it has come to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a request asks for."""

    version: Literal[1, 2]
    prefix: str
    delimiter: str
    most: int
    start: str
    """The first text in the order of keys that may be listed."""
    encoded: bool
    """Whether names are percent-encoded, as XML cannot hold all of them."""
    told: Mapping[str, str]
    """The parameters as they came."""


class Listed(NamedTuple):
    """What is told of a file."""

    key: str
    size: int
    etag: str | None


class Page(NamedTuple):
    """Files, common prefixes, and where the next page begins, None where there is none."""

    files: list[Listed]
    prefixes: list[str]
    last: str
    """The key or common prefix that was listed last."""
    following: str | None


def wanted(query: Mapping[str, str]) -> Wanted:
    """What the parameters ask for; raises Refused where they are malformed."""
    version: Literal[1, 2] = 2 if query.get("list-type") == "2" else 1
    prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
    token = query.get("continuation-token") if version == 2 else None
    after = query.get("start-after" if version == 2 else "marker", "")
    if query.get("encoding-type", "url") != "url":
        raise _invalid("encoding-type is nothing but url")
    return Wanted(
        version=version,
        prefix=prefix,
        delimiter=delimiter,
        most=_most(query.get("max-keys", str(MOST))),
        start=_start(token) if token is not None else _behind(after, prefix, delimiter) if after else "",
        encoded="encoding-type" in query,
        told=query,
    )


def _most(said: str) -> int:
    if not (said.isascii() and said.isdecimal()) or len(said) > 10:
        raise _invalid("max-keys is a whole number that is not negative")
    return min(int(said), MOST)


def _invalid(message: str) -> Refused:
    return Refused("InvalidArgument", HTTPStatus.BAD_REQUEST, message)


def _behind(key: str, prefix: str, delimiter: str) -> str:
    """The first text behind a key; of a common prefix, behind all the keys that it stands for."""
    common = _common(key, prefix, delimiter)
    return (successor(key) if common == key else None) or f"{key}\0"


def _common(key: str, prefix: str, delimiter: str) -> str | None:
    """The key up to the first delimiter behind the prefix."""
    at = key.find(delimiter, len(prefix)) if delimiter and key.startswith(prefix) else -1
    return None if at < 0 else key[: at + len(delimiter)]


def successor(prefix: str) -> str | None:
    """The first text behind everything that begins so, None where there is none."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return None
    code = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if code == 0xD800 else code)


def token(start: str) -> str:
    """A text that tells where to go on, to be handed back as it is."""
    return urlsafe_b64encode(start.encode()).decode()


def _start(said: str) -> str:
    try:
        return urlsafe_b64decode(said.encode("ascii")).decode()
    except ValueError:
        raise _invalid("the continuation token is none that was given here") from None


def page(tree: Tree, bucket: str, asked: Wanted, sized: Callable[[File], File]) -> Page:
    """The next keys and common prefixes, files with their true sizes."""
    found = Page([], [], "", None)
    following: str | None = asked.start
    end = monotonic() + SECONDS
    for common, key in _rolled_up(tree, bucket, asked):
        listed = len(found.files) + len(found.prefixes)
        if listed >= asked.most or (listed and monotonic() > end):
            return found._replace(following=following) if asked.most else found
        if common:
            found.prefixes.append(key)
        elif file := _listed(tree, bucket, key, sized):
            found.files.append(file)
        following = successor(key) if common else f"{key}\0"
        found = found._replace(last=key)
    return found


def _listed(tree: Tree, bucket: str, key: str, sized: Callable[[File], File]) -> Listed | None:
    """A file with its true size, None where it has gone.

    One that cannot be made hides no other, and is never taken for absent or empty: it is told to have a byte, so that
    whoever wants it asks for it, and is told why it cannot be had.
    """
    try:
        file = tree.file(f"{bucket}/{key}")
        made = sized(file) if file else None
    except (BadRequest, Unreadable, Unsupported):
        return Listed(key, UNKNOWN, None)
    return Listed(key, made.size or 0, made.etag) if made else None


def _rolled_up(tree: Tree, bucket: str, asked: Wanted) -> Iterator[tuple[bool, str]]:
    """Whether it is a common prefix, and the key or common prefix, in order."""
    if asked.delimiter == "/":
        below = keys(tree, bucket, asked.prefix, asked.start, deep=False)
        yield from ((key.endswith("/"), key) for key in below)
        return
    start: str | None = asked.start
    while start is not None:
        walk, start = keys(tree, bucket, asked.prefix, start, deep=True), None
        for key in walk:
            common = _common(key, asked.prefix, asked.delimiter)
            yield common is not None, common or key
            if common is not None:
                # Not a step through all that the prefix stands for, but a new walk behind it.
                start = successor(common)
                break


def answered(bucket: str, asked: Wanted, found: Page, since: str) -> Answer:
    """The page as a document."""
    name = (lambda said: quote(said, safe="/")) if asked.encoded else str
    own = _second(asked, found, name) if asked.version == 2 else _first(asked, found, name)
    return document(
        HTTPStatus.OK,
        "ListBucketResult",
        text("Name", bucket),
        text("Prefix", name(asked.prefix)),
        *own,
        text("MaxKeys", asked.most),
        *([text("Delimiter", name(asked.delimiter))] if asked.delimiter else []),
        *([text("EncodingType", "url")] if asked.encoded else []),
        text("IsTruncated", str(found.following is not None).lower()),
        *(_contents(file, name, since) for file in found.files),
        *(element("CommonPrefixes", text("Prefix", name(prefix))) for prefix in found.prefixes),
    )


def _first(asked: Wanted, found: Page, name: Callable[[str], str]) -> list[str]:
    following = [text("NextMarker", name(found.last))] if found.following is not None else []
    return [text("Marker", name(asked.told.get("marker", ""))), *following]


def _second(asked: Wanted, found: Page, name: Callable[[str], str]) -> list[str]:
    own = [text("KeyCount", len(found.files) + len(found.prefixes))]
    if "start-after" in asked.told:
        own.append(text("StartAfter", name(asked.told["start-after"])))
    if "continuation-token" in asked.told:
        own.append(text("ContinuationToken", asked.told["continuation-token"]))
    if found.following is not None:
        own.append(text("NextContinuationToken", token(found.following)))
    return own


def _contents(file: Listed, name: Callable[[str], str], since: str) -> str:
    key, modified, size = text("Key", name(file.key)), text("LastModified", since), text("Size", file.size)
    tag = [text("ETag", f'"{file.etag}"')] if file.etag else []
    return element("Contents", key, modified, *tag, size, text("StorageClass", "STANDARD"))
