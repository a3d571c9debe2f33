"""A folder of a tree as a read-only store of zarr-python 3 (https://zarr.readthedocs.io, ``zarr.abc.store``)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from zarr.abc.store import ByteRequest, OffsetByteRequest, RangeByteRequest, Store, SuffixByteRequest
from zarr.core.buffer import Buffer, BufferPrototype, default_buffer_prototype

from diascope.tree.file import Tree
from diascope.tree.walk import listed_files


class TreeStore(Store):  # type: ignore[misc]
    """The files below a folder of a tree; threads make them, so that many are made at once."""

    supports_writes = False
    supports_deletes = False
    supports_listing = True

    def __init__(self, tree: Tree, folder: str, remade: tuple[Callable[..., Any], tuple[Any, ...]]) -> None:
        """``remade`` is a function and its arguments that make the same store in another process."""
        super().__init__(read_only=True)
        self._tree = tree
        self._folder = folder
        self._remade = remade

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._remade

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeStore) and other._tree is self._tree and other._folder == self._folder

    def __hash__(self) -> int:
        return hash((id(self._tree), self._folder))

    def __str__(self) -> str:
        return f"diascope://{self._folder}"

    def with_read_only(self, read_only: bool = False) -> Store:
        """It cannot be anything else."""
        if not read_only:
            raise ValueError("an image is only read, never written")
        return self

    async def get(
        self, key: str, prototype: BufferPrototype | None = None, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        data = await asyncio.to_thread(self._read, key, byte_range)
        made = prototype or default_buffer_prototype()
        return None if data is None else made.buffer.from_bytes(data)

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        return list(await asyncio.gather(*(self.get(key, prototype, part) for key, part in key_ranges)))

    async def exists(self, key: str) -> bool:
        return await asyncio.to_thread(self._tree.file, self._path(key)) is not None

    async def set(self, key: str, value: Buffer) -> None:  # noqa: ARG002
        self._check_writable()

    async def delete(self, key: str) -> None:  # noqa: ARG002
        self._check_writable()

    async def list(self) -> AsyncIterator[str]:
        async for key in self.list_prefix(""):
            yield key

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Every key that begins so, one after another: an image may have billions."""
        folder = prefix.rpartition("/")[0]
        for path in listed_files(self._tree, self._path(folder)):
            key = path[len(self._folder) + 1 :]
            if key.startswith(prefix):
                yield key

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        for entry in self._tree.entries(self._path(prefix.rstrip("/"))) or ():
            yield entry.name

    def _path(self, key: str) -> str:
        return f"{self._folder}/{key}" if key else self._folder

    def _read(self, key: str, part: ByteRequest | None) -> bytes | None:
        file = self._tree.file(self._path(key))
        if file is None:
            return None
        if isinstance(part, RangeByteRequest):
            return file.read(part.start, part.end)
        if isinstance(part, OffsetByteRequest):
            return file.read(part.offset, None)
        if isinstance(part, SuffixByteRequest):
            whole = file.read(0, None)
            return whole[max(len(whole) - part.suffix, 0) :]
        return file.read(0, None)
