"""What a reader may do with a spoilt file: refuse it clearly, or give pixels of the shape that it told of."""

from __future__ import annotations

import json
import re
import resource
from contextlib import suppress
from itertools import islice
from math import prod
from pathlib import Path
from time import monotonic

import diascope
from diascope.catalogue.description import of_image
from diascope.errors import DiascopeError
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.region import Region, chunk_region

SECONDS = 14.0
"""No spoilt file takes longer."""
GROWTH = 768 << 20
"""Nor more memory than this besides what there was."""
MOST = 1 << 22
"""Pixels of a region that is read."""


def judged(path: Path) -> str | None:
    """What is wrong with how a file was taken, None where nothing is."""
    begun, before = monotonic(), _peak()
    _forget_peaks()
    try:
        wrong = _read(path)
    except DiascopeError as error:
        wrong = None if path.name.split(".")[0] in str(error) else f"the error does not name the file: {error}"
    except Exception as error:  # noqa: BLE001 - which is the finding
        wrong = f"{type(error).__name__}: {error}"
    seconds, grown = monotonic() - begun, max(_peak() - before, *_peaks_of_workers(), 0)
    if wrong is None and seconds > SECONDS:
        wrong = f"it took {seconds:.1f} seconds"
    if wrong is None and grown > GROWTH:
        wrong = f"it took {grown >> 20} MiB"
    return wrong


def _read(path: Path) -> str | None:
    dataset = diascope.open_dataset(path)
    for images in (dataset.images, dataset.labels, dataset.associated):
        for name in islice(images, 3):
            if wrong := _looked_at(images[name]):
                return f"{name}: {wrong}"
    return None


def _looked_at(image: Image) -> str | None:
    json.dumps(of_image(image), allow_nan=False)
    for level in (image.levels[0], image.levels[-1]):
        for region in _regions(level):
            pixels = level.read(region)
            if pixels.shape != region.shape or pixels.dtype != level.dtype:
                return f"{region} of {level.dtype} was read as {pixels.shape} of {pixels.dtype}"
    return None


def _regions(level: Level) -> list[Region]:
    """The first and the last chunk, or as much of them as is not too large."""
    ends = [tuple((size - 1) // chunk for size, chunk in zip(level.shape, level.chunk_shape, strict=True))]
    places = [tuple(0 for _ in level.shape), *ends]
    return [_small(chunk_region(place, level.chunk_shape).clipped(level.shape)) for place in places]


def _small(region: Region) -> Region:
    stop = list(region.stop)
    for axis in range(len(stop)):
        while (
            prod(b - a for a, b in zip(region.start, stop, strict=True)) > MOST and stop[axis] > region.start[axis] + 1
        ):
            stop[axis] = (stop[axis] + region.start[axis] + 1) // 2
    return Region(region.start, tuple(stop))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _workers() -> list[Path]:
    """Those of this process that read for it."""
    tasks = Path("/proc/self/task").glob("*/children")
    return [Path("/proc") / pid for task in tasks for pid in task.read_text(encoding="ascii").split()]


def _forget_peaks() -> None:
    """From now on the most memory that a worker has had counts anew (proc(5), clear_refs)."""
    for worker in _workers():
        with suppress(OSError):
            (worker / "clear_refs").write_text("5", encoding="ascii")


def _peaks_of_workers() -> list[int]:
    """The most memory that each has had since, all of it: a worker has little of its own."""
    found = [0]
    for worker in _workers():
        with suppress(OSError):
            peaks = re.findall(r"VmHWM:\s+(\d+)", (worker / "status").read_text(encoding="ascii", errors="replace"))
            found += [int(peak) << 10 for peak in peaks]
    return found
