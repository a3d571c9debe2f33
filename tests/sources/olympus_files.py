"""Tiny OIF folders, and OIB files that are the same as streams of a compound file ([MS-CFB])."""

from __future__ import annotations

import io
from itertools import pairwise, product
from pathlib import Path
from struct import pack
from typing import Any

import numpy as np
import PIL.Image
import tifffile
from numpy.typing import NDArray

SECTOR = 512
FREE, END, TABLE, LISTING = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFC
IN_HEAD, IN_SECTOR = 109, 127
SMALL = 4096
"""A stream of fewer bytes lies among the small ones."""

COLOURS = [(0, 255, 0), (255, 0, 0)]


def pixels(axes: str = "tczyx", **sizes: int) -> NDArray[np.uint16]:
    known = {"t": 2, "c": 2, "z": 3, "y": 9, "x": 13, "l": 2} | sizes
    return np.random.default_rng(8).integers(0, 4096, [known[name] for name in axes], dtype=np.uint16)


def ini(sections: dict[str, dict[str, Any]]) -> bytes:
    lines = [line for name, each in sections.items() for line in (f"[{name}]", *(f"{k}={v}" for k, v in each.items()))]
    return b"\xff\xfe" + ("\r\n".join(lines) + "\r\n").encode("utf-16-le")


def files(name: str, axes: str, data: NDArray[Any]) -> dict[str, bytes]:
    """The files of an image by the paths that the OIF has for them; the last two axes are rows and columns."""
    sizes = dict(zip(axes, data.shape, strict=True))
    letters = [letter for letter in "clzt" if letter in axes[:-2]]
    folder = f"{name}.oif.files"
    found: dict[str, bytes] = {}
    plane_names = []
    for backwards in product(*(range(sizes[letter]) for letter in reversed(letters))):
        index = backwards[::-1]
        stem = "".join(f"{letter.upper()}{k + 1:03}" for letter, k in zip(letters, index, strict=True))
        stem = f"s_{stem or 'C001'}"
        at = dict(zip(letters, index, strict=True))
        plane = data[tuple(at[letter] for letter in axes[:-2])]
        out = io.BytesIO()
        tifffile.imwrite(out, plane, byteorder="<", metadata=None)
        found[f"{folder}/{stem}.tif"] = out.getvalue()
        found[f"{folder}/{stem}.pty"] = ini(settings_of_plane(stem, sizes, at))
        plane_names.append(f"{folder}/{stem}.pty")
    for k in range(sizes.get("c", 1)):
        found[f"{folder}/{name}_LUT{k + 1}.lut"] = ini({"Contrast": {"Value": 0}}) + table(COLOURS[k])
    found[f"{folder}/{name}_Thumb.bmp"] = thumbnail()
    found[f"{folder}/s_C001-R001.tif"] = next(iter(found.values()))
    return {f"{name}.oif": ini(settings_of_all(name, axes, sizes, plane_names)), **found}


def thumbnail() -> bytes:
    out = io.BytesIO()
    PIL.Image.new("RGB", (4, 3)).save(out, "BMP")
    return out.getvalue()


def table(colour: tuple[int, int, int]) -> bytes:
    steps = np.arange(65536)[:, None] * np.array([*colour[::-1], 0]) // 65535
    return steps.astype(np.uint8).tobytes()


def settings_of_plane(stem: str, sizes: dict[str, int], at: dict[str, int]) -> dict[str, dict[str, Any]]:
    positions = {"z": 1000.0 + 500 * at.get("z", 0), "t": 2000.0 * at.get("t", 0)}
    axes = {
        f"Axis {k} Parameters": {"Number": sizes.get(letter, 0), "AbsPositionValue": positions.get(letter, 0)}
        for k, letter in enumerate("xyczt")
    }
    lens = {"Magnification": 60.0, "ObjectiveLens NAValue": 1.35, "ObjectiveLens Name": '"UPLSAPO 60X O NA:1.35"'}
    return {
        "File Info": {"DataName": f'"{stem}.tif"'},
        **axes,
        "Acquisition Parameters Common": {**lens, "ImageCaputreDate": "'2009-02-03 04:05:06'", "ValidBitCounts": 12},
    }


def settings_of_all(name: str, axes: str, sizes: dict[str, int], planes: list[str]) -> dict[str, dict[str, Any]]:
    saved: dict[str, Any] = {"Version": '"2.0.1.0"', "Name": '"made"'}
    saved |= {f"LutFileName{k}": f'"{name}.oif.files\\{name}_LUT{k + 1}.lut"' for k in range(sizes.get("c", 1))}
    saved["ThumbFileName"] = f'"{name}.oif.files\\{name}_Thumb.bmp"'
    saved |= {f"IniFileName{k}": '"{}"'.format(path.replace("/", "\\")) for k, path in enumerate(planes)}
    ends = {
        "z": (1000.0, 1000.0 + 500 * (sizes.get("z", 1) - 1), "nm"),
        "t": (0.0, 2000.0 * (sizes.get("t", 1) - 1), "ms"),
    }
    each = {}
    for k, letter in enumerate("xyczt"):
        start, stop, unit = ends.get(letter, (0.0, 0.0, "um"))
        values = {"MaxSize": sizes.get(letter, 0), "StartPosition": start, "EndPosition": stop, "UnitName": f'"{unit}"'}
        each[f"Axis {k} Parameters Common"] = {"AxisCode": f'"{letter.upper()}"', **values}
    for k, letter in enumerate("lapq", 5):
        count = sizes.get("l", 0) if letter == "l" else 0
        values = {"MaxSize": count, "StartPosition": 0.0, "EndPosition": 0.0, "UnitName": '""'}
        each[f"Axis {k} Parameters Common"] = {"AxisCode": f'"{letter.upper()}"', **values}
    order = "".join(letter.upper() for letter in (axes[-1], axes[-2], *reversed(axes[:-2])))
    reference = {"ImageDepth": 2, "ValidBitCounts": 12, "WidthConvertValue": 0.25, "HeightConvertValue": 0.5}
    channels = {f"GUI Channel {k + 1} Parameters": channel(k, sizes.get("c", 1)) for k in range(3)}
    return {
        "FileInformation": {"CRI": '"x"'},
        "ProfileSaveInfo": saved,
        "Axis Parameter Common": {"AxisCount": 8, "AxisOrder": f'"{order}"'},
        **each,
        "Reference Image Parameter": {**reference, "WidthUnit": '"um"', "HeightUnit": '"um"'},
        **channels,
        "Version Info": {"SystemName": '"FLUOVIEW FV1000"', "SystemVersion": '"2.0.1.0"'},
    }


def channel(k: int, count: int) -> dict[str, Any]:
    """The settings of one of three, of which the first are active."""
    waves = {"EmissionWavelength": 461 + 50 * k, "ExcitationWavelength": 405 + 83 * k}
    dye = ('"DAPI"', '"None"', '"None"')[k]
    return {"CH Activate": int(k < count), "CH Name": f'"CHS{k + 1}"', "DyeName": dye, **waves}


def oif(path: Path, axes: str = "tczyx", data: NDArray[Any] | None = None) -> None:
    """The OIF at a path, and the folder beside it."""
    name = path.name.removesuffix(".oif")
    for each, content in files(name, axes, pixels(axes) if data is None else data).items():
        target = path.parent / each
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)


def oib(path: Path, axes: str = "tczyx", data: NDArray[Any] | None = None) -> None:
    """The same as one file."""
    name = path.name.removesuffix(".oib")
    found = files(name, axes, pixels(axes) if data is None else data)
    path.write_bytes(compound_oib(found))


def compound_oib(found: dict[str, bytes]) -> bytes:
    (main, settings), *others = found.items()
    folder = others[0][0].partition("/")[0]
    names = {f"Stream{k + 1:05}": path for k, (path, _) in enumerate(others)}
    info = {"Version": "2.0.0.0", "MainFileName": "Stream00000", "Stream00000": main, "Storage00001": folder}
    info |= {key: path.replace(folder, "Storage00001") for key, path in names.items()}
    streams = {"OibInfo.txt": ini({"OibSaveInfo": info}), "Stream00000": settings}
    inner = {key: found[path] for key, path in names.items()}
    return compound(streams, "Storage00001", inner)


def compound(streams: dict[str, bytes], storage: str, inner: dict[str, bytes]) -> bytes:
    """A compound file of streams, and of more in a storage; every folder is a chain of right-hand neighbours."""
    contents = {**streams, **inner}
    small, table, firsts = small_streams(contents)
    large = {name: content for name, content in contents.items() if name not in firsts}
    bodies = {"": bytes(128 * (2 + len(contents))), "small": small, "table": pack(f"<{len(table)}I", *table), **large}
    counts = {name: -(-len(body) // SECTOR) for name, body in bodies.items()}
    fat, places, tables, more = laid_out(counts)
    root = entry("Root Entry", 5, start=places["small"], size=len(small))
    bodies[""] = directory(streams, storage, inner, places | firsts, root)
    data = b"".join(body.ljust(counts[name] * SECTOR, b"\0") for name, body in bodies.items())
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += pack("<IIIIII", 0, tables, places[""], 0, SMALL, places["table"])
    head += pack("<III", counts["table"], tables if more else END, more)
    listed = [*range(tables), *[FREE] * (IN_HEAD - tables)]
    return head + pack("<109I", *listed[:IN_HEAD]) + pack(f"<{len(fat)}I", *fat) + further(listed, tables, more) + data


def further(listed: list[int], tables: int, more: int) -> bytes:
    """The places of the sectors of the table for which the header has no room, and where the next of them are."""
    parts = []
    for k in range(more):
        places = listed[IN_HEAD + IN_SECTOR * k :][:IN_SECTOR]
        following = tables + k + 1 if k + 1 < more else END
        parts.append(pack("<128I", *places, *[FREE] * (IN_SECTOR - len(places)), following))
    return b"".join(parts)


def small_streams(contents: dict[str, bytes]) -> tuple[bytes, list[int], dict[str, int]]:
    """What the short ones are together, the table of their sectors, and where each begins."""
    small, firsts = b"", {}
    table: list[int] = []
    for name, content in contents.items():
        if len(content) < SMALL:
            firsts[name], count = len(table), -(-len(content) // 64)
            table += [*range(len(table) + 1, len(table) + count), END]
            small += content.ljust(64 * count, b"\0")
    return small, table, firsts


def laid_out(counts: dict[str, int]) -> tuple[list[int], dict[str, int], int, int]:
    """The table of sectors, where each body begins, how many sectors it has, and those that list the rest of it."""
    tables = more = 0
    while tables * SECTOR // 4 < sum(counts.values()) + tables + more:
        tables += 1
        more = -(-max(tables - IN_HEAD, 0) // IN_SECTOR)
    fat, places = [TABLE] * tables + [LISTING] * more, {}
    for name, count in counts.items():
        places[name] = len(fat) if count else END
        fat += [*range(len(fat) + 1, len(fat) + count), END] if count else []
    return fat + [FREE] * (tables * SECTOR // 4 - len(fat)), places, tables, more


def directory(
    streams: dict[str, bytes], storage: str, inner: dict[str, bytes], starts: dict[str, int], root: bytes
) -> bytes:
    outer = sorted([*streams, storage], key=lambda name: (len(name), name.upper()))
    within = sorted(inner, key=lambda name: (len(name), name.upper()))
    ids = {storage: 1, **{name: 2 + k for k, name in enumerate([*streams, *inner])}}
    after = {name: ids[follower] for name, follower in [*pairwise(outer), *pairwise(within)]}
    made = [root[:76] + pack("<I", ids[outer[0]]) + root[80:]]
    made.append(entry(storage, 1, right=after.get(storage, FREE), child=ids[within[0]]))
    for name, content in {**streams, **inner}.items():
        made.append(entry(name, 2, right=after.get(name, FREE), start=starts[name], size=len(content)))
    return b"".join(made)


def entry(  # noqa: PLR0913
    name: str, kind: int, *, right: int = FREE, child: int = FREE, start: int = 0, size: int = 0
) -> bytes:
    encoded = f"{name}\0".encode("utf-16-le")
    head = encoded.ljust(64, b"\0") + pack("<HBB", len(encoded), kind, 1) + pack("<III", FREE, right, child)
    return head + bytes(16 + 4 + 16) + pack("<IQ", start, size)
