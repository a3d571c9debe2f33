"""How much of what viewers ask for is there, while others read whole volumes: what a cache keeps, beside other ways.

Chunks of 40 images are asked for by people who look at the middle of popular ones and pan, and by readers of whole
volumes who come by each chunk as often as a row of tiles needs it. Only the viewers' share is told.
Then what a hit costs.
"""

from __future__ import annotations

import argparse
import random
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from timeit import repeat

from rich.console import Console
from rich.table import Table

from diascope.bounded import BoundedCache
from diascope.image.cache import cached_level, chunk_cache
from diascope.image.region import Region
from diascope.testing.synthetic import ramp

IMAGES, SIDE = 40, 64
SIZE = 1000
"""Bytes of a chunk."""


class Lru:
    """What was used last."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._there: OrderedDict[Hashable, None] = OrderedDict()

    def asked(self, key: Hashable) -> bool:
        """Whether it was there."""
        there = key in self._there
        self._there[key] = None
        self._there.move_to_end(key)
        if len(self._there) > self._most:
            self._there.popitem(last=False)
        return there


class Ours:
    """The house's own."""

    def __init__(self, most: int) -> None:
        self._cache: BoundedCache[int] = BoundedCache(most * SIZE, weigh=lambda _: SIZE)

    def asked(self, key: Hashable) -> bool:
        """Whether it was there."""
        before = self._cache.hits
        self._cache.get(key, lambda: 0)
        return self._cache.hits != before


def viewing(chance: random.Random) -> Iterator[Hashable]:
    """What people look at: windows of six chunks that move."""
    while True:
        image = int(chance.paretovariate(1.0)) % IMAGES
        x, y = (int(chance.gauss(SIDE / 2, SIDE / (16 if chance.random() < 0.6 else 3))) for _ in "xy")
        for _ in range(chance.randrange(5, 30)):
            yield from (("viewed", image, x + i, y + j) for j in range(2) for i in range(3))
            x, y = x + chance.choice((-1, 0, 1)), y + chance.choice((-1, 0, 1))


def scanning(again: int) -> Iterator[Hashable]:
    """Volume after volume, each chunk so often in its row, and in so many rows."""
    volume = 0
    while True:
        volume += 1
        for y in range(SIDE):
            for _ in range(again):
                yield from (("scanned", volume, x, y) for x in range(SIDE) for _ in range(again))


def share(asked: Callable[[Hashable], bool], again: int, scanned: float, total: int) -> float:
    """How many of the viewers' chunks were there."""
    chance = random.Random(1)  # noqa: S311
    viewers, readers = viewing(chance), scanning(again)
    found = 0
    for _ in range(total // 16):
        if chance.random() < scanned:
            for _ in range(64):
                asked(next(readers))
        found += sum(asked(next(viewers)) for _ in range(16))
    return found / (total // 16 * 16)


def hit_costs() -> tuple[float, float]:
    """Microseconds of a value, and of the pixels of a chunk."""
    kept = chunk_cache(1 << 24)
    level = cached_level(ramp("zyx", (4, 512, 512), chunk_shape=(1, 256, 256)).levels[0], kept, ("an image", 0))
    region = Region((1, 0, 256), (2, 256, 512))
    level.read(region)
    values: BoundedCache[bytes] = BoundedCache(1 << 20, weigh=len)
    key = (("an image", 0), (1, 0, 1))
    values.get(key, lambda: b"value")
    times = 50_000
    return (
        min(repeat(lambda: values.get(key, bytes), number=times, repeat=5)) / times * 1e6,
        min(repeat(lambda: level.read(region), number=times, repeat=5)) / times * 1e6,
    )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the chunks")
    total = 15_000 if parser.parse_args().quick else 150_000
    console = Console()
    table = Table("room for", "chunks of volumes for one of viewers", "each again", "least recently used", "ours")
    for most in (500, 2000, 8000):
        for again, scanned in ((1, 0.0), (1, 0.25), (4, 0.25), (4, 1.0)):
            rates = [share(each(most).asked, again, scanned, total) for each in (Lru, Ours)]
            table.add_row(str(most), f"{scanned * 4:g}", str(again * again), *(f"{rate:.1%}" for rate in rates))
    console.print(table)
    value, pixels = hit_costs()
    console.print(f"a hit: {value:.2f} µs for a value, {pixels:.2f} µs for the pixels of a chunk")


if __name__ == "__main__":
    main()
