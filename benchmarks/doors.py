"""The server's processor time for the same through each of its doors: a folder of files, and parts of a large file.

The parts are compared with one another, and the listings have to name every file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import numpy as np
import tifffile
from rich.console import Console
from rich.table import Table
from server import Server, serving

HERE = Path(__file__).parent
PART = 64 << 10
LISTINGS = {
    "/data/, names": ("GET", "/data/{box}/files/"),
    "WebDAV, sizes and ETags": ("PROPFIND", "/dav/{box}/files/"),
    "S3, sizes and ETags": ("GET", "/s3/{box}?list-type=2&prefix=files/&delimiter=/"),
}
DOORS = ("data", "dav", "s3")
LARGE = "volume.tif/original/volume.nrrd"


class Cost(NamedTuple):
    """Of one request."""

    processor_ms: float
    wall_ms: float


def images(folder: Path, files: int) -> None:
    """A folder of small files, and a volume."""
    (folder / "files").mkdir(parents=True, exist_ok=True)
    for number in range(files):
        (folder / "files" / f"{number}.txt").write_text(f"{number}\n", encoding="ascii")
    pixels = np.random.default_rng(0).integers(0, 4096, (64, 512, 512), dtype=np.uint16)
    tifffile.imwrite(folder / "volume.tif", pixels, imagej=True, metadata={"axes": "ZYX"})


def asked(server: Server, method: str, path: str, **headers: str) -> bytes:
    """The body of an answer, on a connection of its own only where there was none."""
    connection = CONNECTIONS.setdefault(server.port, HTTPConnection("127.0.0.1", server.port))
    connection.request(method, path, headers=headers)
    response = connection.getresponse()
    data = response.read()
    if response.status not in {200, 206, 207}:
        raise SystemExit(f"{method} {path} is answered with {response.status}: {data[:300]!r}")
    return data


CONNECTIONS: dict[int, HTTPConnection] = {}


def cost(server: Server, repeats: int, action: Callable[[int], object]) -> Cost:
    """Of an action that is done so many times, once it was done."""
    action(0)
    processor, start = server.processor_seconds(), perf_counter()
    for number in range(repeats):
        action(number)
    seconds = perf_counter() - start
    return Cost((server.processor_seconds() - processor) / repeats * 1000, seconds / repeats * 1000)


def listing(server: Server, box: str, name: str, files: int) -> Callable[[int], None]:
    """Asks for the folder, and counts its files."""
    method, path = LISTINGS[name]

    def action(_: int) -> None:
        data = asked(server, method, path.format(box=box), depth="1")
        if data.count(b".txt") < files:
            raise SystemExit(f"{name}: files are missing")

    return action


def part(server: Server, box: str, door: str) -> Callable[[int], bytes]:
    """Asks for a part of the volume."""

    def action(number: int) -> bytes:
        start = number * PART
        return asked(server, "GET", f"/{door}/{box}/{LARGE}", range=f"bytes={start}-{start + PART - 1}")

    return action


def measured(folder: Path, files: int, repeats: int) -> dict[str, Cost]:
    """Each in turn on one server, whose caches hold what was asked for before."""
    box = folder.name
    with serving(folder) as server:
        parts = {door: part(server, box, door) for door in DOORS}
        for number in range(repeats):
            if len({action(number) for action in parts.values()}) != 1:
                raise SystemExit(f"part {number} is not the same through every door")
        found = {
            f"{files} files: {name}": cost(server, max(1, repeats // 10), listing(server, box, name, files))
            for name in LISTINGS
        }
        return found | {f"64 KiB: /{door}/": cost(server, repeats, action) for door, action in parts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few requests, to see that it runs")
    parser.add_argument("--folder", type=Path, default=HERE / "generated", help="where images and results lie")
    options = parser.parse_args()
    files, repeats = (50, 5) if options.quick else (1000, 400)
    folder = options.folder / ("doors-quick" if options.quick else "doors")
    images(folder, files)
    found = measured(folder, files, repeats)
    table = Table("", "CPU ms", "ms", title="The server's, for one request")
    for name, each in found.items():
        table.add_row(name, f"{each.processor_ms:.2f}", f"{each.wall_ms:.2f}")
    Console().print(table)
    target = options.folder / "doors.json"
    target.write_text(json.dumps({name: each._asdict() for name, each in found.items()}, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
