"""A client of a server of synthetic images, which notes what the source had to give for every request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from math import prod
from threading import Lock
from typing import Any, NamedTuple

from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.sources.dataset import Dataset
from diascope.stores.store import Store
from diascope.testing.synthetic_file import source

HUGE: tuple[int, ...] = (10_000, 1_000_000, 1_000_000)
SMALL: tuple[int, ...] = (208, 32_000, 32_000)
LEVELS = {HUGE: 13, SMALL: 8}
NAMES = {HUGE: "huge", SMALL: "small"}


@dataclass
class Counter:
    """What a source was asked for."""

    pixels: int = 0
    reads: int = 0
    lock: Any = field(default_factory=Lock)

    def counting(self, image: Image) -> Image:
        def level(each: Level) -> Level:
            def read_pixels(region: Region) -> Pixels:
                with self.lock:
                    self.pixels += prod(region.shape)
                    self.reads += 1
                return each.read_pixels(region)

            return replace(each, read_pixels=read_pixels)

        return replace(image, levels=tuple(map(level, image.levels)))

    def open(self, store: Store, path: str) -> Dataset:
        dataset = source.open(store, path)
        return replace(dataset, images={name: self.counting(image) for name, image in dataset.images.items()})


class Reply(NamedTuple):
    """What came over HTTP."""

    status: int
    length: int
    body: bytes


@dataclass
class Client:
    """Asks a server for the files of one image, and notes what each request cost."""

    url: str
    folder: str
    shape: tuple[int, ...]
    counter: Counter = field(default_factory=Counter)
    costs: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Pixels and reads by what was asked for."""

    @property
    def name(self) -> str:
        return NAMES[self.shape]

    def get(self, label: str, path: str, start: int | None = None, stop: int = 0) -> bytes:
        """The file at a path below the image, or its bytes from start to stop."""
        headers = {} if start is None else {"range": f"bytes={start}-{stop - 1}"}
        address = f"/data/{self.folder}/{self.name}.synthetic.json/{path}"
        return self.asked(label, address, headers)

    def head(self, path: str) -> Reply:
        """What is told of a file without its bytes."""
        return self._reply("HEAD", f"/data/{self.folder}/{self.name}.synthetic.json/{path}", {})

    def asked(self, label: str, address: str, headers: dict[str, str] | None = None) -> bytes:
        before = self.counter.pixels, self.counter.reads
        reply = self._reply("GET", address, headers or {})
        assert reply.status == (206 if headers else 200), (address, reply.status, reply.body[:500])
        self.costs[label] = self.counter.pixels - before[0], self.counter.reads - before[1]
        return reply.body

    def _reply(self, method: str, address: str, headers: dict[str, str]) -> Reply:
        host, port = self.url.removeprefix("http://").split(":")
        with closing(HTTPConnection(host, int(port), timeout=60)) as connection:
            connection.request(method, address, headers=headers)
            response = connection.getresponse()
            return Reply(response.status, int(response.headers.get("content-length", 0)), response.read())

    def json(self, label: str, path: str) -> Any:
        return json.loads(self.get(label, path))

    def listed(self, label: str, path: str) -> list[str]:
        """The first page of a folder."""
        return [entry["name"] for entry in self.json(label, f"{path}/")["entries"]]

    def levels(self) -> Iterator[tuple[str, int]]:
        """The finest, the middle and the coarsest level."""
        last = LEVELS[self.shape] - 1
        return iter([("finest", 0), ("middle", last // 2), ("coarsest", last)])

    def size(self, level: int) -> tuple[int, ...]:
        return (self.shape[0], *(-(-n // 2**level) for n in self.shape[1:]))
