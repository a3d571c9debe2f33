"""Files below a prefix of a bucket, where a folder is what keys begin with before a slash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from diascope.errors import BadRequest, Changed, NotFound, Unreadable
from diascope.stores.bucket import Bucket
from diascope.stores.neighbours import Neighbours
from diascope.stores.object_errors import told
from diascope.stores.store import Blob, Stat

if TYPE_CHECKING:
    from obstore import ObjectMeta

PAGE = 1000
"""Keys that a store lists at once."""

LONGEST_KEY = 1024
"""Bytes that the key of an object has at the most, with any of the providers."""

LARGEST = 1 << 30
"""How many bytes a file may have that is read at once."""

TIME, WEAK = "@", "W/"
"""What versions begin with that no store compares: times, where it has no entity tags, and weak tags."""

FOLDER = Stat(is_folder=True, size=0, version="")


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """What lies below ``prefix``, which is empty or ends in a slash."""

    bucket: Bucket
    prefix: str = ""

    def stat(self, path: str) -> Stat | None:
        return self.looked(path)[0]

    def looked(self, path: str) -> tuple[Stat | None, Neighbours | None]:
        """The same, and of a folder what a look at it has told of all that lies in it."""
        if not path:
            return FOLDER, None
        key = self._key(path)
        if len(key.encode()) > LONGEST_KEY:
            return None, None
        from obstore import head

        try:
            with told(self._where(path)):
                return _stat(head(self.bucket.client, key)), None
        except NotFound:
            near = self._neighbours(path)
            return (FOLDER, near) if near.stats else (None, None)

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
        return ((name, stat.is_folder) for name, stat in self.entries(path) if not name.startswith("."))

    def entries(self, path: str) -> Iterator[tuple[str, Stat]]:
        """Everything in a folder, hidden names too, with what is known of it; a page at a time.

        Raises NotFound where there is nothing, which is what an empty folder is here.
        """
        found = False
        for entry in self._entries(path):
            found = True
            yield entry
        if path and not found:
            raise NotFound(f"there is no folder {self._where(path)}")

    def open(self, path: str) -> Blob:
        from obstore import head

        with told(self._where(path)):
            meta = head(self.bucket.client, self._key(path))
        return self.blob(path, _stat(meta))

    def blob(self, path: str, stat: Stat) -> Blob:
        """The file as it was when this was known of it."""
        return ObjectBlob(self.bucket, self._key(path), self._where(path), stat)

    def opened(self, path: str, size: int) -> tuple[Blob, bytes]:
        """The file and its first bytes, by one request."""
        from obstore import get

        try:
            with told(self._where(path)):
                result = get(self.bucket.client, self._key(path), options={"range": (0, size)})
                return self.blob(path, _stat(result.meta)), bytes(result.bytes())
        except Unreadable:
            # There is no range in a file without bytes.
            blob = self.open(path)
            if blob.stat.size:
                raise
            return blob, b""

    def read(self, path: str) -> bytes | None:
        from obstore import get

        try:
            with told(self._where(path)):
                result = get(self.bucket.client, self._key(path))
                if result.meta["size"] > LARGEST:
                    raise Unreadable(f"{path}: more than {LARGEST} bytes are not read at once")
                return bytes(result.bytes())
        except NotFound:
            return None

    def local_path(self, path: str) -> str | None:  # noqa: ARG002
        return None

    def _key(self, path: str) -> str:
        if path and (not path.isprintable() or any(part in {"", ".", ".."} for part in path.split("/"))):
            raise BadRequest(f"{path!r} is no path within a repository")
        return self.prefix + path

    def _where(self, path: str) -> str:
        return f"{self.bucket}/{self.prefix}{path}"

    def _neighbours(self, path: str) -> Neighbours:
        """What one page of keys tells of a folder."""
        page = next(self._pages(path), [])
        full = len(page) >= PAGE
        last = self._relative(page[-1]["path"]) if full and self.bucket.is_ordered else ""
        stats: dict[str, Stat] = {}
        for meta in page:
            relative = self._relative(meta["path"])
            parents = relative.split("/")[:-1]
            stats |= {"/".join(parents[:k]): FOLDER for k in range(path.count("/") + 2, len(parents) + 1)}
            stats[relative] = _stat(meta)
        return Neighbours(path, stats, last if full else None)

    def _entries(self, path: str) -> Iterator[tuple[str, Stat]]:
        pages = self._pages(path)
        first = next(pages, [])
        if len(first) < PAGE:
            yield from self._directly(path, first).items()
            return
        last = ""
        for page in chain([first], pages):
            if any("/" in self._below(path, meta) for meta in page):
                # Below a folder there may be millions: from here on the store itself leaves them out.
                rest = self._delimited(path).items()
                yield from ((name, stat) for name, stat in rest if stat.is_folder or name > last)
                return
            yield from self._directly(path, page).items()
            last = self._below(path, page[-1])

    def _directly(self, path: str, page: list[ObjectMeta]) -> dict[str, Stat]:
        """What lies in a folder itself; a file comes before a folder of its name."""
        found: dict[str, Stat] = {}
        for meta in page:
            name, slash, _ = self._below(path, meta).partition("/")
            if name and not (slash and name in found):
                found[name] = FOLDER if slash else _stat(meta)
        return found

    def _delimited(self, path: str) -> dict[str, Stat]:
        from obstore import list_with_delimiter

        with told(self._where(path)):
            result = list_with_delimiter(self.bucket.client, self._key(path).rstrip("/") or None)
        folders = {prefix.rstrip("/").rpartition("/")[2]: FOLDER for prefix in result["common_prefixes"]}
        return folders | self._directly(path, list(result["objects"]))

    def _pages(self, path: str) -> Iterator[list[ObjectMeta]]:
        from obstore import list as listing

        with told(self._where(path)):
            stream: Any = iter(listing(self.bucket.client, self._key(path).rstrip("/") or None, chunk_size=PAGE))
        while True:
            with told(self._where(path)):
                page = next(stream, None)
            if not page:
                return
            yield page

    def _relative(self, key: str) -> str:
        return key[len(self.prefix) :]

    def _below(self, path: str, meta: ObjectMeta) -> str:
        return self._relative(meta["path"])[len(path) + bool(path) :]


@dataclass(frozen=True, slots=True)
class ObjectBlob:
    """A file of which ranges are asked for, as long as it is the one that was opened."""

    bucket: Bucket
    key: str
    where: str
    stat: Stat

    def read(self, start: int, stop: int) -> bytes:
        """Raises Changed where it is not the file that was opened."""
        from obstore import get

        stop = min(stop, self.stat.size)
        if start >= stop:
            return b""
        options: dict[str, Any] = {"range": (start, stop)}
        if not self.stat.version.startswith((TIME, WEAK)):
            options["if_match"] = f'"{self.stat.version}"'
        try:
            with told(self.where):
                result = get(self.bucket.client, self.key, options=options)  # type: ignore[arg-type]
                now = _stat(result.meta)
                if (now.size, now.version) != (self.stat.size, self.stat.version):
                    raise Changed(f"{self.where} has changed since it was opened")
                data = bytes(result.bytes())
        except NotFound:
            raise Unreadable(f"{self.where} has gone") from None
        if tuple(result.range) != (start, stop) or len(data) != stop - start:
            raise Unreadable(f"{self.where}: {len(data)} bytes came of the {stop - start} that were asked for")
        return data


def _stat(meta: ObjectMeta) -> Stat:
    # Azure quotes an entity tag in an answer's head, and not in a listing.
    tag = (meta["e_tag"] or "").strip('"')
    modified = meta["last_modified"].timestamp()
    return Stat(is_folder=False, size=meta["size"], version=tag or f"{TIME}{modified}", modified=modified)
