"""Images that stand still, and what is right of every representation of them."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import PIL.Image
import tifffile
import zarr

SIDE = 1024
VOLUME = 128
CHUNK = 64
TILE = 256


@dataclass(frozen=True)
class Asked:
    """A path of the tree, maybe a range of its bytes, and what is wrong with an answer."""

    path: str
    wrong: Callable[[bytes], str | None]
    range: tuple[int, int] | None = None


class Still:
    """A folder of such images."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        chance = np.random.default_rng(5)
        y, x = np.indices((SIDE, SIDE))
        self.rgb = np.stack([y // 4 % 256, x // 4 % 256, (x + y) // 8 % 256], -1).astype(np.uint8)
        with tifffile.TiffWriter(folder / "slide.tif") as tiff:
            told = {"tile": (TILE, TILE), "photometric": "rgb", "compression": "jpeg", "compressionargs": {"level": 92}}
            tiff.write(self.rgb, subifds=1, **told)
            tiff.write(_halved(self.rgb), subfiletype=1, **told)
        self.channels = chance.integers(0, 4000, (3, SIDE, SIDE)).astype(np.uint16)
        tifffile.imwrite(
            folder / "cells.ome.tif",
            self.channels,
            tile=(TILE, TILE),
            compression="zlib",
            metadata={"axes": "CYX"},
        )
        self.volume = chance.integers(0, 60000, (VOLUME,) * 3).astype(np.uint16)
        _ome_zarr(folder / "brain.ome.zarr", self.volume)
        self.passed: dict[str, bytes] = {}

    def asked(self, chance: random.Random) -> Asked:
        """Something at random."""
        kinds = (self._tile, self._tile, self._region, self._chunk, self._box, self._plane, self._bytes)
        return chance.choice(kinds)(chance)

    def _tile(self, chance: random.Random) -> Asked:
        row, column = chance.randrange(SIDE // TILE), chance.randrange(SIDE // TILE)
        right = self.rgb[row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE]
        return Asked(f"slide.tif/original/slide_files/10/{column}_{row}.jpeg", lambda data: _unlike(data, right))

    def _region(self, chance: random.Random) -> Asked:
        row, column = chance.randrange(SIDE - 512), chance.randrange(SIDE - 512)
        right = _halved(self.rgb[row : row + 512, column : column + 512])
        path = f"slide.tif/original/slide.iiif/{column},{row},512,512/256,256/0/default.jpg"
        return Asked(path, lambda data: _unlike(data, right))

    def _chunk(self, chance: random.Random) -> Asked:
        z, y, x = (chance.randrange(VOLUME // CHUNK) for _ in "zyx")
        right = self._box_of(z, y, x)

        def wrong(data: bytes) -> str | None:
            pixels = np.frombuffer(numcodecs.blosc.decompress(data), "<u2")
            return None if pixels.tobytes() == right.tobytes() else "another chunk of Zarr"

        return Asked(f"brain.ome.zarr/original/brain.zarr2.ome.zarr/0/{z}/{y}/{x}", wrong)

    def _box(self, chance: random.Random) -> Asked:
        z, y, x = (chance.randrange(VOLUME // CHUNK) for _ in "zyx")
        right = self._box_of(z, y, x)
        name = "_".join(f"{at * CHUNK}-{(at + 1) * CHUNK}" for at in (x, y, z))
        path = f"brain.ome.zarr/original/brain.precomputed/0/{name}"
        return Asked(path, lambda data: None if data == right.tobytes() else "another chunk of precomputed")

    def _plane(self, chance: random.Random) -> Asked:
        """Through a view that anybody may think of."""
        z, low = chance.randrange(VOLUME), chance.randrange(200)
        right = np.clip((self.volume[z].astype(np.float64) - low) / (60000 - low), 0, 1) * 255
        view = f"select,axis=z,index={z}~window,low={low},high=60000~render"
        path = f"brain.ome.zarr/{view}/brain.iiif/full/max/0/default.png"

        def wrong(data: bytes) -> str | None:
            pixels = np.asarray(PIL.Image.open(io.BytesIO(data)).convert("L"))
            off = np.abs(pixels.astype(np.float64) - right).max()
            return None if off <= 1 else f"a plane that is {off} off"

        return Asked(path, wrong)

    def _bytes(self, chance: random.Random) -> Asked:
        """Of a virtual file that is read by ranges, the same bytes each time; what they say is judged elsewhere."""
        start = chance.randrange(16) * 65536
        path = "cells.ome.tif/original/cells.ome.tif"

        def wrong(data: bytes) -> str | None:
            key = f"{path} {start}"
            return None if self.passed.setdefault(key, data) == data else "other bytes of an OME-TIFF"

        return Asked(path, wrong, (start, start + 65536))

    def _box_of(self, z: int, y: int, x: int) -> Any:
        return self.volume[tuple(slice(at * CHUNK, (at + 1) * CHUNK) for at in (z, y, x))]


def _halved(pixels: Any) -> Any:
    height, width = pixels.shape[:2]
    return pixels.reshape(height // 2, 2, width // 2, 2, -1).mean((1, 3)).round().astype(np.uint8)


def _unlike(data: bytes, right: Any) -> str | None:
    """JPEG is not what went in, but near it; a neighbouring tile is far from it."""
    pixels = np.asarray(PIL.Image.open(io.BytesIO(data)))
    if pixels.shape != right.shape:
        return f"a picture of {pixels.shape}"
    off = np.abs(pixels.astype(np.float64) - right).mean()
    return None if off < 8 else f"a picture that is {off:.1f} off in the mean"


def _ome_zarr(path: Path, pixels: Any) -> None:
    group = zarr.open_group(path, mode="w", zarr_format=2)
    compressor = numcodecs.Blosc("lz4", shuffle=numcodecs.Blosc.SHUFFLE)
    array = group.create_array("0", shape=pixels.shape, chunks=(CHUNK,) * 3, dtype="<u2", compressors=compressor)
    array[...] = pixels
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    datasets = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
