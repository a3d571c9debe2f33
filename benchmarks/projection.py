"""Projections of a stack on disk, and numpy over zarr-python that reads all of it, in the same run.

What is compared is first checked to be the same. Memory is what Python and numpy allocate, at its highest.
"""

from __future__ import annotations

import argparse
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

import diascope

METHODS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "max": lambda pixels: pixels.max(axis=0),
    "mean": lambda pixels: pixels.mean(axis=0),
    "sum": lambda pixels: pixels.sum(axis=0),
    "std": lambda pixels: pixels.std(axis=0),
    "median": lambda pixels: np.median(pixels, axis=0),
}


def stack(path: Path, shape: tuple[int, ...]) -> None:
    """A Zarr array of counts, in chunks of 16 planes."""
    side = min(256, shape[-1])
    array = zarr.create_array(path, shape=shape, chunks=(16, side, side), dtype=np.uint16)
    random = np.random.default_rng(0)
    for start in range(0, shape[0], 16):
        size = (min(16, shape[0] - start), *shape[1:])
        array[start : start + size[0]] = random.poisson(200, size)


def measured(run: Callable[[], NDArray[Any]], rounds: int) -> tuple[float, float]:
    """Seconds, the best of some, and megabytes."""
    best = float("inf")
    for _ in range(rounds):
        begun = perf_counter()
        run()
        best = min(best, perf_counter() - begun)
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return best, peak / 1e6


def compared(path: Path, method: str, rounds: int) -> dict[str, Any]:
    """Both ways to project all of a stack."""
    array = zarr.open_array(path, mode="r")

    def ours() -> NDArray[Any]:
        # Opened afresh: nothing that was decoded is kept from round to round.
        return np.asarray(diascope.open(f"{path}/project,method={method}")[...])

    def theirs() -> NDArray[Any]:
        return METHODS[method](np.asarray(array[...]))

    np.testing.assert_allclose(ours(), theirs(), rtol=1e-5)
    seconds, megabytes = measured(ours, rounds)
    other_seconds, other_megabytes = measured(theirs, rounds)
    return {
        "method": method,
        "seconds": {"diascope": seconds, "numpy": other_seconds},
        "megabytes": {"diascope": megabytes, "numpy": other_megabytes},
        "ratio": seconds / other_seconds,
    }


def main() -> None:
    """Print a line for each method, and write all of them to projection.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small stack, to see that it runs")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "generated")
    options = parser.parse_args()
    shape = (40, 96, 112) if options.quick else (200, 512, 512)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "stack.zarr"
        stack(path, shape)
        results = [compared(path, method, 1 if options.quick else 3) for method in METHODS]
    for each in results:
        ways = zip(each["seconds"], each["seconds"].values(), each["megabytes"].values(), strict=True)
        told = ", ".join(f"{way} {seconds:.2f} s and {megabytes:.0f} MB" for way, seconds, megabytes in ways)
        print(f"{each['method']} of {'×'.join(map(str, shape))}: {told}; {each['ratio']:.2f} of numpy's time")
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "projection.json").write_text(json.dumps({"results": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
