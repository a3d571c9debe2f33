"""Small precomputed volumes written by TensorStore."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorstore
from numpy.typing import NDArray

RANDOM = np.random.default_rng(5)
VOLUME = RANDOM.integers(0, 60000, (1, 9, 23, 31), dtype=np.uint16)
COLOURS = RANDOM.integers(0, 256, (3, 9, 23, 31), dtype=np.uint8)
LABELS = np.kron(RANDOM.integers(0, 2**40, (1, 3, 5, 7)), np.ones((1, 3, 5, 5), int))[:, :, :23, :31].astype(np.uint64)

SHARDING = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 1,
    "hash": "murmurhash3_x86_128",
    "minishard_bits": 2,
    "shard_bits": 3,
    "minishard_index_encoding": "gzip",
    "data_encoding": "gzip",
}


def written(path: Path, pixels: NDArray[Any], encoding: str = "raw", **scale: Any) -> None:
    """One more scale of a volume, of pixels of c, z, y, x; the first one makes it."""
    more = {"compressed_segmentation_block_size": [8, 4, 8]} if encoding == "compressed_segmentation" else {}
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": str(path)},
        "multiscale_metadata": {
            "type": "segmentation" if pixels.dtype.itemsize > 2 and pixels.dtype.kind == "u" else "image",
            "data_type": pixels.dtype.name,
            "num_channels": pixels.shape[0],
        },
        "scale_metadata": {
            "size": pixels.shape[:0:-1],
            "encoding": encoding,
            "chunk_size": [10, 8, 4],
            "resolution": [4, 4, 40],
            "voxel_offset": [3, -5, 7],
            **more,
            **scale,
        },
    }
    tensorstore.open(spec, create=True).result()[...] = pixels.transpose(3, 2, 1, 0)


def plain(path: Path) -> None:
    written(path, VOLUME)
    written(path, VOLUME[:, :, ::2, ::2], resolution=[8, 8, 40], voxel_offset=[1, -3, 7])


def colours(path: Path) -> None:
    written(path, COLOURS, "png")


def labels(path: Path) -> None:
    written(path, LABELS, "compressed_segmentation", sharding=SHARDING)
