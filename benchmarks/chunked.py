"""Processor microseconds for a chunk of 64³ out of N5, precomputed and zip files, beside TensorStore on the same files.

Each place is read several times in an order of its own, without any cache of Diascope's or TensorStore's.
"""

from __future__ import annotations

import argparse
import random
import zipfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore
from images import CHUNK, QUICK, Sizes, texture, volume
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sources import MOST, Place, microseconds, source_reads

HERE = Path(__file__).parent
ZIP = "volume.ozx"

N5 = {
    "raw.n5": {"type": "raw"},
    "gzip.n5": {"type": "gzip"},
    "blosc.n5": {"type": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1},
    "zstd.n5": {"type": "zstd"},
}

SHARDING = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 2,
    "hash": "identity",
    "minishard_bits": 2,
    "shard_bits": 1,
    "minishard_index_encoding": "gzip",
    "data_encoding": "gzip",
}
PRECOMPUTED: dict[str, dict[str, Any]] = {
    "raw": {"encoding": "raw"},
    "png": {"encoding": "png"},
    "labels": {"encoding": "compressed_segmentation", "compressed_segmentation_block_size": [8, 8, 8]},
    "sharded": {"encoding": "raw", "sharding": SHARDING},
    "labels-sharded": {
        "encoding": "compressed_segmentation",
        "compressed_segmentation_block_size": [8, 8, 8],
        "sharding": SHARDING,
    },
}


def spec(folder: Path, name: str) -> dict[str, Any]:
    """How TensorStore opens one of the files."""
    if name == ZIP:
        base = {"driver": "file", "path": str(folder / ZIP)}
        return {"driver": "zarr", "kvstore": {"driver": "zip", "base": base, "path": "0/"}}
    driver = "n5" if name in N5 else "neuroglancer_precomputed"
    return {"driver": driver, "kvstore": {"driver": "file", "path": str(folder / name)}}


def files(folder: Path, side: int) -> None:
    """Write those that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / ZIP).exists():
        return
    grain = np.random.default_rng(0).normal(0, 20, (side,) * 3)
    pixels = (texture(side, 20) * 4000 + grain).clip(0, 65535).astype(np.uint16)
    labels = np.kron(pixels[::16, ::16, ::16].astype(np.uint64), np.ones((16, 16, 16), np.uint64))
    for name, compression in N5.items():
        metadata = {
            "compression": compression,
            "dataType": "uint16",
            "dimensions": [side] * 3,
            "blockSize": [CHUNK] * 3,
        }
        made(spec(folder, name) | {"metadata": metadata}, pixels.T)
    for name, how in PRECOMPUTED.items():
        stored = np.roll(labels, 5) if "labels" in name else pixels
        whole = {"type": "image", "data_type": stored.dtype.name, "num_channels": 1}
        scale = {"size": [side] * 3, "chunk_size": [CHUNK] * 3, "resolution": [1, 1, 1], **how}
        made(spec(folder, name) | {"multiscale_metadata": whole, "scale_metadata": scale}, stored.T[..., None])
    volume(folder / "volume.ome.zarr", side)
    with zipfile.ZipFile(folder / ZIP, "w") as archive:
        for file in sorted((folder / "volume.ome.zarr").rglob("*")):
            archive.write(file, file.relative_to(folder / "volume.ome.zarr"))


def made(spec: dict[str, Any], pixels: NDArray[Any]) -> None:
    tensorstore.open(spec, create=True, delete_existing=True).result()[...] = pixels


def tensorstore_reads(folder: Path, name: str) -> Callable[[Place], Any]:
    array = tensorstore.open(spec(folder, name)).result()
    order = slice(None) if name == ZIP else slice(None, None, -1)

    def read(place: Place) -> Any:
        box = tuple(slice(index * CHUNK, (index + 1) * CHUNK) for index in place[order])
        return array[box].read().result()

    return read


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="on small files, to see that it runs")
    parser.add_argument("--folder", type=Path, default=HERE / "generated" / "chunked", help="where files lie")
    asked = parser.parse_args()
    side, folder = (
        (QUICK.volume, asked.folder / "quick") if asked.quick else (Sizes().volume // 2, asked.folder / "full")
    )
    files(folder, side)
    table = Table("file", "TensorStore µs", "Diascope µs", "ratio", title="processor time")
    places = list(product(range(side // CHUNK), repeat=3)) * 4
    for name in (*N5, *PRECOMPUTED, ZIP):
        order = random.Random(0).sample(places, min(MOST, len(places)))  # noqa: S311
        source = "zarr" if name == ZIP else "n5" if name in N5 else "precomputed"
        ours, theirs = source_reads(folder, name, source), tensorstore_reads(folder, name)
        first = np.asarray(theirs(places[-1])).squeeze()
        assert np.array_equal(ours(places[-1]), first if name == ZIP else first.T), name  # noqa: S101
        times = microseconds(order, theirs), microseconds(order, ours)
        table.add_row(name, *(f"{time:,.0f}" for time in times), f"{times[1] / times[0]:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
