"""Processor microseconds for a decoded tile or cube of every source, beside the library of its field on the same file.

Cold reads go to the file through no cache of Diascope's, at places not read before as long as there are any, and a
library that maps the file, which keeps what it has touched, maps it anew. Warm ones find their chunks in the cache of
Diascope, and are beside the same read of the library again. All take turns, and medians are told. Both have opened the
file before, and both give an array of their own. Readers that are served by a worker process are measured in this
process, as the library is, and through the worker, whose time is added.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from images import Sizes
from rich.console import Console
from rich.table import Table
from source_cases import Case, cases

from diascope.bounded import reader_cache
from diascope.catalogue.members import Pool
from diascope.image.cache import cached_level, chunk_cache
from diascope.image.level import Level
from diascope.image.region import Region
from diascope.isolation.isolated import isolated
from diascope.registry import registry
from diascope.settings import MEBIBYTE
from diascope.sources.dataset import Dataset
from diascope.stores.local import LocalStore

HERE = Path(__file__).parent
READERS = 8 * MEBIBYTE
"""What readers may keep: the index of one file that is packed as a whole, and a few of its blocks, but few tiles."""

MOST, SECONDS = 200, 2.0
"""So many places are read, or as many as can be in so many seconds."""

SIDE, QUICK_SIDE = Sizes().volume // 2, 128


class Times(NamedTuple):
    """Nanoseconds."""

    plain: list[int]
    again: list[int]
    """The library once more at the same place."""
    cold: list[int]
    worker: list[int]
    warm: list[int]


def children() -> list[int]:
    """The processor clocks of the children of this process, as clock_getcpuclockid() makes them of their numbers."""
    listed = (task.read_text(encoding="ascii").split() for task in Path("/proc/self/task").glob("*/children"))
    return [(~int(child) << 3) | 2 for child in chain.from_iterable(listed)]


def timed(action: Callable[[], Any]) -> int:
    """Nanoseconds that this process works."""
    start = time.process_time_ns()
    action()
    return time.process_time_ns() - start


def timed_with(clocks: list[int], action: Callable[[], Any]) -> int:
    """Nanoseconds that this process and those of these clocks work."""
    start = sum(map(time.clock_gettime_ns, clocks))
    own = timed(action)
    return own + sum(map(time.clock_gettime_ns, clocks)) - start


def level_of(dataset: Dataset) -> Level:
    """The finest one of its first image."""
    return next(iter(dataset.images.values())).levels[0]


def places(level: Level, shape: tuple[int, ...]) -> Iterator[Region]:
    """Boxes of a shape that lie inside, in an order of their own, again when they have all been."""
    grid = [max(size // step, 1) for size, step in zip(level.shape, shape, strict=True)]
    order = list(np.ndindex(*grid))
    random.Random(0).shuffle(order)  # noqa: S311
    for index in chain.from_iterable([order] * MOST):
        start = tuple(k * step for k, step in zip(index, shape, strict=True))
        yield Region(start, tuple(k + step for k, step in zip(start, shape, strict=True)))


def checked(case: Case, ours: Any, theirs: Any) -> None:
    """Raise AssertionError where the two read different pixels."""
    theirs = np.asarray(theirs)
    assert ours.size == theirs.size, (case.file, ours.shape, theirs.shape)  # noqa: S101
    apart = np.abs(ours.astype("f8") - theirs.reshape(ours.shape).astype("f8")).mean()
    assert apart <= (case.tolerance or 0.0), (case.file, apart)  # noqa: S101


def measured(case: Case, folder: Path, seconds: float) -> dict[str, Any]:
    """Microseconds of all that is measured."""
    store, path = LocalStore(folder), folder / case.file
    pool = Pool(store=store, owner="benchmark", chunks=chunk_cache(0), views={})
    source = pool.bound(registry("sources")[case.source])

    def ours() -> Level:
        return level_of(source.open(store, case.file))

    def served() -> Level:
        return level_of(isolated(source, store, case.file, "benchmark")) if source.is_isolated else level

    level, read = ours(), case.plain(path)
    far, warm = served(), cached_level(level, chunk_cache(256 * MEBIBYTE), "warm")
    times, until = Times([], [], [], [], []), time.monotonic() + seconds
    for k, place in enumerate(places(level, case.box(level))):
        box = place.slices
        if k == 0:
            checked(case, level.read(place), read(box))
            far.read(place)
            clocks = children()
            continue
        if case.is_mapped:
            level, read = ours(), case.plain(path)
        times.plain.append(timed(lambda: (case.plain(path) if case.is_picture else read)(box)))  # noqa: B023
        times.cold.append(timed(lambda: (ours() if case.is_picture else level).read(place)))  # noqa: B023
        if source.is_isolated:
            far_now = served if case.is_picture else lambda: far
            times.worker.append(timed_with(clocks, lambda: far_now().read(place)))  # noqa: B023
        times.again.append(timed(lambda: read(box)))  # noqa: B023
        warm.read(place)
        times.warm.append(timed(lambda: warm.read(place)))  # noqa: B023
        if k >= MOST or (k > 2 and time.monotonic() > until):
            break
    found = {name: median(each) / 1000 for name, each in times._asdict().items() if each}
    opened = {} if case.is_picture else openings(case, ours, path)
    return {
        "source": case.source,
        "file": case.file,
        "what": case.what,
        "library": case.library,
        **found,
        "ratio": found["cold"] / found["plain"],
        **opened,
    }


def openings(case: Case, ours: Callable[[], Level], path: Path) -> dict[str, float]:
    """Microseconds that it takes to open a file."""
    pairs = [(timed(lambda: case.plain(path)), timed(ours)) for _ in range(3)]
    plain, cold = (median(each) / 1000 for each in zip(*pairs, strict=True))
    return {"opening_plain": plain, "opening": cold}


def written(case: Case, folder: Path, side: int) -> None:
    """The file of a case, unless it is there; a half one is not left."""
    done = folder / f".{case.file}.done"
    if done.exists():
        return
    path = folder / case.file
    if path.is_dir():
        shutil.rmtree(path)
    case.write(path, side)
    done.touch()


def shown(results: list[dict[str, Any]]) -> Table:
    table = Table("source", "read", "library", title="processor time, µs")
    for name in ("library", "cold", "ratio", "worker", "ratio", "again", "warm", "opening: library", "ours"):
        table.add_column(name, justify="right")
    for each in results:
        number = {key: f"{value:,.0f}" for key, value in each.items() if isinstance(value, float)}
        table.add_row(
            each["source"],
            each["what"],
            each["library"],
            number["plain"],
            number["cold"],
            f"{each['ratio']:.2f}",
            number.get("worker", ""),
            f"{each['worker'] / each['plain']:.2f}" if "worker" in each else "",
            number["again"],
            number["warm"],
            number.get("opening_plain", ""),
            number.get("opening", ""),
        )
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="on small files, to see that it runs")
    parser.add_argument("--folder", type=Path, default=HERE / "generated", help="where files lie")
    parser.add_argument("--only", nargs="*", default=(), help="sources, all by default")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    reader_cache.max_bytes = READERS
    folder = asked.folder / "sources" / ("quick" if asked.quick else "full")
    folder.mkdir(parents=True, exist_ok=True)
    results = []
    for case in cases():
        if asked.only and case.source not in asked.only:
            continue
        written(case, folder, QUICK_SIDE if asked.quick else SIDE)
        results.append(measured(case, folder, 0.0 if asked.quick else SECONDS))
    Console(width=160).print(shown(results))
    (asked.folder / "sources.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
