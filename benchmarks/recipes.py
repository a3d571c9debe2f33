"""A region of one section of a stack of a thousand, beside the same region of the section's own file.

Both are read by diascope, each section once, so that no chunk is in a cache: through the recipe, and by opening the
file. The two take turns. ``moved`` is the same stack with a transformation for each section, beside the operation that
moves it.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import tifffile

from diascope.catalogue.opening import opened_file
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.operations.view import view

SECTIONS = 1000
TILE = 512
MATRIX = (0.96127, -0.27191, 151.3173, 0.28213, 0.95119, -97.2531)


def sections(folder: Path, side: int) -> None:
    """One TIFF under a thousand names, and two recipes of them."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "0.tif").exists():
        pixels = np.random.default_rng(1).integers(0, 4096, (side, side), dtype=np.uint16)
        tifffile.imwrite(folder / "0.tif", pixels, tile=(TILE, TILE), compression="zlib")
    for k in range(1, SECTIONS):
        if not (folder / f"{k}.tif").exists():
            os.link(folder / "0.tif", folder / f"{k}.tif")
    said = "{recipe: stack, pattern: '{section:int}.tif', thickness: 50 um"
    (folder / "stack.recipe.yaml").write_text(said + "}")
    rows = [f"{k},{','.join(map(str, MATRIX))}" for k in range(SECTIONS)]
    (folder / "moves.csv").write_text("\n".join(["section,xx,xy,x,yx,yy,y", *rows]))
    grid = f"grid: {{size: [{side}, {side}]}}"
    (folder / "moved.recipe.yaml").write_text(f"{said}, transformations: moves.csv, {grid}}}")


def image(path: Path) -> Image:
    return next(iter(opened_file(path).images.values()))


def compared(folder: Path, name: str, steps: str, side: int, rounds: int) -> dict[str, float]:
    """Median milliseconds for a section."""
    began = perf_counter()
    level = image(folder / f"{name}.recipe.yaml").levels[0]
    opening = perf_counter() - began
    start = side // 2 // TILE * TILE - TILE
    region = Region((start, start), (start + TILE, start + TILE))

    def own(k: int) -> Pixels:
        return view(steps).applied(image(folder / f"{k}.tif")).levels[0].read(region)

    times = list(turns(lambda k: plane(level, k, region), own, rounds))
    stack, file = (1000 * median(each[k] for each in times) for k in (0, 1))
    return {"opening": 1000 * opening, "stack": stack, "file": file, "ratio": stack / file}


def plane(level: Level, k: int, region: Region) -> Pixels:
    return np.asarray(level.read(Region((k, *region.start), (k + 1, *region.stop)))[0])


def turns(one: Callable[[int], Pixels], other: Callable[[int], Pixels], rounds: int) -> Iterator[tuple[float, float]]:
    """Seconds of both for one section after another; they must give the same, and the first one is not counted."""
    for k in range(rounds + 1):
        began = perf_counter()
        pixels = one(2 * k)
        between = perf_counter()
        same = other(2 * k + 1)
        ended = perf_counter()
        if not np.array_equal(pixels, same):
            raise SystemExit(f"section {k} of the stack has other pixels than its file")
        if k:
            yield between - began, ended - between


def main() -> None:
    """Print a line for each stack, and write both to recipes.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it runs")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "generated")
    options = parser.parse_args()
    side, rounds = (1024, 5) if options.quick else (4096, 200)
    folder = options.folder / f"sections-{side}"
    sections(folder, side)
    steps = f"affine,matrix={'+'.join(map(str, MATRIX))},size={side}+{side}"
    found = {
        name: compared(folder, name, steps, side, rounds) for name, steps in (("stack", "original"), ("moved", steps))
    }
    for name, each in found.items():
        print(
            f"{name}: {SECTIONS} sections open in {each['opening']:.0f} ms; {TILE}×{TILE} of one in "
            f"{each['stack']:.2f} ms, of its file in {each['file']:.2f} ms; {each['ratio']:.2f} of the file"
        )
    (options.folder / "recipes.json").write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
