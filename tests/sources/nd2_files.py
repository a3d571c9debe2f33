"""Tiny ND2 files: chunks of metadata and frames, and their map, as version 3.0 has them."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from struct import pack
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x0ABECEDA
TIME, POSITIONS, STACK = 1, 2, 4
COLOURS = 0x0000FF, 0x00FF00, 0xFF0000
"""Of channels, blue above green above red."""


def values(content: dict[str, Any]) -> bytes:
    return b"".join(value(name, each) for name, each in content.items())


def value(name: str, content: Any) -> bytes:
    """A value; the names of lists are left out."""
    name = "" if name.startswith("i00") else f"{name}\0"
    head = name.encode("utf-16-le")
    length = len(name)
    if isinstance(content, dict):
        body = values(content)
        size = 2 + len(head) + 12 + len(body)
        start = pack("<BB", 11, length) + head + pack("<IQ", len(content), size)
        return start + body + bytes(8 * len(content))
    kind, body = next(
        (kind, make(content))
        for types, kind, make in (
            (bool, 1, lambda v: pack("<B", v)),
            (int, 3, lambda v: pack("<I", v)),
            (float, 6, lambda v: pack("<d", v)),
            (str, 8, lambda v: f"{v}\0".encode("utf-16-le")),
            (bytes, 9, lambda v: pack("<Q", len(v)) + v),
        )
        if isinstance(content, types)
    )
    return pack("<BB", kind, length) + head + body


def listed(items: Sequence[Any]) -> dict[str, Any]:
    return {f"i{k:010}": item for k, item in enumerate(items)}


def experiment(loops: Sequence[tuple[int, Any]], inner: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """Loops from the outermost, each a kind and its number, or the points of the stage."""
    kind, count = loops[0]
    pars: dict[str, Any] = {"uiCount": count}
    if kind == TIME:
        pars |= {"dStart": 0.0, "dPeriod": 2500.0, "dDuration": 0.0}
    if kind == STACK:
        pars |= {"dZLow": 0.0, "dZHigh": 0.5 * count, "dZHome": 0.0, "dZStep": 0.5, "iType": 0, "bZInverted": False}
    if kind == POSITIONS:
        points = [{"dPosX": x, "dPosY": y, "dPosZ": 0.0, "dPosName": name} for name, x, y in count]
        pars = {"uiCount": len(points), "bUseZ": False, "Points": listed(points)}
    if not inner and len(loops) > 1:
        inner = [experiment(loops[1:])]
    return {
        "eType": kind,
        "uLoopPars": pars,
        "uiNextLevelCount": len(inner),
        **({"ppNextLevelEx": listed(inner)} if inner else {}),
    }


def dimensions(loops: dict[str, Any]) -> str:
    """Nested loops as the program describes them."""
    names = {TIME: "T", POSITIONS: "XY", STACK: "Z"}
    inner: dict[str, Any] = next(iter(loops.get("ppNextLevelEx", {}).values()), {})
    one = f"{names[loops['eType']]}({loops['uLoopPars']['uiCount']})" if loops else ""
    return f"{one} x {dimensions(inner)}" if inner else one


def picture(channels: int, components: int) -> dict[str, Any]:
    def plane(k: int) -> dict[str, Any]:
        point = {"eType": 4, "dWavelength": 500.0 + 50 * k, "dTValue": 1.0}
        spectrum = {"uiCount": 1, "pPoint": {"Point0": point}, "bPoints": False}
        probe = {"m_sName": "", "m_uiColor": 0, "m_ExcitationSpectrum": spectrum, "m_EmissionSpectrum": spectrum}
        return {
            "uiCompCount": components,
            "uiSampleIndex": k,
            "uiModalityMask": 1,
            "pFluorescentProbe": probe,
            "uiColor": COLOURS[k % 3],
            "sDescription": f"channel {k}",
        }

    planes = {"uiCount": channels, "uiCompCount": channels * components}
    return {
        "dTimeMSec": 0.0,
        "dTimeAbsolute": 2459000.25,
        "dXPos": 100.0,
        "dYPos": -200.0,
        "dZPos": 30.0,
        "sPicturePlanes": {**planes, "sPlaneNew": {f"a{k}": plane(k) for k in range(channels)}},
        "bCalibrated": True,
        "dCalibration": 0.25,
        "wsObjectiveName": "Plan Apo 20x",
        "dObjectiveMag": 20.0,
        "dObjectiveNA": 0.75,
        "dZoom": 1.0,
        "dRefractIndex1": 1.0,
    }


def nd2(  # noqa: PLR0913
    frames: NDArray[Any],
    loops: dict[str, Any] | None = None,
    *,
    components: int = 1,
    padding: int = 0,
    is_packed: bool = False,
    written: int | None = None,
    seconds: Sequence[float] = (),
) -> bytes:
    """A file of frames of rows, columns and channels, whose experiment is ``loops``."""
    count, height, width, depth = frames.shape
    row = width * depth * frames.itemsize + padding
    attributes = {
        "uiWidth": width,
        "uiWidthBytes": row,
        "uiHeight": height,
        "uiComp": depth,
        "uiBpcInMemory": frames.itemsize * 8,
        "uiBpcSignificant": frames.itemsize * 8,
        "uiSequenceCount": count if written is None else written,
        "uiTileWidth": width,
        "uiTileHeight": height,
        "eCompression": 0 if is_packed else 2,
        "dCompressionParam": 1.0,
        "ePixelType": 1,
        "uiVirtualComponents": depth,
    }
    described = "" if "Points" in str(loops) else f"Dimensions: {dimensions(loops or {})}\r\n"
    told = f"{described}Camera Name: made\r\n Microscope: Ti2 Microscope\r\n"
    text = {"TextInfoItem_5": told, "TextInfoItem_13": "Plan Apo 20x"}
    content = {
        "ImageAttributesLV!": value("SLxImageAttributes", attributes),
        "ImageMetadataSeqLV|0!": value("SLxPictureMetadata", picture(depth // components, components)),
        "ImageTextInfoLV!": value("SLxImageTextInfo", text),
    }
    if loops:
        content["ImageMetadataLV!"] = value("SLxExperiment", loops)
    if len(seconds):
        content["CustomData|AcqTimesCache!"] = pack(f"<{len(seconds)}d", *(1000 * each for each in seconds))
    for k, frame in enumerate(frames[:written]):
        rows = b"".join(line.tobytes() + bytes(padding) for line in frame)
        content[f"ImageDataSeq|{k}!"] = bytes(8) + (zlib.compress(rows) if is_packed else rows)
    return file(content)


def chunk(name: bytes, data: bytes, room: int) -> bytes:
    return pack("<IIQ", MAGIC, room, len(data)) + name.ljust(room, b"\0") + data


def file(content: dict[str, bytes]) -> bytes:
    data = bytearray(chunk(b"ND2 FILE SIGNATURE CHUNK NAME01!", b"Ver3.0".ljust(64, b"\0"), 32))
    places = {}
    for name, each in content.items():
        data += bytes(-len(data) % 4096)
        places[name.encode()] = (len(data), len(each))
        # The pixels of a frame begin at 4096 bytes, behind eight of its time.
        data += chunk(name.encode(), each, 4072 if name.startswith("ImageDataSeq") else 48)
    end = b"ND2 CHUNK MAP SIGNATURE 0000001!"
    at = len(data)
    entries = b"".join(name + pack("<QQ", *place) for name, place in places.items())
    return bytes(data + chunk(b"ND2 FILEMAP SIGNATURE NAME 0001!", entries + end + pack("<Q", at), 48))


def frames(count: int = 6, depth: int = 2, dtype: str = "u2") -> NDArray[Any]:
    return np.random.default_rng(5).integers(0, 200, (count, 9, 13, depth)).astype(dtype)


TIMES_AND_PLANES = experiment([(TIME, 2), (STACK, 3)])
POINTS = [("first", 10.0, 20.0), ("a/b", 30.0, 40.0), ("", 50.0, 60.0)]
STAGE = experiment([(POSITIONS, POINTS), (STACK, 2)])
UNEQUAL = experiment([(POSITIONS, POINTS)], [experiment([(STACK, count)]) for count in (1, 3, 2)])


def series(path: Path) -> None:
    path.write_bytes(nd2(frames(), TIMES_AND_PLANES, seconds=[0.5 * k for k in range(6)]))


def stage(path: Path) -> None:
    path.write_bytes(nd2(frames(), STAGE))


def packed(path: Path) -> None:
    path.write_bytes(nd2(frames(), TIMES_AND_PLANES, is_packed=True))


def rgb(path: Path) -> None:
    path.write_bytes(nd2(frames(1, 3, "u1"), components=3, padding=1))
