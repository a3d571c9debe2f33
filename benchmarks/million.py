"""A repository of very many files: how soon it serves, how long it scans, and what scanning costs those who look.

The files are empty but one, in folders of a thousand; tiles of that one are asked for from the first second on. Search
is asked while the index is made and when it is whole.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import tifffile

PER_FOLDER = 1000
TILE = 256
SIDE = 2048
PACE = 0.01
"""Between two tiles that a client asks for."""
LEAST = 500
"""Tiles from which latencies are told."""


def filled(folder: Path, files: int) -> None:
    """So many empty files and one image, in as many folders as it takes."""
    images = folder / "images"
    images.mkdir()
    pixels = np.random.default_rng(1).integers(0, 4096, (SIDE, SIDE), dtype=np.uint16)
    tifffile.imwrite(images / "seen.tif", pixels, tile=(TILE, TILE), compression="zlib")
    for first in range(0, files, PER_FOLDER):
        inside = images / f"{first // 100_000:03}" / f"run {first // PER_FOLDER:05}"
        inside.mkdir(parents=True)
        descriptor = os.open(inside, os.O_RDONLY)
        for k in range(first, min(first + PER_FOLDER, files)):
            name = f"cell {k:07}.tif" if k % 10 else f"notes {k:07}.txt"
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o644, dir_fd=descriptor))
        os.close(descriptor)


@contextmanager
def serving(folder: Path, scratch: Path) -> Iterator[tuple[str, int, float]]:
    """The server's host and port, its process, and the seconds until it answered."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("DIASCOPE_")}
    environment = {**own, "XDG_CACHE_HOME": str(scratch / "cache")}
    words = [sys.executable, "-u", "-m", "diascope", "serve", str(folder), "--port", "0"]
    begun = perf_counter()
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None  # noqa: S101
            host = urlsplit(process.stdout.readline().split()[-1]).netloc
            answered(HTTPConnection(host, timeout=60), "/api/cutout/images/seen.tif?y=0..1&x=0..1")
            yield host, process.pid, perf_counter() - begun
        finally:
            process.terminate()
            process.wait(60)


def answered(connection: HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status} {data[:300]!r}")
    return data


class Watch:
    """A client that asks for tiles, each some time after the one before."""

    def __init__(self, host: str) -> None:
        self.connection = HTTPConnection(host, timeout=60)
        self.place = np.random.default_rng(2)

    def latencies(self, until: Any) -> list[float]:
        """Milliseconds of each tile, until something is so and there were enough."""
        found: list[float] = []
        while len(found) < LEAST or not until():
            y, x = (int(k) * TILE for k in self.place.integers(0, SIDE // TILE, 2))
            begun = perf_counter()
            answered(self.connection, f"/api/cutout/images/seen.tif?y={y}..{y + TILE}&x={x}..{x + TILE}")
            found.append((perf_counter() - begun) * 1000)
            sleep(PACE)
        return found


def indexed(scratch: Path) -> tuple[int, int]:
    """How many folders wait, and how many entries there are."""
    import sqlite3

    files = list((scratch / "cache" / "diascope" / "index").glob("*.sqlite"))
    if not files:
        return 1, 0
    with sqlite3.connect(f"file:{files[0]}?mode=ro", uri=True) as connection:
        row = connection.execute(
            "SELECT coalesce(sum(is_waiting), 1), coalesce(sum(entries), 0) FROM folder"
        ).fetchone()
    connection.close()
    return int(row[0]), int(row[1])


def searched(host: str, text: str) -> float:
    """Milliseconds of a search."""
    connection = HTTPConnection(host, timeout=60)
    begun = perf_counter()
    answered(connection, f"/api/search?q={text}")
    return (perf_counter() - begun) * 1000


def told(latencies: list[float]) -> dict[str, float]:
    return {"p50": median(latencies), "p99": sorted(latencies)[int(len(latencies) * 0.99)], "tiles": len(latencies)}


def measured(scratch: Path, files: int) -> dict[str, Any]:
    with serving(scratch / "images", scratch) as (host, process, started):
        watch, begun = Watch(host), perf_counter()
        early = [searched(host, "cell")]
        looked = [0.0]

        def is_whole() -> bool:
            if perf_counter() - looked[0] < 0.5:
                return False
            looked[0] = perf_counter()
            waiting, entries = indexed(scratch)
            return waiting == 0 and entries > files

        while_scanning = watch.latencies(is_whole)
        scan = perf_counter() - begun
        early.append(searched(host, "cell"))
        sleep(3)
        after = watch.latencies(lambda: True)
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii") if sys.platform == "linux" else ""
        return {
            "files": files,
            "start_seconds": started,
            "scan_seconds": scan,
            "search_at_once_ms": early[0],
            "search_common_ms": median(searched(host, "cell") for _ in range(5)),
            "search_rare_ms": median(searched(host, f"{files - 1:07}") for _ in range(5)),
            "search_none_ms": median(searched(host, "nothing-like-it") for _ in range(5)),
            "tile_scanning_ms": told(while_scanning),
            "tile_after_ms": told(after),
            "memory_mib": int(status.partition("VmRSS:")[2].split()[0]) / 1024 if status else None,
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="where million.json is written; none without")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="million-") as name:
        filled(Path(name), given.files)
        found = measured(Path(name), given.files)
    print(json.dumps(found, indent=2))
    if given.folder:
        (given.folder / "million.json").write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
