"""The process in which readers run that are not to be trusted: opens datasets and reads pixels as the server asks.

``python -m diascope.isolation.worker SOCKET MEMORY BYTES PARENT``: two descriptors, how much it may allocate, and whose
child it is.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from diascope.errors import Unavailable, Unreadable
from diascope.image.image import Image
from diascope.image.region import Region
from diascope.isolation.channel import PIECE, Channel, Message
from diascope.isolation.confinement import confine
from diascope.isolation.description import ROLES, dataset_told, image_told
from diascope.isolation.remote_store import Line, RemoteCopies, RemoteStore
from diascope.isolation.shared import SharedMemory
from diascope.isolation.trouble import told
from diascope.registry import registry
from diascope.sources.dataset import Dataset
from diascope.sources.distrust import confined
from diascope.stores.copies import Copies
from diascope.stores.local import LocalStore
from diascope.stores.store import Store


class Worker:
    """The datasets that are open here, by the server's keys."""

    def __init__(self, line: Line, memory: SharedMemory) -> None:
        self._line = line
        self._memory = memory
        self._datasets: dict[int, Dataset] = {}
        self._does: dict[str, Callable[[Message], Message]] = {
            each.__name__: each for each in (self.open, self.close, self.names, self.has, self.image, self.read)
        }

    def done(self, order: Message) -> Message:
        """The answer to what the server orders."""
        try:
            return self._does[order["do"]](order)
        except Exception as error:  # noqa: BLE001  # the server tells errors
            return told(error)

    def open(self, order: Message) -> Message:
        for key in order["closing"]:
            self._datasets.pop(key, None)
        if order["source"] not in registry("sources"):
            raise Unavailable(f"no package that is installed has a source {order['source']!r}")
        dataset = registry("sources")[order["source"]].open(self._store(order), order["path"])
        self._datasets[order["key"]] = dataset
        return dataset_told(dataset)

    def _store(self, order: Message) -> Store:
        where = order["store"]
        if "root" in where:
            return LocalStore(Path(where["root"]), where["follow_links"])
        copies = Copies(Path(where["copies"]), where["max_bytes"])
        return RemoteStore(self._line, order["key"], where["name"], RemoteCopies(self._line, order["key"], copies))

    def close(self, order: Message) -> Message:
        for key in order["keys"]:
            self._datasets.pop(key, None)
        gc.collect()
        return {}

    def names(self, order: Message) -> Message:
        return {"names": list(self._images(order))}

    def has(self, order: Message) -> Message:
        return {"has": order["name"] in self._images(order)}

    def image(self, order: Message) -> Message:
        images = self._images(order)
        return image_told(images[order["name"]]) if order["name"] in images else {}

    def _images(self, order: Message) -> Mapping[str, Image]:
        images: Mapping[str, Image] = getattr(self._datasets[order["key"]], ROLES[order["role"]])
        return images

    def read(self, order: Message) -> Message:
        level = self._images(order)[order["name"]].levels[order["level"]]
        region = Region(tuple(order["start"]), tuple(order["stop"]))
        pixels = np.asarray(level.read(region))
        if pixels.shape != region.shape or pixels.dtype.str != order["dtype"]:
            asked = f"{region.shape} pixels of {order['dtype']}"
            raise Unreadable(f"{asked} were read as {pixels.shape} of {pixels.dtype.str}")
        # The pixels stay in the order that they come in: interleaved colours are wanted so again.
        strides = pixels.strides
        stored = tuple(sorted(range(pixels.ndim), key=lambda axis: -abs(strides[axis])))
        self._memory.array(pixels.shape, pixels.dtype, stored)[...] = pixels
        return {"order": stored}


def main() -> None:
    """Works until the server has gone."""
    descriptor, shared, memory, parent = map(int, sys.argv[1:])
    confine(memory, parent)
    confined()
    channel = Channel(socket.socket(fileno=descriptor), PIECE)
    line = Line(channel)
    worker = Worker(line, SharedMemory(shared))
    line.answer({})
    # What libraries print from now on is about files, at any length.
    os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), 2)
    try:
        while True:
            line.answer(worker.done(channel.receive()[0]))
    except EOFError:
        os._exit(0)  # a library's own threads are not waited for


if __name__ == "__main__":
    main()
