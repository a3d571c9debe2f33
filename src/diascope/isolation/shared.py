"""Memory in which a worker leaves pixels for the server."""

from __future__ import annotations

import fcntl
import mmap
import os
from math import prod
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from diascope.image.level import Pixels
from diascope.image.region import Ints

KEPT = 1 << 23
"""How many bytes stay in memory from one request to the next."""


class SharedMemory:
    """A file that lies in memory alone; it grows, and a worker cannot make it smaller below the server's feet."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._map: mmap.mmap | None = None

    @classmethod
    def created(cls) -> SharedMemory:
        if not hasattr(os, "memfd_create"):
            with TemporaryFile() as file:
                return cls(os.dup(file.fileno()))
        descriptor = os.memfd_create("diascope", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK)
        return cls(descriptor)

    def reserve(self, size: int) -> None:
        """Make room for so many bytes."""
        if size > os.fstat(self.descriptor).st_size:
            os.ftruncate(self.descriptor, -(-size // KEPT) * KEPT)

    def array(self, shape: Ints, dtype: np.dtype[Any], order: Ints) -> Pixels:
        """What lies at its beginning, as an array whose axes are stored in this order, slowest first."""
        stored = tuple(shape[axis] for axis in order)
        pixels = np.ndarray(stored, dtype, self._mapped(prod(shape) * dtype.itemsize))
        return pixels if stored == shape else pixels.transpose([order.index(axis) for axis in range(len(order))])

    def taken(self, shape: Ints, dtype: np.dtype[Any], order: Ints) -> Pixels:
        """A copy of it, after which much memory is given back."""
        pixels = self.array(shape, dtype, order).copy(order="K")
        if pixels.nbytes > KEPT and self._map is not None and hasattr(mmap, "MADV_REMOVE"):
            self._map.madvise(mmap.MADV_REMOVE, KEPT)
        return pixels

    def _mapped(self, size: int) -> mmap.mmap:
        if self._map is None or len(self._map) < size:
            self._map = mmap.mmap(self.descriptor, os.fstat(self.descriptor).st_size)
        return self._map

    def close(self) -> None:
        self._map = None
        os.close(self.descriptor)
