"""Processor microseconds for a decoded chunk of HDF5 and the formats made of it, beside the libraries of their fields.

Files are read cold, without any cache of Diascope's or of h5py's chunks, in this process.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
from images import CHUNK, QUICK, Sizes, texture
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sources import MOST, Place, microseconds

from diascope.image.region import Region
from diascope.registry import registry
from diascope.stores.local import LocalStore

HERE = Path(__file__).parent

PLAIN, GZIP, LZF, SMALL, FLOATS = "plain.h5", "gzip.h5", "lzf.h5", "small.h5", "float.h5"
IMARIS, MINC = "stack.ims", "volume.mnc"
SMALL_CHUNK = 16

WAYS: dict[str, dict[str, Any]] = {
    PLAIN: {"chunks": (CHUNK,) * 3},
    GZIP: {"chunks": (CHUNK,) * 3, "compression": "gzip", "shuffle": True},
    LZF: {"chunks": (CHUNK,) * 3, "compression": "lzf", "shuffle": True},
    SMALL: {"chunks": (SMALL_CHUNK,) * 3, "compression": "gzip"},
    FLOATS: {"chunks": (CHUNK,) * 3, "compression": "gzip", "shuffle": True, "dtype": "f4"},
}


def volume(side: int) -> NDArray[Any]:
    planes = (texture(side, seed) for seed in range(side // 4))
    return np.repeat(np.stack([(plane * 4095).astype(np.uint16) for plane in planes]), 4, axis=0)


def files(folder: Path, side: int) -> None:
    """Write those that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / MINC).exists():
        return
    pixels = volume(side)
    for name, how in WAYS.items():
        with h5py.File(folder / name, "w") as file:
            file.create_dataset("d", data=pixels.astype(how.get("dtype", "u2")), **how)
    with h5py.File(folder / IMARIS, "w") as file:
        group = file.create_group("DataSet/ResolutionLevel 0/TimePoint 0/Channel 0")
        group.create_dataset("Data", data=pixels, chunks=(CHUNK,) * 3, compression="gzip", compression_opts=2)
    with h5py.File(folder / MINC, "w") as file:
        image = file.create_dataset("minc-2.0/image/0/image", data=pixels, chunks=(CHUNK,) * 3, compression="gzip")
        image.attrs["dimorder"] = np.bytes_("zspace,yspace,xspace")
        image.attrs["valid_range"] = [0.0, 4095.0]
        for name in ("zspace", "yspace", "xspace"):
            file[f"minc-2.0/dimensions/{name}"] = 0
            file[f"minc-2.0/dimensions/{name}"].attrs["spacing"] = np.bytes_("regular__")
            file[f"minc-2.0/dimensions/{name}"].attrs.update({"step": 1.0, "start": 0.0})
        for name, values in (("image-min", np.zeros(side)), ("image-max", np.ones(side))):
            file[f"minc-2.0/image/0/{name}"] = values
            file[f"minc-2.0/image/0/{name}"].attrs["dimorder"] = np.bytes_("zspace")


def h5py_reads(path: Path, name: str, chunk: int) -> Callable[[Place], Any]:
    array = h5py.File(path, rdcc_nbytes=0)[name]
    return lambda place: array[tuple(slice(k * chunk, (k + 1) * chunk) for k in place)]


def nibabel_reads(path: Path) -> Callable[[Place], Any]:
    proxy: Any = nibabel.load(path).dataobj
    return lambda place: proxy[tuple(slice(k * CHUNK, (k + 1) * CHUNK) for k in place)]


def cubes(folder: Path, name: str, source: str, chunk: int) -> Callable[[Place], Any]:
    """Boxes of a file's first image, at the first place along the axes before z."""
    dataset = registry("sources")[source].open(LocalStore(folder), name)
    level = next(iter(dataset.images.values())).levels[0]
    leading = (0,) * (len(level.shape) - 3)

    def read(place: Place) -> Any:
        start, stop = (tuple((k + end) * chunk for k in place) for end in (0, 1))
        return level.read(Region((*leading, *start), (*(k + 1 for k in leading), *stop)))

    return read


def rows(folder: Path, side: int) -> Iterator[tuple[str, str, list[Place], Callable[[Place], Any]]]:
    """What is read, by what, where, and how."""
    cells = list(product(range(side // CHUNK), repeat=3))
    for name, what in (
        (PLAIN, "plain chunk 64³, 16 bit"),
        (GZIP, "gzip chunk 64³, 16 bit, shuffled"),
        (LZF, "lzf chunk 64³, 16 bit, shuffled"),
        (FLOATS, "gzip chunk 64³, float, shuffled"),
        (SMALL, "box 64³ of gzip chunks 16³, 16 bit"),
    ):
        yield what, "h5py", cells, h5py_reads(folder / name, "d", CHUNK)
        yield what, "diascope", cells, cubes(folder, name, "hdf5", CHUNK)
    data = "DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"
    yield "Imaris chunk 64³, 16 bit", "h5py", cells, h5py_reads(folder / IMARIS, data, CHUNK)
    yield "Imaris chunk 64³, 16 bit", "diascope", cells, cubes(folder, IMARIS, "imaris", CHUNK)
    yield "MINC 2 chunk 64³, real values", "nibabel", cells, nibabel_reads(folder / MINC)
    yield "MINC 2 chunk 64³, real values", "diascope", cells, cubes(folder, MINC, "minc", CHUNK)


_seen: dict[str, NDArray[Any]] = {}


def check_equal(name: str, pixels: NDArray[Any]) -> None:
    """Raise AssertionError where two readers see different pixels."""
    first = _seen.setdefault(name, pixels)
    np.testing.assert_array_equal(pixels.reshape(first.shape), first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="on small images, to see that it runs")
    parser.add_argument("--folder", type=Path, default=HERE / "generated", help="where images lie")
    asked = parser.parse_args()
    side = (QUICK if asked.quick else Sizes()).volume
    folder = asked.folder / ("quick" if asked.quick else "full") / "hdf5"
    files(folder, side)
    table = Table("read", "by", title="processor time")
    table.add_column("µs", justify="right")
    for name, reader, places, read in rows(folder, side):
        order = random.Random(0).sample(places, min(MOST, len(places)))  # noqa: S311
        check_equal(name, read(order[0]))
        table.add_row(name, reader, f"{microseconds(order, read):,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
