"""Small CZI files of all that the format allows: Zeiss' own writer knows no pyramid, JPEG XR and attachment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from struct import pack
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

TYPES = {
    ("u1", 1): 0,
    ("u2", 1): 1,
    ("f4", 1): 2,
    ("u1", 3): 3,
    ("u2", 3): 4,
    ("f4", 3): 8,
    ("u1", 4): 9,
    ("c8", 1): 10,
}
UNCOMPRESSED, JPEG, LZW, JPEG_XR, ZSTD0, ZSTD1 = 0, 1, 2, 4, 5, 6
NAMES = {
    "plain": UNCOMPRESSED, "jpeg": JPEG, "lzw": LZW, "jpegxr": JPEG_XR, "zstd0": ZSTD0, "zstd1": ZSTD1, "hilo": ZSTD1,
}  # fmt: skip

RGB_24 = bytes.fromhex("24c3dd6f034efe4bb1853d77768dc90d")
BGR_24 = RGB_24[:-1] + b"\x0c"


@dataclass(frozen=True)
class Tile:
    """One subblock."""

    pixels: NDArray[Any]
    """Rows, columns and, of colours, red, green and blue."""
    x: int = 0
    y: int = 0
    places: dict[str, int] = field(default_factory=lambda: {"C": 0})
    """Along all other dimensions."""
    packing: str = "plain"
    size: tuple[int, int] | None = None
    """Rows and columns of the finest level that a tile of the pyramid covers."""
    metadata: bytes = b"<METADATA />"
    raw: bytes = b""
    """What is stored in the place of the pixels."""


def packed(tile: Tile) -> bytes:
    if tile.raw:
        return tile.raw
    pixels = tile.pixels
    if tile.packing == "jpegxr":
        # Colours are declared as blue, green and red, 24bppBGR, which the encoder does not offer.
        return bytes(imagecodecs.jpegxr_encode(pixels, level=1.0)).replace(RGB_24, BGR_24)
    stored = pixels if pixels.ndim < 3 else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    if tile.packing == "jpeg":
        return bytes(imagecodecs.jpeg_encode(np.ascontiguousarray(stored), level=90))
    plain = np.ascontiguousarray(stored).tobytes()
    if tile.packing == "hilo":
        halves = np.frombuffer(plain, np.uint8).reshape(-1, 2)
        return b"\3\1\1" + imagecodecs.zstd_encode(halves.T.tobytes())
    ways = {
        "plain": lambda: plain,
        "lzw": lambda: imagecodecs.lzw_encode(plain),
        "zstd0": lambda: imagecodecs.zstd_encode(plain),
        "zstd1": lambda: b"\1" + imagecodecs.zstd_encode(plain),
    }
    return bytes(ways[tile.packing]())


def entry(tile: Tile, position: int) -> bytes:
    rows, columns = tile.pixels.shape[:2]
    size = tile.size or (rows, columns)
    samples = tile.pixels.shape[2] if tile.pixels.ndim > 2 else 1
    kind = TYPES[tile.pixels.dtype.str[1:], samples]
    places = {"X": (tile.x, size[1], columns), "Y": (tile.y, size[0], rows)}
    places |= {letter: (place, 1, 1) for letter, place in tile.places.items()}
    dimensions = (
        pack("<4siifi", letter.encode(), start, length, 0.0, stored)
        for letter, (start, length, stored) in places.items()
    )
    pyramid = 2 if tile.size else 0
    head = pack("<2siqiiB5xi", b"DV", kind, position, 0, NAMES[tile.packing], pyramid, len(places))
    return head + b"".join(dimensions)


def segment(kind: bytes, data: bytes) -> bytes:
    room = -(-len(data) // 32) * 32
    return pack("<16sqq", kind, room, len(data)) + data.ljust(room, b"\0")


def subblock(tile: Tile, position: int) -> bytes:
    data = packed(tile)
    head = pack("<iiq", len(tile.metadata), 0, len(data)) + entry(tile, position)
    return segment(b"ZISRAWSUBBLOCK", head.ljust(256, b"\0") + tile.metadata + data)


def attachment(name: str, kind: str, position: int, data: bytes | None) -> bytes:
    told = pack("<2s10xqi16s8s80s", b"A1", position, 0, b"\1" * 16, kind.encode(), name.encode())
    return told if data is None else segment(b"ZISRAWATTACH", pack("<i12x", len(data)) + told.ljust(240, b"\0") + data)


def czi(tiles: Iterable[Tile], xml: str = "", attachments: dict[tuple[str, str], bytes] | None = None) -> bytes:
    """A file of these subblocks, in their order."""
    tiles, out = list(tiles), bytearray(segment(b"ZISRAWFILE", bytes(512)))
    positions = []
    for tile in tiles:
        positions.append(len(out))
        out += subblock(tile, len(out))
    directory = len(out)
    entries = b"".join(entry(tile, position) for tile, position in zip(tiles, positions, strict=True))
    out += segment(b"ZISRAWDIRECTORY", pack("<i124x", len(tiles)) + entries)
    metadata, text = (len(out) if xml else 0), xml.encode()
    if xml:
        out += segment(b"ZISRAWMETADATA", pack("<ii248x", len(text), 0) + text)
    listed, beside = [], 0
    for (name, kind), data in (attachments or {}).items():
        listed.append(attachment(name, kind, len(out), None))
        out += attachment(name, kind, len(out), data)
    if listed:
        beside = len(out)
        out += segment(b"ZISRAWATTDIR", pack("<i252x", len(listed)) + b"".join(listed))
    guid = b"\7" * 16
    out[32 : 32 + 80] = pack("<iiii16s16siqqiq", 1, 0, 0, 0, guid, guid, 0, directory, metadata, 0, beside)
    return bytes(out)


XML = """<?xml version="1.0"?><ImageDocument><Metadata>
<Information>
  <Application><Name>ZEN</Name><Version>3.4</Version></Application>
  <Document><Title>A section</Title></Document>
  <Image>
    <AcquisitionDateAndTime>2024-05-06T07:08:09Z</AcquisitionDateAndTime><ComponentBitCount>14</ComponentBitCount>
    <ObjectiveSettings><ObjectiveRef Id="Objective:2"/><Medium>Oil</Medium></ObjectiveSettings>
    <Dimensions>
      <Channels>
        <Channel Id="Channel:0" Name="DAPI"><Color>#FF0000FF</Color><ExcitationWavelength>353</ExcitationWavelength>
          <EmissionWavelength>465.5</EmissionWavelength><ExposureTime>2000000</ExposureTime></Channel>
        <Channel Id="Channel:1" Name="GFP"><Color>#FF00FF00</Color></Channel>
      </Channels>
      <S><Scenes>
        <Scene Index="0" Name="A1"><CenterPosition>10.5,-20</CenterPosition></Scene>
        <Scene Index="1" Name="B/2"><Positions><Position X="1" Y="2" Z="3"/></Positions></Scene>
      </Scenes></S>
      <T><Positions><Interval><Increment>2.5</Increment></Interval></Positions></T>
    </Dimensions>
  </Image>
  <Instrument><Microscopes><Microscope Id="Microscope:1" Name="LSM 900"/></Microscopes>
    <Objectives>
      <Objective Id="Objective:1" Name="Other"/>
      <Objective Id="Objective:2" Name="Plan-Apochromat 63x/1.4"><LensNA>1.4</LensNA>
        <NominalMagnification>63</NominalMagnification></Objective>
    </Objectives></Instrument>
</Information>
<Scaling><Items><Distance Id="X"><Value>1.6E-07</Value></Distance><Distance Id="Y"><Value>1.7E-07</Value></Distance>
  <Distance Id="Z"><Value>2E-06</Value></Distance></Items></Scaling>
<DisplaySetting><Channels><Channel Id="Channel:0" Name="DAPI"><Low>0.1</Low><High>0.5</High><Color>#FF00A1FF</Color>
  </Channel></Channels></DisplaySetting>
</Metadata></ImageDocument>"""


def ramp(rows: int, columns: int, dtype: str = "u2", samples: int = 1, seed: int = 0) -> NDArray[Any]:
    """Smooth pixels with a little noise, unlike those of another seed."""
    random = np.random.default_rng(seed)
    shape = (rows, columns) if samples == 1 else (rows, columns, samples)
    across = np.add.outer(np.arange(rows) * 2, np.arange(columns))
    base = across if samples == 1 else across[..., None] + np.arange(samples) * 40
    return ((base + seed * 17) % 240 + random.integers(0, 5, shape)).astype(dtype)


def mosaic(packing: str = "zstd1", dtype: str = "u2", samples: int = 1) -> list[Tile]:
    """Three overlapping tiles in two channels and times, left and above of the origin; drawn in the order of M."""
    spots = [(-50, -21, 2), (-9, -5, 0), (20, 4, 1)]
    return [
        Tile(ramp(64, 70, dtype, samples, 10 * c + 5 * t + m), x, y, {"C": c, "T": t, "M": m, "S": 0}, packing)
        for c in range(1 if samples > 1 else 2)
        for t in range(2)
        for x, y, m in spots
    ]


def pyramid() -> list[Tile]:
    """Four tiles of 64 by 64 and what they are at the half and at the quarter of the size."""
    full = ramp(128, 128, "u1")
    half, quarter = (full.reshape(128 // f, f, 128 // f, f).mean((1, 3)).astype("u1") for f in (2, 4))
    tiles = [
        Tile(full[y : y + 64, x : x + 64], x - 32, y + 16, {"C": 0, "S": 0, "M": k})
        for k, (y, x) in enumerate((y, x) for y in (0, 64) for x in (0, 64))
    ]
    return [
        *tiles,
        Tile(half, -32, 16, {"C": 0, "S": 0}, size=(128, 128)),
        Tile(quarter, -32, 16, {"C": 0, "S": 0}, size=(128, 128)),
    ]


def contract_file(path: Path) -> None:
    """A mosaic with scenes, channels, times and metadata."""
    other = [Tile(ramp(40, 50, seed=9), 500, 3, {"C": 0, "T": 0, "M": 0, "S": 1}, "hilo")]
    path.write_bytes(czi([*mosaic(), *other], XML))


def pyramid_file(path: Path) -> None:
    label = czi([Tile(ramp(20, 30, "u1", 3))])
    thumbnail = bytes(imagecodecs.jpeg_encode(ramp(16, 24, "u1", 3)))
    path.write_bytes(czi(pyramid(), XML, {("Label", "CZI"): label, ("Thumbnail", "JPG"): thumbnail}))


def colour_file(path: Path) -> None:
    path.write_bytes(czi([Tile(ramp(33, 47, "u1", 3), packing="jpegxr")]))


def plain_file(path: Path) -> None:
    """A plane so large that parts of it are read."""
    path.write_bytes(czi([Tile(ramp(800, 900, "u2"), places={"C": 0, "Z": z}) for z in range(2)]))
