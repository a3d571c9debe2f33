"""W7: a virtual OME-TIFF is read from front to back, by HTTP ranges and through a mount, beside decoding in process.

Sources are pyramids of uncompressed and of deflated tiles, and uncompressed tiles without coarser levels, which are
then made while they are read; all are in the page cache. Each round has a server and a mount of its own; what they give
is compared first.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from io import BytesIO
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, NamedTuple

import numpy as np
import tifffile

from .pictures import Channels, halved
from .processes import Server, free_port, running

NAME = "tiles.ome.tif"
SERVED = f"{NAME}/original/{NAME}"
BLOCK, RANGE = 1 << 20, 4 << 20
BAR = 0.6
FULL, QUICK = 4096, 512
SOURCES = {"uncompressed": "none", "deflated": "zlib", "one level": "none"}


class Reading(NamedTuple):
    """Of all bytes once."""

    bytes: int
    seconds: float
    cpu: float
    """Seconds of the server, or of decoding in this process."""


def sequential(top: Path, rounds: int, *, is_quick: bool) -> list[dict[str, Any]]:
    """A result for each source."""
    found = []
    names = ["deflated"] if is_quick else list(SOURCES)
    for name, path in images(top / "sequential", names, QUICK if is_quick else FULL).items():
        readings: dict[str, list[Reading]] = {way: [] for way in WAYS}
        checked(path)
        for _ in range(rounds):
            for way, function in WAYS.items():
                readings[way].append(function(path))
        speeds = {way: median(each.bytes / each.seconds for each in rows) for way, rows in readings.items()}
        costs = {way: median(each.cpu / each.bytes for each in rows) for way, rows in readings.items()}
        found.append(
            {
                "source": name,
                "bytes_per_second": speeds,
                "cpu_seconds_per_byte": costs,
                "rounds": {way: [each._asdict() for each in rows] for way, rows in readings.items()},
            }
        )
    return found


def images(folder: Path, names: list[str], side: int) -> dict[str, Path]:
    """Three channels of 16 bits in tiles of 512 pixels."""
    paths = {name: folder / str(side) / name / NAME for name in names}
    for name, path in paths.items():
        if path.exists():
            continue
        compression = SOURCES[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        planes = [list(halved(plane)) for plane in Channels(side).region(0, 0, side, side)[:3]]
        levels = [np.stack(level) for level in zip(*planes, strict=True)][: 1 if name == "one level" else None]
        options: dict[str, Any] = {"tile": (512, 512), "compression": compression, "photometric": "minisblack"}
        options["predictor"] = compression != "none"
        partial = path.with_name("partial.ome.tif")
        with tifffile.TiffWriter(partial, bigtiff=True, ome=True) as file:
            file.write(levels[0], subifds=len(levels) - 1, metadata={"axes": "CYX"}, **options)
            for level in levels[1:]:
                file.write(level, subfiletype=1, **options)
        partial.rename(path)
    return paths


def checked(path: Path) -> None:
    """Both ways give the pixels of the source, which the page cache has from now on."""
    expected = tifffile.imread(path)
    with mounted(path.parent) as (top, _):
        np.testing.assert_array_equal(tifffile.imread(top / SERVED), expected)
    blocks: list[bytes] = []
    by_ranges(path, blocks.append)
    np.testing.assert_array_equal(tifffile.imread(BytesIO(b"".join(blocks))), expected)


def by_ranges(path: Path, taken: Callable[[bytes], object] = len) -> Reading:
    """One range after another on one connection, as readers of remote files ask."""
    port = free_port()
    words = [sys.executable, "-m", "diascope", "serve", str(path.parent), "--port", str(port)]
    with TemporaryDirectory(prefix="ranges-") as scratch:
        log, environment = Path(scratch) / "log", {"XDG_CACHE_HOME": scratch}
        with running([words], port, log, environment) as server:
            connection = HTTPConnection("127.0.0.1", port, timeout=60)
            address = f"/data/{path.parent.name.replace(' ', '%20')}/{SERVED}"
            connection.request("HEAD", address)
            answer = connection.getresponse()
            answer.read()
            size, before, start = int(answer.headers["content-length"]), server.processor_seconds(), perf_counter()
            for first in range(0, size, RANGE):
                last = min(first + RANGE, size) - 1
                connection.request("GET", address, headers={"Range": f"bytes={first}-{last}"})
                data = connection.getresponse().read()
                if len(data) != last + 1 - first:
                    raise SystemExit(f"{address} gave {len(data)} bytes of {last + 1 - first}")
                taken(data)
            return Reading(size, perf_counter() - start, server.processor_seconds() - before)


def through_mount(path: Path) -> Reading:
    with mounted(path.parent) as (top, server):
        buffer, total, before = bytearray(BLOCK), 0, server.processor_seconds()
        descriptor = os.open(top / SERVED, os.O_RDONLY)
        start = perf_counter()
        while read := os.readv(descriptor, [buffer]):
            total += read
        seconds = perf_counter() - start
        os.close(descriptor)
        return Reading(total, seconds, server.processor_seconds() - before)


def in_process(path: Path) -> Reading:
    """All levels, decoded by tifffile."""
    before, start, total = process_time(), perf_counter(), 0
    with tifffile.TiffFile(path) as file:
        for level in file.series[0].levels:
            total += level.asarray().nbytes
    return Reading(total, perf_counter() - start, process_time() - before)


WAYS = {"ranges": by_ranges, "mount": through_mount, "tifffile": in_process}


@contextmanager
def mounted(folder: Path) -> Iterator[tuple[Path, Server]]:
    """``diascope mount`` of the folder, for as long as the block runs."""
    with TemporaryDirectory(prefix="mount-") as mountpoint:
        command = [sys.executable, "-u", "-m", "diascope", "mount", str(folder), mountpoint]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None  # noqa: S101
                if "has mounted" not in process.stdout.readline():
                    raise SystemExit("the folder could not be mounted")
                yield Path(mountpoint), Server(0, [process.pid])
            finally:
                process.terminate()
                process.wait(30)


def told(results: list[dict[str, Any]]) -> list[str]:
    """A line for each source and way."""
    lines = []
    for result in results:
        speeds, costs = result["bytes_per_second"], result["cpu_seconds_per_byte"]
        for way in ("ranges", "mount"):
            ratio = speeds[way] / speeds["tifffile"]
            verdict = "reached" if ratio >= BAR else "NOT REACHED"
            lines.append(
                f"W7 {result['source']}, {way}: {verdict}, {ratio:.0%} of {BAR:.0%}; "
                f"{speeds[way] / 1e6:,.0f} MB/s, decoding in process {speeds['tifffile'] / 1e6:,.0f} MB/s; "
                f"CPU a gigabyte {costs[way] * 1e9:.2f} s and {costs['tifffile'] * 1e9:.2f} s"
            )
    return lines
