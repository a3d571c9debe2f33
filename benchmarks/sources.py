"""Processor microseconds for a decoded tile or chunk: through a source, by the plain library call, and the bare read.

Each place is read once, without any cache of Diascope's, one after another, in an order of its own.
"""

from __future__ import annotations

import argparse
import os
import random
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from statistics import median
from time import process_time_ns
from typing import Any

import tifffile
import zarr
from images import CHANNELS, CHUNK, QUICK, SLIDE, VOLUME, Sizes, images
from rich.console import Console
from rich.table import Table

from diascope.image.region import Region, chunk_region
from diascope.registry import registry
from diascope.stores.local import LocalStore

HERE = Path(__file__).parent
MOST = 300

Place = tuple[int, ...]


def source_reads(folder: Path, name: str, source: str) -> Callable[[Place], Any]:
    """The chunk at a place of the finest level."""
    dataset = registry("sources")[source].open(LocalStore(folder), name)
    level = next(iter(dataset.images.values())).levels[0]

    def read(place: Place) -> Any:
        box: Region = chunk_region(place, level.chunk_shape).clipped(level.shape)
        return level.read(box)

    return read


def tifffile_reads(path: Path, tile: int, series_page: Callable[[Any, Place], Any]) -> Callable[[Place], Any]:
    """A tile decoded by tifffile, with its bytes read by the system's own call."""
    file = tifffile.TiffFile(path)
    descriptor = os.open(path, os.O_RDONLY)

    def read(place: Place) -> Any:
        page = series_page(file, place)
        number = place[-2] * (page.imagewidth // tile) + place[-1]
        data = os.pread(descriptor, page.databytecounts[number], page.dataoffsets[number])
        return page.decode(data, number, jpegtables=page.jpegtables)[0]

    return read


def bare_reads(path: Path, tile: int, series_page: Callable[[Any, Place], Any]) -> Callable[[Place], Any]:
    """The bytes of a tile, not decoded."""
    file = tifffile.TiffFile(path)
    descriptor = os.open(path, os.O_RDONLY)

    def read(place: Place) -> Any:
        page = series_page(file, place)
        number = place[-2] * (page.imagewidth // tile) + place[-1]
        return os.pread(descriptor, page.databytecounts[number], page.dataoffsets[number])

    return read


def zarr_reads(path: Path) -> Callable[[Place], Any]:
    array = zarr.open_array(path / "0", mode="r")
    return lambda place: array[tuple(slice(index * CHUNK, (index + 1) * CHUNK) for index in place)]


def chunk_reads(path: Path) -> Callable[[Place], Any]:
    return lambda place: (path / "0" / "/".join(map(str, place))).read_bytes()


def rows(folder: Path, sizes: Sizes) -> Iterator[tuple[str, str, list[Place], Callable[[Place], Any]]]:
    """What is read, by what, where, and how."""
    tiles = [(0, y, x) for y, x in product(range(sizes.slide // 256), repeat=2)]
    planes = [(c, y, x) for c, y, x in product(range(4), *[range(sizes.channels // 512)] * 2)]
    cells = list(product(range(sizes.volume // CHUNK), repeat=3))
    first: Callable[[Any, Place], Any] = lambda file, _: file.pages[0]  # noqa: E731
    channel: Callable[[Any, Place], Any] = lambda file, place: file.pages[place[0]]  # noqa: E731
    yield "JPEG tile 256²", "bare read", tiles, bare_reads(folder / SLIDE, 256, first)
    yield "JPEG tile 256²", "tifffile", tiles, tifffile_reads(folder / SLIDE, 256, first)
    yield "JPEG tile 256²", "diascope", tiles, source_reads(folder, SLIDE, "tiff")
    yield "deflate tile 512², 16 bit", "bare read", planes, bare_reads(folder / CHANNELS, 512, channel)
    yield "deflate tile 512², 16 bit", "tifffile", planes, tifffile_reads(folder / CHANNELS, 512, channel)
    yield "deflate tile 512², 16 bit", "diascope", planes, source_reads(folder, CHANNELS, "tiff")
    yield "blosc chunk 64³, 16 bit", "bare read", cells, chunk_reads(folder / VOLUME)
    yield "blosc chunk 64³, 16 bit", "zarr-python", cells, zarr_reads(folder / VOLUME)
    yield "blosc chunk 64³, 16 bit", "diascope", cells, source_reads(folder, VOLUME, "zarr")


def microseconds(places: list[Place], read: Callable[[Place], Any]) -> float:
    """The median, after one read that may import something."""
    read(places[0])
    return median(timed(read, place) for place in places) / 1000


def timed(read: Callable[[Place], Any], place: Place) -> int:
    start = process_time_ns()
    read(place)
    return process_time_ns() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="on small images, to see that it runs")
    parser.add_argument("--folder", type=Path, default=HERE / "generated", help="where images lie")
    asked = parser.parse_args()
    sizes, folder = (QUICK, asked.folder / "quick") if asked.quick else (Sizes(), asked.folder / "full")
    images(folder, sizes)
    table = Table("read", "by", title="processor time")
    table.add_column("µs", justify="right")
    for name, reader, places, read in rows(folder, sizes):
        order = random.Random(0).sample(places, min(MOST, len(places)))  # noqa: S311
        table.add_row(name, reader, f"{microseconds(order, read):,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
