"""The images that benchmarks are run on: generated once, with the grain of real ones, so that they compress alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray

CHUNK = 64


class Sizes(NamedTuple):
    """Sides in pixels."""

    slide: int = 8192
    channels: int = 8192
    volume: int = 512


def texture(side: int, seed: int) -> NDArray[np.float32]:
    """From 0 to 1: blobs of several sizes and a little noise."""
    random = np.random.default_rng(seed)
    total = np.zeros((side, side), np.float32)
    for share, cell in ((0.5, 64), (0.3, 16), (0.15, 4), (0.05, 1)):
        coarse = random.random((side // cell, side // cell), np.float32)
        total += share * cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(total, 0, 1))


def slide(path: Path, side: int) -> None:
    """A pyramid of JPEG tiles of 256 pixels, quality 85, as slide scanners write it."""
    colours = np.stack([texture(side, seed) for seed in range(3)], axis=-1)
    pixels = (255 - 160 * colours * np.float32([0.5, 1, 0.6])).astype(np.uint8)
    options = {"tile": (256, 256), "compression": "jpeg", "compressionargs": {"level": 85}, "photometric": "rgb"}
    written(path, list(halved(pixels)), options)


def channels(path: Path, side: int, tile: int = 512) -> None:
    """Four channels of 16 bits, a pyramid of deflated tiles with a predictor."""
    pixels = np.stack([(texture(side, 10 + k) * 4095).astype(np.uint16) for k in range(4)])
    options = {"tile": (tile, tile), "compression": "zlib", "predictor": True, "photometric": "minisblack"}
    planes = [list(halved(plane)) for plane in pixels]
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "FITC", "Cy3", "Cy5"]}}
    written(path, [np.stack(level) for level in zip(*planes, strict=True)], options | {"metadata": metadata})


def written(path: Path, levels: list[NDArray[Any]], options: dict[str, Any]) -> None:
    with tifffile.TiffWriter(path, bigtiff=True, ome=".ome." in path.name) as file:
        file.write(
            levels[0], subifds=len(levels) - 1, resolution=(40000, 40000), resolutionunit="CENTIMETER", **options
        )
        reduced = {key: value for key, value in options.items() if key != "metadata"}
        for level in levels[1:]:
            file.write(level, subfiletype=1, **reduced)


def halved(pixels: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The picture and its halves down to 256 pixels."""
    while True:
        yield pixels
        if max(pixels.shape[:2]) <= 256:
            return
        pixels = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def volume(path: Path, side: int) -> None:
    """16 bits, in chunks of 64 voxels along each side, compressed by Blosc."""
    from numcodecs import Blosc

    transformations = [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    multiscale = {
        "version": "0.4",
        "axes": axes,
        "datasets": [{"path": "0", "coordinateTransformations": transformations}],
    }
    group = zarr.open_group(path, mode="w", zarr_format=2, attributes={"multiscales": [multiscale]})
    array = group.create_array(
        "0",
        shape=(side,) * 3,
        chunks=(CHUNK,) * 3,
        dtype="u2",
        compressors=Blosc(cname="lz4", clevel=5, shuffle=Blosc.SHUFFLE),
        chunk_key_encoding={"name": "v2", "separator": "/"},
    )
    plane, random = texture(side, 20) * 4000, np.random.default_rng(21)
    for z in range(0, side, CHUNK):
        noise = random.normal(0, 20, (CHUNK, side, side)).astype(np.float32)
        array[z : z + CHUNK] = (
            (plane + noise + 3 * np.arange(z, z + CHUNK)[:, None, None]).clip(0, 65535).astype(np.uint16)
        )
