"""What is asked of servers, W1 to W8: the places that are looked at, and the pixels that have to be there."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import cv2
import imagecodecs
import numpy as np
from numcodecs import blosc
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

from .pictures import CHUNK, TILE, Channels, Pictures, Slide, Volume

Pixels = NDArray[Any]
Place = tuple[int, ...]

REGION, SCALED = 1024, 512
COLOURS = ("ff0000", "00ff00", "0000ff", "404040")
HIGH = 4095
MATRIX = np.array([[0.97, -0.1, 0.03, 21.5], [0.1, 0.96, -0.05, -2.25], [-0.03, 0.06, 0.98, 4.75]])
"""Of positions x, y, z, from the result to the volume."""
WARMING = MATRIX + np.array([0, 0, 0, 0.5])
"""Another map, which needs the same chunks."""


@dataclass(frozen=True)
class Work:
    """Requests of one kind."""

    name: str
    title: str
    places: list[Place]
    decoded: Callable[[bytes], Pixels]
    expected: Callable[[Place], Pixels]
    loss: float
    """How far pixels, or the means of blocks of a picture, may be off on average, in their own unit."""
    is_repeated: bool = False
    """Whether the same is asked for again."""


def works(pictures: Pictures) -> dict[str, Work]:
    """All of them, by name."""
    slide, channels, volume = pictures.slide, pictures.channels, pictures.volume
    tiles = _grid(slide.side // TILE, 2, 2400)
    fields = _grid(channels.side // TILE, 2, 1024)
    chunks = _grid(volume.side // CHUNK, 3, 512)
    jpeg = imagecodecs.jpeg8_decode
    found = [
        Work("tile", "256² JPEG tile of a JPEG pyramid", tiles, jpeg, lambda at: _tile(slide, at), 4, is_repeated=True),
        Work("composite", "256² RGB of 4 channels", fields[:400], jpeg, lambda at: composite(channels, at), 4),
        Work("region", "1024² region scaled to 512²", _offsets(slide), jpeg, lambda at: _region(slide, at), 4),
        Work("chunk", "64³ chunk as OME-Zarr", chunks, _unblosced, lambda at: _chunk(volume, at), 0),
        Work("raw", "64³ chunk as raw voxels", chunks, _raw, lambda at: _chunk(volume, at), 0),
        Work("affine", "64³ chunk under an affine map", inner(volume), _raw, Bent(volume), 0.51),
        Work("png", "256² PNG tile of 16 bits", fields, _png, lambda at: _plane(channels, at), 0),
    ]
    return {work.name: work for work in found}


def _grid(count: int, rank: int, most: int) -> list[Place]:
    places = list(product(range(count), repeat=rank))
    random.Random(0).shuffle(places)  # noqa: S311
    return places[:most]


def _offsets(slide: Slide) -> list[Place]:
    """Anywhere, the same for all."""
    order = random.Random(1)  # noqa: S311
    return [(order.randrange(slide.side - REGION), order.randrange(slide.side - REGION)) for _ in range(400)]


def inner(volume: Volume) -> list[Place]:
    """Chunks that lie in the volume, with all that is about them, under both maps."""
    corners = np.array(list(product((-1, CHUNK), repeat=3)))

    def lies_within(place: Place) -> bool:
        positions = (np.array(place) * CHUNK + corners)[:, ::-1]
        moved = np.concatenate([positions @ matrix[:, :3].T + matrix[:, 3] for matrix in (MATRIX, WARMING)])
        return bool((moved >= 1).all() and (moved < volume.side - 2).all())

    return [place for place in _grid(volume.side // CHUNK, 3, 512) if lies_within(place)]


def _tile(slide: Slide, place: Place) -> Pixels:
    return slide.region(place[0] * TILE, place[1] * TILE, TILE, TILE)


def _region(slide: Slide, place: Place) -> Pixels:
    return np.asarray(
        cv2.resize(slide.region(place[0], place[1], REGION, REGION), (SCALED, SCALED), interpolation=cv2.INTER_AREA)
    )


def _plane(channels: Channels, place: Place) -> Pixels:
    return np.asarray(channels.region(place[0] * TILE, place[1] * TILE, TILE, TILE)[0])


def coloured(channels: Channels, place: Place) -> Pixels:
    """Each channel in its colour."""
    shares = channels.region(place[0] * TILE, place[1] * TILE, TILE, TILE).clip(0, HIGH) / HIGH
    colours = np.array([[int(colour[k : k + 2], 16) for k in (0, 2, 4)] for colour in COLOURS])
    return np.asarray(shares[..., None] * colours[:, None, None, :])


def composite(channels: Channels, place: Place) -> Pixels:
    """Their sum."""
    return np.asarray(coloured(channels, place).sum(axis=0).clip(0, 255))


def lightest(channels: Channels, place: Place) -> Pixels:
    """The brightest of them, as some blend."""
    return np.asarray(coloured(channels, place).max(axis=0))


def _chunk(volume: Volume, place: Place) -> Pixels:
    z, y, x = (index * CHUNK for index in place)
    return volume.region((z, y, x), (CHUNK,) * 3)


class Bent:
    """The volume under the map."""

    def __init__(self, volume: Volume) -> None:
        self.volume = volume

    def __call__(self, place: Place) -> Pixels:
        matrix, start = MATRIX[::-1, 2::-1], np.array(place) * CHUNK
        first = MATRIX[::-1, 3] + matrix @ start
        reach = np.array([np.minimum(matrix * (CHUNK - 1), 0).sum(1), np.maximum(matrix * (CHUNK - 1), 0).sum(1)])
        low = np.floor(first + reach[0]).astype(int)
        high = np.ceil(first + reach[1]).astype(int) + 2
        box = self.volume.region(tuple(low), tuple(high - low)).astype(np.float64)
        return np.asarray(affine_transform(box, matrix, first - low, (CHUNK,) * 3, order=1))


def _unblosced(data: bytes) -> Pixels:
    return _raw(blosc.decompress(data))


def _raw(data: bytes) -> Pixels:
    return np.frombuffer(data, "<u2").reshape((CHUNK,) * 3)


def _png(data: bytes) -> Pixels:
    """The first sample of each pixel: some servers add an opacity."""
    pixels = imagecodecs.png_decode(data)
    return np.asarray(pixels if pixels.ndim == 2 else pixels[..., 0])
