"""Reading a virtual OME-TIFF through a mount from front to back, beside reading its source's pixels by tifffile.

The sources are uncompressed tiles, in the page cache: a pyramid, and the same without its coarser levels, which are
then made while they are read. Every round has a mount of its own, so that nothing is kept of the one before; the median
of the rounds counts. What the mount gives is compared too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import tifffile
from images import halved, texture, written

HERE = Path(__file__).parent
BLOCK = 1 << 20
ROUNDS = 5
BAR = 0.5
SERVED = "tiles.ome.tif/original/tiles.ome.tif"


def images(folder: Path, side: int) -> dict[str, Path]:
    """Three channels of 16 bits in uncompressed tiles of 512 pixels, with their coarser levels and without."""
    options = {"tile": (512, 512), "photometric": "minisblack", "metadata": {"axes": "CYX"}}
    paths = {name: folder / name / "tiles.ome.tif" for name in ("pyramid", "one level")}
    if all(path.exists() for path in paths.values()):
        return paths
    planes = [list(halved((texture(side, seed) * 4095).astype(np.uint16))) for seed in range(3)]
    levels = [np.stack(level) for level in zip(*planes, strict=True)]
    for name, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        written(path, levels if name == "pyramid" else levels[:1], options)
    return paths


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """``diascope mount`` of the folder, for as long as the block runs."""
    with TemporaryDirectory(prefix="mount-") as mountpoint:
        command = [sys.executable, "-u", "-m", "diascope", "mount", str(folder), mountpoint]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None  # noqa: S101
                if "has mounted" not in process.stdout.readline():
                    raise SystemExit("the folder could not be mounted")
                yield Path(mountpoint)
            finally:
                process.terminate()
                process.wait(30)


def through_mount(path: Path) -> tuple[float, int]:
    """Seconds for all bytes of a file, and how many there were."""
    descriptor = os.open(path, os.O_RDONLY)
    buffer, total, start = bytearray(BLOCK), 0, perf_counter()
    while read := os.readv(descriptor, [buffer]):
        total += read
    seconds = perf_counter() - start
    os.close(descriptor)
    return seconds, total


def directly(path: Path) -> tuple[float, int]:
    """Seconds for all pixels of a file by tifffile, and how many bytes they are."""
    start = perf_counter()
    pixels = tifffile.imread(path)
    return perf_counter() - start, pixels.nbytes


def checked(folder: Path, source: Path) -> None:
    """The mount gives the pixels of the source, which the page cache has from now on."""
    with mounted(folder) as top:
        np.testing.assert_array_equal(tifffile.imread(top / SERVED), tifffile.imread(source))


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="a small image, to see that it runs")
    arguments.add_argument("--folder", type=Path, default=HERE / "data", help="where image and results are kept")
    chosen = arguments.parse_args()
    folder = chosen.folder / ("mount-quick" if chosen.quick else "mount")
    found = {}
    for name, source in images(folder, 1024 if chosen.quick else 8192).items():
        found[name] = compared(source, 1 if chosen.quick else ROUNDS)
        told(name, found[name])
    (chosen.folder / "mount.json").write_text(json.dumps(found, indent=2) + "\n")


def compared(source: Path, rounds: int) -> dict[str, float]:
    """Bytes a second through the mount and directly, and the first as a part of the second."""
    checked(source.parent, source)
    seen = []
    for _ in range(rounds):
        with mounted(source.parent) as top:
            seen.append((through_mount(top / SERVED), directly(source)))
    mount, direct = (median(total / seconds for seconds, total in column) for column in zip(*seen, strict=True))
    return {"mount": mount, "tifffile": direct, "ratio": mount / direct, "size": seen[0][0][1], "pixels": seen[0][1][1]}


def told(name: str, found: dict[str, float]) -> None:
    """Print what was measured of a source."""
    print(f"a source of {name}")
    print(
        f"  through the mount  {found['mount'] / 1e6:8.0f} MB/s   ({found['size'] / 1e6:.0f} MB, the pyramid included)"
    )
    print(f"  tifffile directly  {found['tifffile'] / 1e6:8.0f} MB/s   ({found['pixels'] / 1e6:.0f} MB)")
    print(f"  ratio              {found['ratio']:8.0%}        (the bar is {BAR:.0%})")


if __name__ == "__main__":
    main()
