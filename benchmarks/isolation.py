"""What it costs to read through a worker process: microseconds of a tile and a chunk, here, there, and the difference.

Both lie uncompressed in the page cache, so that little else is measured. They take turns; the median counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter_ns
from typing import Any

import numpy as np
import tifffile
import zarr
from rich.console import Console
from rich.table import Table

from diascope.image.level import Level
from diascope.image.region import Region
from diascope.isolation.isolated import isolated
from diascope.registry import registry
from diascope.sources.dataset import Dataset
from diascope.stores.local import LocalStore

TILE, CHUNK = 256, 64
ROUNDS, QUICK = 3000, 20


def written(folder: Path) -> dict[str, tuple[str, str]]:
    """The files, by what is read of them, with the names of their sources."""
    pixels = np.random.default_rng(0).integers(0, 60_000, (4 * TILE, 4 * TILE)).astype(np.uint16)
    tifffile.imwrite(folder / "tiles.tif", pixels, tile=(TILE, TILE))
    volume = pixels.reshape((4 * CHUNK, CHUNK, CHUNK))
    array = zarr.create_array(
        folder / "chunks.zarr", shape=volume.shape, chunks=(CHUNK,) * 3, dtype="uint16", compressors=None
    )
    array[:] = volume
    return {f"tile {TILE}², 16 bit": ("tiles.tif", "tiff"), f"chunk {CHUNK}³, 16 bit": ("chunks.zarr", "zarr")}


def level_of(dataset: Dataset) -> Level:
    return next(iter(dataset.images.values())).levels[0]


def measured(here: Level, there: Level, rounds: int) -> tuple[float, float]:
    """Median microseconds of the first chunk."""
    size = tuple(map(min, here.chunk_shape, here.shape))
    region = Region((0,) * len(size), size)
    assert np.array_equal(here.read(region), there.read(region))  # noqa: S101
    times = [(timed(lambda: here.read(region)), timed(lambda: there.read(region))) for _ in range(rounds)]
    return median(direct for direct, _ in times) / 1000, median(worker for _, worker in times) / 1000


def timed(read: Callable[[], Any]) -> int:
    start = perf_counter_ns()
    read()
    return perf_counter_ns() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it runs")
    rounds = QUICK if parser.parse_args().quick else ROUNDS
    table = Table("read", title="wall-clock µs")
    for name in ("here", "through a worker", "added"):
        table.add_column(name, justify="right")
    with TemporaryDirectory() as folder:
        store = LocalStore(Path(folder))
        for what, (name, format) in written(Path(folder)).items():
            source = registry("sources")[format]
            there = isolated(source, store, name, "benchmark")
            direct, worker = measured(level_of(source.open(store, name)), level_of(there), rounds)
            table.add_row(what, f"{direct:,.0f}", f"{worker:,.0f}", f"{worker - direct:,.0f}")
        start = perf_counter_ns()
        isolated(registry("sources")["tiff"], store, "tiles.tif", "again")
        table.add_row("opening a TIFF", "", f"{(perf_counter_ns() - start) / 1000:,.0f}", "")
    Console().print(table)


if __name__ == "__main__":
    main()
