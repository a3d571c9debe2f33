"""The images that are served, written once: every pixel is told by a formula, so that any answer can be checked.

Textures are repeated, and each tile or chunk has an offset of its own that tells it from all others.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import imagecodecs
import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray

Pixels = NDArray[Any]

TILE, CHUNK = 256, 64
SLIDE, CHANNELS, INTERLEAVED = "slide.tif", "channels.ome.tif", "interleaved.tif"
VOLUME_2, VOLUME_3 = "volume2.zarr", "volume3.zarr"


class Sizes(NamedTuple):
    """Sides in pixels."""

    slide: int = 16384
    channels: int = 8192
    volume: int = 448


QUICK = Sizes(slide=2048, channels=1024, volume=320)


def texture(side: int, seed: int, noise: float = 0.03) -> NDArray[np.float32]:
    """From 0 to 1: blobs of several sizes and some noise, the same beyond its edges."""
    random = np.random.default_rng(seed)
    total = np.zeros((side, side), np.float32)
    for share, cell in ((0.5 - noise, 64), (0.3, 16), (0.2, 4), (noise, 1)):
        coarse = np.pad(random.random((side // cell, side // cell), np.float32), 2, mode="wrap")
        fine = cv2.resize(coarse, None, fx=cell, fy=cell, interpolation=cv2.INTER_LINEAR)
        total += share * fine[2 * cell : 2 * cell + side, 2 * cell : 2 * cell + side]
    return np.asarray(np.clip(total, 0, 1))


class Slide:
    """RGB of 8 bits."""

    def __init__(self, side: int) -> None:
        self.side = side

    @cached_property
    def base(self) -> Pixels:
        colours = np.stack([texture(2048, seed, noise=0.35) for seed in range(3)], axis=-1)
        return (215 - 130 * colours * np.array([0.6, 1, 0.7], np.float32)).astype(np.int16)

    @cached_property
    def offsets(self) -> Pixels:
        count = self.side // TILE
        return np.random.default_rng(5).integers(-40, 41, (count, count, 3), np.int16)

    def region(self, y: int, x: int, height: int, width: int) -> Pixels:
        rows, columns = np.arange(y, y + height), np.arange(x, x + width)
        pixels = self.base.take(rows % 2048, axis=0).take(columns % 2048, axis=1)
        return (pixels + self.offsets.take(rows // TILE, axis=0).take(columns // TILE, axis=1)).astype(np.uint8)


class Channels:
    """Four of 16 bits, of which about 12 are used."""

    def __init__(self, side: int) -> None:
        self.side = side

    @cached_property
    def base(self) -> Pixels:
        return np.stack([texture(2048, 10 + channel) * 2600 for channel in range(4)]).astype(np.uint16)

    @cached_property
    def offsets(self) -> Pixels:
        count = self.side // TILE
        return np.random.default_rng(6).integers(0, 1400, (4, count, count), np.uint16)

    def region(self, y: int, x: int, height: int, width: int) -> Pixels:
        rows, columns, all_ = np.arange(y, y + height), np.arange(x, x + width), np.arange(4)
        pixels = self.base[np.ix_(all_, rows % 2048, columns % 2048)]
        return np.asarray(pixels + self.offsets[np.ix_(all_, rows // TILE, columns // TILE)])


class Volume:
    """Three axes of 16 bits."""

    def __init__(self, side: int) -> None:
        self.side = side

    @cached_property
    def base(self) -> Pixels:
        random = np.random.default_rng(7)
        smooth = texture(128, 20)[None] * 3000 + 400 * np.sin(np.arange(128) * 2 * np.pi / 128)[:, None, None] + 400
        return np.asarray(smooth + random.normal(0, 12, (128, 128, 128)).clip(-60, 60) + 60).astype(np.uint16)

    @cached_property
    def offsets(self) -> Pixels:
        return np.random.default_rng(8).integers(0, 4000, (self.side // CHUNK,) * 3, np.uint16)

    def region(self, start: tuple[int, ...], shape: tuple[int, ...]) -> Pixels:
        sides = [np.arange(first, first + size) for first, size in zip(start, shape, strict=True)]
        pixels = self.base[np.ix_(*(side % 128 for side in sides))]
        return np.asarray(pixels + self.offsets[np.ix_(*(side // CHUNK for side in sides))])


class Pictures(NamedTuple):
    """All of them, and the folder that they and what else servers need lie in."""

    top: Path
    slide: Slide
    channels: Channels
    volume: Volume

    @property
    def folder(self) -> Path:
        """Where there are no others."""
        return self.top / "images"


def pictures(top: Path, sizes: Sizes) -> Pictures:
    """Written into a folder, as far as they are not there yet."""
    found = Pictures(top, Slide(sizes.slide), Channels(sizes.channels), Volume(sizes.volume))
    folder = found.folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, write in (
        (SLIDE, lambda path: _slide(path, found.slide)),
        (CHANNELS, lambda path: _channels(path, found.channels)),
        (INTERLEAVED, lambda path: _interleaved(path, found.channels)),
        (VOLUME_2, lambda path: _volume(path, found.volume, 2)),
        (VOLUME_3, lambda path: _volume(path, found.volume, 3)),
    ):
        if not (folder / name).exists():
            partial = top / name
            shutil.rmtree(partial, ignore_errors=True)
            write(partial)
            partial.rename(folder / name)
    return found


def _slide(path: Path, slide: Slide) -> None:
    """JPEG tiles with common tables and coarser levels in directories of their own, as slide scanners write it."""
    level = slide.region(0, 0, slide.side, slide.side)
    options = {"tile": (TILE, TILE), "photometric": "ycbcr", "subsampling": (2, 2), "compression": "jpeg"}
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        while True:
            tables, parts = _jpeg_tiles(level)
            file.write(
                iter(parts),
                shape=level.shape,
                dtype=np.uint8,
                jpegtables=tables,
                subfiletype=int(level.shape[0] < slide.side),
                resolution=(40000, 40000),
                resolutionunit="CENTIMETER",
                metadata=None,
                **options,
            )
            if level.shape[0] <= TILE:
                return
            level = cv2.resize(level, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def _jpeg_tiles(level: Pixels) -> tuple[bytes, list[bytes]]:
    """The tables, and each tile without them."""
    places = [(y, x) for y in range(0, level.shape[0], TILE) for x in range(0, level.shape[1], TILE)]

    def parts(place: tuple[int, int]) -> tuple[bytes, bytes]:
        y, x = place
        tile = np.ascontiguousarray(level[y : y + TILE, x : x + TILE])
        return _parted(bytes(imagecodecs.jpeg8_encode(tile, level=85, subsampling="420")))

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(parts, places))
    tables = {table for table, _ in found}
    assert len(tables) == 1  # noqa: S101
    return tables.pop(), [data for _, data in found]


def _parted(data: bytes) -> tuple[bytes, bytes]:
    """The quantization and Huffman tables of a JPEG file as one of their own, and the file without them and JFIF."""
    tables, rest, at = [b"\xff\xd8"], [b"\xff\xd8"], 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] in {0xDB, 0xC4}:
            tables.append(data[at:end])
        elif data[at + 1] != 0xE0:
            rest.append(data[at:end])
        at = end
    return b"".join([*tables, b"\xff\xd9"]), b"".join([*rest, data[at:]])


def _channels(path: Path, channels: Channels) -> None:
    """An OME-TIFF: a plane for each channel, in deflated tiles with a predictor, with its coarser levels."""
    planes = [list(halved(plane)) for plane in channels.region(0, 0, channels.side, channels.side)]
    levels = [np.stack(level) for level in zip(*planes, strict=True)]
    options = {"tile": (TILE, TILE), "compression": "zlib", "predictor": True, "photometric": "minisblack"}
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "FITC", "Cy3", "Cy5"]}}
    with tifffile.TiffWriter(path, bigtiff=True, ome=True) as file:
        file.write(levels[0], subifds=len(levels) - 1, metadata=metadata, **options)
        for level in levels[1:]:
            file.write(level, subfiletype=1, **options)


def halved(pixels: Pixels) -> Iterator[Pixels]:
    while True:
        yield pixels
        if pixels.shape[0] <= TILE:
            return
        pixels = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def _interleaved(path: Path, channels: Channels) -> None:
    """The same with all channels of a pixel side by side, for servers that know no others."""
    pixels = np.moveaxis(channels.region(0, 0, channels.side, channels.side), 0, -1)
    options = {"tile": (TILE, TILE), "compression": "zlib", "predictor": True, "photometric": "minisblack"}
    with tifffile.TiffWriter(path, bigtiff=True) as file:
        file.write(np.ascontiguousarray(pixels), planarconfig="contig", metadata=None, **options)


def _volume(path: Path, volume: Volume, version: int) -> None:
    """An OME-Zarr of one level in chunks that Blosc has compressed."""
    multiscale = {
        "axes": [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"],
        "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0, 1.0]}]}],
    }
    if version == 2:
        attributes: dict[str, Any] = {"multiscales": [multiscale | {"version": "0.4"}]}
        keys = {"name": "v2", "separator": "/"}
    else:
        attributes = {"ome": {"version": "0.5", "multiscales": [multiscale]}}
        keys = {"name": "default", "separator": "/"}
    group = zarr.open_group(path, mode="w", zarr_format=version, attributes=attributes)
    array = group.create_array(
        "0",
        shape=(volume.side,) * 3,
        chunks=(CHUNK,) * 3,
        dtype="u2",
        compressors=_blosc(version),
        chunk_key_encoding=keys,
        **({"dimension_names": tuple("zyx")} if version == 3 else {}),
    )
    for z in range(0, volume.side, CHUNK):
        array[z : z + CHUNK] = volume.region((z, 0, 0), (CHUNK, volume.side, volume.side))


def _blosc(version: int) -> Any:
    if version == 2:
        from numcodecs import Blosc

        return Blosc(cname="lz4", clevel=5, shuffle=Blosc.SHUFFLE)
    return zarr.codecs.BloscCodec(cname="lz4", clevel=5, shuffle="shuffle")
