"""Processor time for pixels that have to be made: composites, scaled regions, moved volumes, pictures of 16 bits.

Each request is another one, so that no encoded file is met again. ``first`` and ``warm`` are ``tree.file(path).read``
in this process, warm with the chunks of the source in memory; ``http`` is the server's time, the first time.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from itertools import product
from pathlib import Path
from statistics import median
from time import process_time, sleep
from typing import Any, NamedTuple

from images import channels, slide, volume
from rich.console import Console
from rich.table import Table
from server import Server, serving

from diascope.arrangements.root import Root, root
from diascope.catalogue.catalogue import catalogue
from diascope.commands.allocator import reuse_freed_memory
from diascope.settings import RepositorySettings, Settings

MATRIX = "0.95173+-0.29141+0.03117+27.33+0.28193+0.94113+-0.17219+3.171+0.04177+0.181+0.97211+-11.79"
SIDE, VOLUME, REGION = 4096, 256, 1024
SETTLING = 5.0
"""Seconds until a server has made its compiled loops ready, which is no request's work."""


class Work(NamedTuple):
    """Requests of one kind."""

    name: str
    paths: list[str]
    warmed: list[str]
    """What is asked for before, so that the source's chunks are in memory."""


def generated(folder: Path) -> None:
    """The images, those that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    makers: dict[str, Callable[[Path], None]] = {
        "slide.tif": lambda path: slide(path, SIDE),
        "channels.ome.tif": lambda path: channels(path, SIDE, tile=256),
        "volume.ome.zarr": lambda path: volume(path, VOLUME),
    }
    for name, make in makers.items():
        if not (folder / name).exists():
            make(folder / name)


def works(box: str, count: int) -> Iterator[Work]:
    """What is measured, each on paths that differ."""
    order = random.Random(0)  # noqa: S311
    top = (SIDE - 1).bit_length()
    tiles = list(product(range(SIDE // 256), repeat=2))
    order.shuffle(tiles)
    composite = [f"{box}/channels.ome.tif/render/channels_files/{top}/{x}_{y}.jpeg" for y, x in tiles[:count]]
    # The chunks of the composite are those of the same place without loss.
    lossless = [path.replace("_files/", ".png_files/").replace(".jpeg", ".png") for path in composite]
    yield Work("W3 composite of 4 channels, 256², JPEG", composite, lossless)
    corners = [(order.randrange(SIDE - REGION), order.randrange(SIDE - REGION)) for _ in range(count)]
    service = f"{box}/slide.tif/original/slide.iiif"
    half = f"{REGION},{REGION}/{REGION // 2},/0/default"
    region = [f"{service}/{x},{y},{half}.jpg" for y, x in corners]
    yield Work("W4 region of 1024² as 512², JPEG", region, [f"{service}/full/2048,/0/default.png"])
    cells = list(product(range(VOLUME // 64), repeat=3))
    order.shuffle(cells)
    moved = f"{box}/volume.ome.zarr/affine,matrix={MATRIX},inverse=true,domain=same/volume"
    spans = [[f"{k * 64}-{(k + 1) * 64}" for k in cell] for cell in cells[:count]]
    raw = [f"{moved}.precomputed/0/{x}_{y}_{z}" for z, y, x in spans]
    cubes = [f"{moved}.ome.zarr/0/c/" + "/".join(map(str, cell)) for cell in cells[:count]]
    yield Work("W6 64³ under an affine, raw", raw, cubes)
    planes = [f"{box}/channels.ome.tif/select,axis=c,index=1/channels.png.precomputed/0" for _ in range(1)]
    pictures = [f"{planes[0]}/{x * 256}-{x * 256 + 256}_{y * 256}-{y * 256 + 256}_0-1" for y, x in tiles[:count]]
    yield Work("W8 256², PNG of 16 bits", pictures, [path.replace(".png.", ".") for path in pictures])


def asked(tree: Root, path: str) -> bytes:
    file = tree.file(path)
    if file is None:
        raise SystemExit(f"there is no {path}")
    return file.read(0, None)


def measured(tree: Root, paths: list[str]) -> float:
    """The median of the processor's milliseconds, with all threads counted."""
    spent = []
    for path in paths:
        start = process_time()
        asked(tree, path)
        spent.append(process_time() - start)
    return median(spent) * 1000


def warm(fresh: Callable[[], Root], work: Work) -> float:
    tree = fresh()
    for path in work.warmed:
        asked(tree, path)
    asked(tree, work.paths[0])
    return measured(tree, work.paths[1:])


def served(server: Server, paths: list[str]) -> float:
    """The server's milliseconds a request, on one connection."""
    connection = HTTPConnection("127.0.0.1", server.port)

    def get(path: str) -> None:
        connection.request("GET", f"/data/{path}")
        response = connection.getresponse()
        if response.status != 200:
            raise SystemExit(f"{path} is answered with {response.status}: {response.read()[:300]!r}")
        response.read()

    get(paths[0])
    connection.close()
    sleep(SETTLING)
    before = server.processor_seconds()
    for path in paths[1:]:
        get(path)
    spent = server.processor_seconds() - before
    connection.close()
    return spent / (len(paths) - 1) * 1000


def main() -> None:
    """Print a line for each kind, and write all of them to pixels.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="requests of each kind, at most")
    parser.add_argument("--only", default="", help="what has this in its name")
    parser.add_argument("--quick", action="store_true", help="a few requests, to see that it runs")
    parser.add_argument("--http", action="store_true", help="through the server, too")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "generated")
    given = parser.parse_args()
    reuse_freed_memory()
    folder = given.folder / "pixels"
    generated(folder)

    def fresh() -> Root:
        settings = Settings(repositories={folder.name: RepositorySettings(path=folder)})
        return root(settings, catalogue(settings))

    results: dict[str, dict[str, Any]] = {}
    for work in works(folder.name, 8 if given.quick else given.count):
        if given.only in work.name:
            tree = fresh()
            asked(tree, work.paths[0])
            found = {"first": measured(tree, work.paths[1:]), "warm": warm(fresh, work)}
            if given.http:
                with serving(folder) as server:
                    found["http"] = served(server, work.paths)
            results[work.name] = found
    shown(results)
    (given.folder / "pixels.json").write_text(json.dumps(results, indent=2), encoding="utf-8")


def shown(results: dict[str, dict[str, Any]]) -> None:
    table = Table("", "first", "warm", "http", title="Milliseconds of the processor for a request")
    for name, each in results.items():
        table.add_row(name, *(f"{each[key]:.2f}" if key in each else "" for key in ("first", "warm", "http")))
    Console().print(table)


if __name__ == "__main__":
    main()
