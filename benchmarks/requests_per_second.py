"""Requests a second, latencies, and the server's processor time a request, for what viewers ask for.

Every answer is checked: all are 200 and the same whenever they are repeated, all decode to the right shape, and the
pixels of some are compared with the stored ones.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from typing import Any
from zlib import crc32

import imagecodecs
import numpy as np
import tifffile
import zarr
from images import CHANNELS, CHUNK, QUICK, SLIDE, VOLUME, Sizes, images
from numcodecs import Blosc
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table
from server import Server, serving

HERE = Path(__file__).parent
TILE = 256
LOSS = 4.0
"""How many grey values a JPEG may be off on average, being encoded a second time."""
COMPARED = 8
"""Answers of each kind whose pixels are compared."""
MOST = 1000
"""Paths of each kind."""

Pixels = NDArray[Any]


@dataclass(frozen=True)
class Work:
    """Requests of one kind, each path with the place it shows."""

    name: str
    paths: dict[str, tuple[int, ...]]
    decoded: Callable[[bytes], Pixels]
    expected: Callable[[tuple[int, ...]], Pixels | None]
    """The pixels at a place, None where only the shape can be told."""
    shape: tuple[int, ...]
    loss: float = 0


def works(folder: Path, sizes: Sizes) -> list[Work]:
    """What is measured."""
    base = f"/data/{folder.name}"
    slide = tifffile.imread(folder / SLIDE, level=0)
    volume = zarr.open_array(folder / VOLUME / "0", mode="r")
    top = (sizes.slide - 1).bit_length()
    tiles = list(product(range(sizes.slide // TILE), repeat=2))
    cells = list(product(range(sizes.volume // CHUNK), repeat=3))

    def tile(place: tuple[int, ...]) -> Pixels:
        y, x = (index * TILE for index in place)
        return np.asarray(slide[y : y + TILE, x : x + TILE])

    def cell(place: tuple[int, ...]) -> Pixels:
        return np.asarray(volume[tuple(slice(index * CHUNK, (index + 1) * CHUNK) for index in place)])

    def span(index: int) -> str:
        return f"{index * CHUNK}-{(index + 1) * CHUNK}"

    def raw(data: bytes) -> Pixels:
        return np.frombuffer(data, "<u2").reshape((CHUNK,) * 3)

    colours, cube = (TILE, TILE, 3), (CHUNK,) * 3
    dzi = {f"{base}/{SLIDE}/original/slide_files/{top}/{x}_{y}.jpeg": (y, x) for y, x in tiles}
    iiif = {
        f"{base}/{SLIDE}/original/slide.iiif/{x * TILE},{y * TILE},{TILE},{TILE}/{TILE},{TILE}/0/default.jpg": (y, x)
        for y, x in tiles
    }
    composite = composites(base, sizes)
    chunks = {f"{base}/{VOLUME}/original/volume.ome.zarr/0/c/{z}/{y}/{x}": (z, y, x) for z, y, x in cells}
    voxels = {
        f"{base}/{VOLUME}/original/volume.precomputed/0/{span(x)}_{span(y)}_{span(z)}": (z, y, x) for z, y, x in cells
    }
    return [
        Work("DZI tile, slide", dzi, imagecodecs.jpeg8_decode, tile, colours, LOSS),
        Work("IIIF tile, slide", iiif, imagecodecs.jpeg8_decode, tile, colours, LOSS),
        Work("DZI tile, 4 channels", composite, imagecodecs.jpeg8_decode, lambda _: None, (512, 512, 3)),
        Work("Zarr chunk", chunks, lambda data: raw(Blosc().decode(data)), cell, cube),
        Work("Precomputed chunk", voxels, raw, cell, cube),
    ]


def composites(base: str, sizes: Sizes) -> dict[str, tuple[int, ...]]:
    """Tiles as large as the stored ones."""
    top, count = (sizes.channels - 1).bit_length(), sizes.channels // 512
    return {
        f"{base}/{CHANNELS}/render/channels_files/{top}/{x}_{y}.jpeg": (y, x)
        for y, x in product(range(count), repeat=2)
    }


def measured(folder: Path, work: Work, connections: int, seconds: float) -> dict[str, Any]:
    """The first time and again, on a server that was just started."""
    paths = list(work.paths)
    random.Random(0).shuffle(paths)  # noqa: S311
    paths = paths[:MOST]
    with serving(folder) as server:
        command = [sys.executable, str(HERE / "client.py"), str(server.port), str(connections), str(seconds)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
            assert client.stdin is not None  # noqa: S101
            assert client.stdout is not None  # noqa: S101
            opened(server, paths[0])
            found = {}
            for name, order in (("first", json.dumps(paths)), ("again", "")):
                before = server.processor_seconds()
                print(order, file=client.stdin, flush=True)
                line = client.stdout.readline()
                if not line:
                    raise SystemExit(f"{work.name}: the client gave up")
                found[name] = costs(json.loads(line), server.processor_seconds() - before)
            peak = server.peak()
            check(server, work, json.loads(client.stdout.readline()))
    return {"name": work.name, **found, "peak_bytes": peak}


def opened(server: Server, path: str) -> None:
    """The image is opened, and its contrast found, before anything is measured."""
    for part in (path.rpartition("/")[0] + "/", path):
        connection = HTTPConnection("127.0.0.1", server.port)
        connection.request("HEAD", part)
        connection.getresponse().read()
        connection.close()


def costs(phase: dict[str, float], processor: float) -> dict[str, float]:
    number = phase["requests"]
    return {
        "requests": number,
        "per_second": number / phase["seconds"],
        "p50_ms": phase["p50"] * 1000,
        "p99_ms": phase["p99"] * 1000,
        "server_ms": processor / number * 1000,
        "megabytes_per_second": phase["bytes"] / phase["seconds"] / 1e6,
    }


def check(server: Server, work: Work, sums: dict[str, int]) -> None:
    """What the clients were given is the right picture."""
    connection = HTTPConnection("127.0.0.1", server.port)
    for number, (path, sum_) in enumerate(sums.items()):
        connection.request("GET", path)
        data = connection.getresponse().read()
        pixels = work.decoded(data)
        if crc32(data) != sum_ or pixels.shape != work.shape:
            raise SystemExit(f"{path} has changed, or is {pixels.shape} instead of {work.shape}")
        expected = work.expected(work.paths[path]) if number < COMPARED else None
        if expected is not None and np.abs(pixels.astype(float) - expected).mean() > work.loss:
            raise SystemExit(f"{path} shows other pixels than are stored")
    connection.close()


def shown(results: list[dict[str, Any]], connections: int) -> Table:
    """Two rows for each kind of request, narrow enough for any terminal."""
    table = Table(title=f"{connections} connections; the CPU is the server's, for one request", title_justify="left")
    table.add_column("", no_wrap=True)
    for heading in ("", "req/s", "p50 ms", "p99 ms", "CPU ms", "peak MB"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        for phase in ("first", "again"):
            row = result[phase]
            figures = (row["p50_ms"], row["p99_ms"], row["server_ms"])
            cells = [f"{row['per_second']:,.0f}", *(f"{x:.2f}" for x in figures), f"{result['peak_bytes'] / 1e6:,.0f}"]
            table.add_row(result["name"] if phase == "first" else "", phase, *cells)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="how long requests are repeated")
    parser.add_argument("--connections", type=int, default=8, help="how many requests are under way at once")
    parser.add_argument("--quick", action="store_true", help="on small images, to see that it runs")
    parser.add_argument("--only", default="", help="what has this in its name")
    parser.add_argument("--folder", type=Path, default=HERE / "generated", help="where images and results lie")
    asked = parser.parse_args()
    sizes, folder = (QUICK, asked.folder / "quick") if asked.quick else (Sizes(), asked.folder / "full")
    console = Console()
    with console.status("generating images"):
        images(folder, sizes)
    todo = [work for work in works(folder, sizes) if asked.only in work.name]
    seconds = 0.2 if asked.quick else asked.seconds
    results = [measured(folder, work, asked.connections, seconds) for work in track(todo, "measuring", console=console)]
    console.print(shown(results, asked.connections))
    target = asked.folder / "requests_per_second.json"
    target.write_text(json.dumps({"connections": asked.connections, "results": results}, indent=2), encoding="utf-8")
    console.print(f"written to {target}")


if __name__ == "__main__":
    main()
