"""Point operations on tiles: fused into one look-up, one after another, and as plain numpy, in the same run.

What is compared is first checked to be the same, bit for bit.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory, read_whole
from diascope.operations.colour_table import entries
from diascope.operations.view import view

Pixels = NDArray[Any]

VIEWS = {
    "uint16, window and gamma in colours": ("uint16", "window,low=100,high=4000~gamma,gamma=0.5~colormap,name=viridis"),
    "uint16, logarithm to bytes": ("uint16", "log~window,low=0,high=11"),
    "uint8, inverted, gamma, in colours": ("uint8", "invert~gamma,gamma=2.2~colormap,name=viridis"),
    "float32, logarithm to bytes": ("float32", "log~window,low=0,high=11"),
}
"""Type of the pixels and view, by what they are."""

PLAIN: dict[str, Callable[[Pixels], Pixels]] = {
    "uint16, window and gamma in colours": lambda pixels: _coloured(_gamma(_windowed(pixels, 100, 4000), 0.5)),
    "uint16, logarithm to bytes": lambda pixels: _windowed(_log(pixels), 0, 11),
    "uint8, inverted, gamma, in colours": lambda pixels: _coloured(_gamma(255 - pixels, 2.2)),
    "float32, logarithm to bytes": lambda pixels: _windowed(_log(pixels), 0, 11),
}
"""The same as somebody would write it down in numpy."""


def _windowed(pixels: Pixels, low: float, high: float) -> Pixels:
    return np.floor(np.clip((pixels.astype(np.float64) - low) / (high - low), 0, 1) * 255 + 0.5).astype(np.uint8)


def _gamma(pixels: Pixels, gamma: float) -> Pixels:
    return np.rint((pixels / 255) ** gamma * 255).astype(np.uint8)


def _log(pixels: Pixels) -> Pixels:
    return np.log(pixels.astype(np.float64) + 1).astype(np.float32)


def _coloured(pixels: Pixels) -> Pixels:
    return np.moveaxis(np.frombuffer(entries("viridis"), np.uint8).reshape(256, 3)[pixels], -1, 0)


def apart(text: str, image: Image) -> Image:
    """The view with each of its operations by itself, none knowing of the one before."""
    for step in view(text).steps:
        image = step.operation.apply(image, step.parameters)
        image = replace(
            image, levels=tuple(replace(each, read_pixels=partial(each.read_pixels)) for each in image.levels)
        )
    return image


def measured(name: str, side: int, seconds: float) -> dict[str, float]:
    """Microseconds a tile of each way, the best of many."""
    dtype, text = VIEWS[name]
    pixels = np.random.default_rng(0).integers(0, 256 if dtype == "uint8" else 5000, (side, side)).astype(dtype)
    image = Image(name="tile", kind="intensity", axes=axes_named("yx"), levels=(in_memory(pixels),))
    ways: dict[str, Callable[[], Pixels]] = {
        "fused": partial(read_whole, view(text).applied(image).levels[0]),
        "unfused": partial(read_whole, apart(text, image).levels[0]),
        "numpy": partial(PLAIN[name], pixels),
    }
    expected = ways["fused"]()
    for way in ways.values():
        np.testing.assert_array_equal(way(), expected)
    return {way: _best(run, seconds) for way, run in ways.items()}


def _best(run: Callable[[], object], seconds: float) -> float:
    best, stop = float("inf"), perf_counter() + seconds
    while perf_counter() < stop:
        start = perf_counter()
        run()
        best = min(best, perf_counter() - start)
    return best * 1e6


def main() -> None:
    """Print the figures, and write them into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=256, help="rows and columns of a tile")
    parser.add_argument("--quick", action="store_true", help="measure hardly at all")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "generated")
    given = parser.parse_args()
    found = {name: measured(name, given.side, 0.02 if given.quick else 1.0) for name in VIEWS}
    table = Table(title=f"Microseconds for a tile of {given.side} × {given.side}")
    for column in ("", "fused", "unfused", "numpy", "times"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for name, times in found.items():
        ratio = times["numpy"] / times["fused"]
        table.add_row(name, *(f"{times[way]:.0f}" for way in ("fused", "unfused", "numpy")), f"{ratio:.1f}")
    Console().print(table)
    given.folder.mkdir(parents=True, exist_ok=True)
    (given.folder / "point_operations.json").write_text(json.dumps(found, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
