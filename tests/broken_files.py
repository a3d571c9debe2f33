"""Opens broken files in a process of its own, whose memory is limited, and tells a JSON line of each.

``python broken_files.py FOLDER PATH…``; a file that takes longer than the limit, or kills the process, has no line.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import diascope
from diascope.errors import DiascopeError
from diascope.image.image import Image
from diascope.image.level import read_whole

ADDRESS_SPACE = 6 << 30
SECONDS = 20


def told(path: Path, details: str) -> dict[str, Any]:
    """What became of a file, in how much time and memory."""
    before, start = peak(), time.monotonic()
    found: dict[str, Any] = {}
    pixels = None
    try:
        image = diascope.open(path)
        pixels = as_readers_have_it(image)
        found = {"outcome": "image", "shape": list(pixels.shape), "dtype": str(pixels.dtype)}
    except DiascopeError as error:
        found = {"outcome": "refused", "message": str(error)}
    except Exception as error:  # noqa: BLE001
        found = {"outcome": "crashed", "message": repr(error)}
    found |= {"seconds": time.monotonic() - start, "grown": peak() - before}
    if pixels is not None:
        found["equal"] = [name for name in readers(path, details) if np.array_equal(READERS[name](path), pixels)]
    return found


def as_readers_have_it(image: Image) -> Any:
    """The pixels with the colours last and without axes of length one."""
    pixels = read_whole(image.levels[0])
    if image.kind == "rgb" or (image.size("c") > 1 and image.metadata.format in PICTURES):
        pixels = np.moveaxis(pixels, image.axis_names.index("c"), -1)
    return pixels.squeeze()


PICTURES = {"PNG", "JPEG", "BMP", "GIF", "WebP", "JPEG 2000"}


def readers(path: Path, details: str) -> list[str]:
    """The reference readers that could read it, and one that the manifest does not know."""
    known = [name for name in READERS if re.search(rf"{name}: ok", details)]
    return known or (["simpleitk"] if path.suffix == ".dcm" else [])


def by_tifffile(path: Path) -> Any:
    import tifffile

    return tifffile.imread(path).squeeze()


def by_pillow(path: Path) -> Any:
    import PIL.Image

    with PIL.Image.open(path) as picture:
        return np.asarray(picture).squeeze()


def by_pydicom(path: Path) -> Any:
    import pydicom

    return pydicom.dcmread(path).pixel_array.squeeze()


def by_simpleitk(path: Path) -> Any:
    import SimpleITK

    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(path))).squeeze()


READERS = {"tifffile": by_tifffile, "pillow": by_pillow, "pydicom": by_pydicom, "simpleitk": by_simpleitk}


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(folder: str, *items: str) -> None:
    """Each item is a path and, after a tab, the manifest's details."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    for item in items:
        path, _, details = item.partition("\t")
        signal.alarm(SECONDS)
        line = {"path": path, **told(Path(folder) / path, details)}
        signal.alarm(0)
        print(json.dumps(line), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
