"""``diascope://host:port/path`` as a file system of fsspec (https://filesystem-spec.readthedocs.io).

The path is that of every door: ``repository/folders…/image/view/name.suffix``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from fsspec.spec import AbstractBufferedFile, AbstractFileSystem

from diascope.stores.http import HttpStore
from diascope.stores.store import Stat


class DiascopeFileSystem(AbstractFileSystem):  # type: ignore[misc]
    """The tree of one server, read-only; ``secure`` is for a server behind TLS."""

    protocol = "diascope"
    root_marker = ""

    def __init__(self, host: str = "localhost:8400", *, secure: bool = False, **options: Any) -> None:
        super().__init__(host=host, secure=secure, **options)
        self.host = host
        self._store = HttpStore(f"{'https' if secure else 'http'}://{host}/data/")

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        """The path on the server, with slashes at neither end."""
        if isinstance(path, list):
            return [cls._strip_protocol(each) for each in path]
        text = str(path)
        if text.startswith(f"{cls.protocol}://"):
            text = text[len(cls.protocol) + 3 :].partition("/")[2]
        return text.strip("/")

    @staticmethod
    def _get_kwargs_from_urls(path: str) -> dict[str, Any]:
        parts = urlsplit(path)
        return {"host": parts.netloc} if parts.scheme == DiascopeFileSystem.protocol else {}

    def unstrip_protocol(self, name: str) -> str:
        return f"{self.protocol}://{self.host}/{self._strip_protocol(name)}"

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """``size`` is that of the bytes that come, also where they must be made to tell."""
        name = self._strip_protocol(path)
        stat = self._store.stat(name)
        if stat is None:
            raise FileNotFoundError(path)
        return _entry(name, stat)

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """Of files in a folder the size is None: telling it would cost a request for each."""
        name = self._strip_protocol(path)
        entries = list(self._listed(name))
        return entries if detail else [entry["name"] for entry in entries]

    def cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        name = self._strip_protocol(path)
        if start is None and end is None:
            data = self._store.read(name)
            if data is None:
                raise FileNotFoundError(path)
            return data
        blob = self._store.open(name)
        first, last, _step = slice(start, end).indices(blob.stat.size)
        return blob.read(first, last)

    def ukey(self, path: str) -> str:
        """The entity tag, which changes with the stored file, the view and the path."""
        return str(self.info(path)["ETag"])

    def _listed(self, name: str) -> Iterator[dict[str, Any]]:
        stat = self._store.stat(name)
        if stat is not None and not stat.is_folder:
            yield _entry(name, stat)
            return
        for child, is_folder in self._store.entries(name):
            path = f"{name}/{child}" if name else child
            yield {"name": path, "size": 0 if is_folder else None, "type": "directory" if is_folder else "file"}

    def _open(self, path: str, mode: str = "rb", block_size: int | str = "default", **options: Any) -> DiascopeFile:
        if mode != "rb":
            raise PermissionError(f"{path}: Diascope is only read, never written")
        options.pop("autocommit", None)
        return DiascopeFile(self, path, mode, block_size, **options)


class DiascopeFile(AbstractBufferedFile):  # type: ignore[misc]
    """An open file, of which ranges are asked for."""

    def _fetch_range(self, start: int, end: int) -> bytes:
        return bytes(self.fs.cat_file(self.path, start, end))


def _entry(name: str, stat: Stat) -> dict[str, Any]:
    kind = "directory" if stat.is_folder else "file"
    return {"name": name, "size": stat.size, "type": kind, "ETag": stat.version}
