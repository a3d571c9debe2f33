"""A synthetic image of any size, asked for through HTTP as viewers ask for it, its pixels compared with the formula.

Each probe knows how one layout spells what it has, and notes what the source had to give for every request.
"""

from __future__ import annotations

import gzip
import io
import json
import re
import struct
from collections.abc import Callable, Iterator
from math import prod
from typing import Any, NamedTuple, TypeAlias

import nibabel
import numpy as np
import tifffile
from numcodecs import Blosc
from numpy.typing import NDArray
from PIL import Image as Picture

from diascope.registry import registry
from tests.segmentation import decoded
from tests.synthetic_client import HUGE, LEVELS, Client
from tests.virtual import RangeFile

SPREAD = (0.0, 0.5, 1.0)

Ranges: TypeAlias = tuple[range, range, range]


def formula(level: int, z: range, y: range, x: range) -> NDArray[np.uint16]:
    """The pixels that the image has there; those of a coarse level are each the first of the pixels it stands for."""
    zs, ys, xs = (np.asarray(part, np.int64) for part in (z, y, x))
    return valued(zs, ys * 2**level, xs * 2**level)


def valued(z: NDArray[Any], y: NDArray[Any], x: NDArray[Any]) -> NDArray[np.uint16]:
    """The pixels at these positions of the finest level."""
    total = 17 * z[:, None, None] + 3 * y[None, :, None] + x[None, None, :]
    return (total % 2**16).astype(np.uint16)


def shown(pixels: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Under the view WINDOW."""
    return np.floor(pixels / 65535 * 255 + 0.5).astype(np.uint8)


def places(counts: tuple[int, ...]) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The first, the middle and the last cell of a grid."""
    for part in SPREAD:
        yield f"{part:g}", tuple(int(part * (count - 1)) for count in counts)


def box(index: tuple[int, ...], chunk: tuple[int, ...], shape: tuple[int, ...]) -> Ranges:
    z, y, x = (range(i * c, min(i * c + c, n)) for i, c, n in zip(index, chunk, shape, strict=True))
    return z, y, x


def grid(shape: tuple[int, ...], chunk: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(-(-n // c) for n, c in zip(shape, chunk, strict=True))


def ome_zarr(client: Client, view: str, suffix: str = ".ome.zarr") -> None:
    root = f"{view}/{client.name}{suffix}"
    attributes = client.json("group", f"{root}/zarr.json")["attributes"]
    assert len(attributes["ome"]["multiscales"][0]["datasets"]) == LEVELS[client.shape]
    for label, level in client.levels():
        array = client.json(f"array {label}", f"{root}/{level}/zarr.json")
        assert tuple(array["shape"]) == client.size(level)
        chunks(client, label, level, f"{root}/{level}/c", tuple(array["chunk_grid"]["configuration"]["chunk_shape"]))


def ome_zarr_0_4(client: Client, view: str) -> None:
    root = f"{view}/{client.name}.zarr2.ome.zarr"
    assert len(client.json("group", f"{root}/.zattrs")["multiscales"][0]["datasets"]) == LEVELS[client.shape]
    for label, level in client.levels():
        array = client.json(f"array {label}", f"{root}/{level}/.zarray")
        assert tuple(array["shape"]) == client.size(level)
        chunks(client, label, level, f"{root}/{level}", tuple(array["chunks"]))


def chunks(client: Client, label: str, level: int, folder: str, chunk: tuple[int, ...]) -> None:
    counts = grid(client.size(level), chunk)
    assert client.listed(f"listing {label}", f"{folder}/0/0")[:2] == [str(k) for k in range(counts[2])][:2]
    for place, index in places(counts):
        data = client.get(f"chunk {label} {place}", f"{folder}/{'/'.join(map(str, index))}")
        pixels = np.frombuffer(Blosc().decode(data), np.uint16).reshape(chunk)
        wanted = formula(level, *box(index, chunk, client.size(level)))
        assert np.array_equal(pixels[tuple(map(slice, wanted.shape))], wanted), (label, place)
        assert np.count_nonzero(pixels) == np.count_nonzero(wanted), "beyond the edge are zeros"


def precomputed(client: Client, view: str, layout: str) -> None:
    """Raw, PNG and JPEG chunks; those of a JPEG are what the window shows, about."""
    root = f"{view}/{client.name}{registry('layouts')[layout].suffix}"
    scales = client.json("info", f"{root}/info")["scales"]
    assert len(scales) == LEVELS[client.shape]
    for label, level in client.levels():
        scale = scales[level]
        size, chunk = scale["size"], scale["chunk_sizes"][0]
        assert tuple(size[::-1]) == client.size(level)
        first = client.listed(f"listing {label}", f"{root}/{scale['key']}")[0]
        assert first == "_".join(
            f"{o}-{o + min(c, s)}" for o, c, s in zip(scale["voxel_offset"], chunk, size, strict=True)
        )
        for place, index in places(grid(tuple(size[::-1]), tuple(chunk[::-1]))):
            where = box(index, tuple(chunk[::-1]), client.size(level))
            name = "_".join(
                f"{part.start + o}-{part.stop + o}" for part, o in zip(where[::-1], scale["voxel_offset"], strict=True)
            )
            data = client.get(f"chunk {label} {place}", f"{root}/{scale['key']}/{name}")
            check_chunk(layout, data, formula(level, *where))


def check_chunk(layout: str, data: bytes, wanted: NDArray[np.uint16]) -> None:
    if layout == "precomputed":
        assert np.array_equal(np.frombuffer(data, "<u2").reshape(wanted.shape), wanted)
        return
    pixels = np.asarray(Picture.open(io.BytesIO(data))).reshape(wanted.shape)
    if layout == "precomputed-png":
        assert np.array_equal(pixels, wanted)
    else:
        assert np.median(np.abs(pixels.astype(int) - shown(wanted))) <= 8


def segmentation(client: Client, view: str) -> None:
    """Chunks of compressed segmentation."""
    root = f"{view}/{client.name}.cseg.precomputed"
    scales = client.json("info", f"{root}/info")["scales"]
    for label, level in client.levels():
        chunk = tuple(scales[level]["chunk_sizes"][0][::-1])
        for place, index in places(grid(client.size(level), chunk)):
            where = box(index, chunk, client.size(level))
            name = "_".join(f"{part.start}-{part.stop}" for part in where[::-1])
            data = client.get(f"chunk {label} {place}", f"{root}/{level}/{name}")
            wanted = formula(level, *where)
            assert np.array_equal(decoded(data, (1, *wanted.shape), np.uint32)[0], wanted), (label, place)


def sharded(client: Client, view: str, layout: str) -> None:
    """Chunks out of the shards that hold them, found as readers find them."""
    root = f"{view}/{client.name}{registry('layouts')[layout].suffix}"
    scales = client.json("info", f"{root}/info")["scales"]
    for label, level in client.levels():
        cut, chunk = scales[level]["sharding"], tuple(scales[level]["chunk_sizes"][0][::-1])
        counts = grid(client.size(level), chunk)
        digits = -(-cut["shard_bits"] // 4)
        assert client.listed(f"listing {label}", f"{root}/{level}")[0] == f"{0:0{digits}x}.shard"
        for place, index in places(counts):
            code = morton(index[::-1], counts[::-1])
            hashed = code >> cut["preshift_bits"]
            shard = f"{root}/{level}/{hashed >> cut['minishard_bits']:0{digits}x}.shard"
            at = 16 * (hashed % (1 << cut["minishard_bits"]))
            first, last = struct.unpack("<QQ", client.get(f"index {label} {place}", shard, at, at + 16))
            base = 16 << cut["minishard_bits"]
            table = client.get(f"minishard {label} {place}", shard, base + first, base + last)
            codes, starts, sizes = np.frombuffer(table, "<u8").reshape(3, -1).astype(int)
            row = int(np.cumsum(codes).searchsorted(code))
            start = base + int(starts[: row + 1].sum() + sizes[:row].sum())
            data = client.get(f"chunk {label} {place}", shard, start, start + int(sizes[row]))
            wanted = formula(level, *box(index, chunk, client.size(level)))
            plain = scales[level]["encoding"] == "raw"
            seen = (
                np.frombuffer(data, "<u2").reshape(wanted.shape)
                if plain
                else decoded(data, (1, *wanted.shape), np.uint32)[0]
            )
            assert np.array_equal(seen, wanted), (label, place)


def morton(index: tuple[int, ...], counts: tuple[int, ...]) -> int:
    """The compressed Morton code of a place in a grid, x first."""
    code, place = 0, 0
    for bit in range(max(counts).bit_length()):
        for i, count in zip(index, counts, strict=True):
            if 1 << bit < count:
                code |= (i >> bit & 1) << place
                place += 1
    return code


def n5(client: Client, view: str) -> None:
    root = f"{view}/{client.name}.n5"
    assert len(client.json("group", f"{root}/attributes.json")["downsamplingFactors"]) == LEVELS[client.shape]
    for label, level in client.levels():
        array = client.json(f"array {label}", f"{root}/s{level}/attributes.json")
        assert tuple(array["dimensions"][::-1]) == client.size(level)
        blocks(client, label, level, f"{root}/s{level}", tuple(array["blockSize"][::-1]))


def blocks(client: Client, label: str, level: int, folder: str, chunk: tuple[int, ...]) -> None:
    counts = grid(client.size(level), chunk)
    assert client.listed(f"listing {label}", f"{folder}/0/0")[:2] == [str(k) for k in range(counts[0])][:2]
    for place, index in places(counts):
        data = client.get(f"block {label} {place}", f"{folder}/{'/'.join(map(str, index[::-1]))}")
        wanted = formula(level, *box(index, chunk, client.size(level)))
        assert struct.unpack(">HHIII", data[:16]) == (0, 3, *wanted.shape[::-1])
        pixels = np.frombuffer(gzip.decompress(data[16:]), ">u2").reshape(wanted.shape)
        assert np.array_equal(pixels, wanted), (label, place)


def bdv_n5(client: Client, view: str) -> None:
    assert (
        f"<size>{' '.join(map(str, client.shape[::-1]))}</size>"
        in client.get("XML", f"{view}/{client.name}.bdv.xml").decode()
    )
    root = f"{view}/{client.name}.bdv.n5/setup0"
    assert len(client.json("setup", f"{root}/attributes.json")["downsamplingFactors"]) == LEVELS[client.shape]
    for label, level in client.levels():
        folder = f"{root}/timepoint0/s{level}"
        array = client.json(f"array {label}", f"{folder}/attributes.json")
        assert tuple(array["dimensions"][::-1]) == client.size(level)
        blocks(client, label, level, folder, tuple(array["blockSize"][::-1]))


def dzi(client: Client, view: str) -> None:
    middle = client.shape[0] // 2
    text = client.get("descriptor", f"{view}/{client.name}.png.dzi").decode()
    side, overlap = (int(re.search(f'{key}="(\\d+)"', text)[1]) for key in ("TileSize", "Overlap"))  # type: ignore[index]
    assert f'Width="{client.shape[2]}"' in text
    top = (client.shape[2] - 1).bit_length()
    for label, level in client.levels():
        rows, columns = client.size(level)[1:]
        folder = f"{view}/{client.name}.png_files/{top - level}"
        assert client.listed(f"listing {label}", folder)[0] == "0_0.png"
        for place, (row, column) in places((-(-rows // side), -(-columns // side))):
            y, x = (
                range(max(i * side - overlap, 0), min((i + 1) * side + overlap, n))
                for i, n in ((row, rows), (column, columns))
            )
            check_picture(client.get(f"tile {label} {place}", f"{folder}/{column}_{row}.png"), level, middle, y, x)
            client.get(f"JPEG tile {label} {place}", f"{view}/{client.name}_files/{top - level}/{column}_{row}.jpeg")
    assert Picture.open(io.BytesIO(client.get("one pixel", f"{view}/{client.name}_files/0/0_0.jpeg"))).size == (1, 1)


def zoomify(client: Client, view: str) -> None:
    root = f"{view}/{client.name}.zoomify"
    assert f'WIDTH="{client.shape[2]}"' in client.get("properties", f"{root}/ImageProperties.xml").decode()
    top = max((max(client.shape[1:]) - 1) // 256, 0).bit_length()
    grids = [tuple(-(-size // 256 // 2**k) for size in client.shape[1:]) for k in range(top, -1, -1)]
    assert client.listed("listing", f"{root}/TileGroup0")[0] == "0-0-0.jpg"
    for label, level in client.levels():
        rows, columns = client.size(level)[1:]
        tier = top - level
        if tier < 0:
            continue
        before = sum(down * across for down, across in grids[:tier])
        for place, (y, x) in places(grids[tier]):
            number = before + y * grids[tier][1] + x
            data = client.get(f"tile {label} {place}", f"{root}/TileGroup{number // 256}/{tier}-{x}-{y}.jpg")
            size = (min(256, columns - 256 * x), min(256, rows - 256 * y))
            assert Picture.open(io.BytesIO(data)).size == size, (label, place)


def check_picture(data: bytes, level: int, plane: int, y: range, x: range) -> None:
    pixels = np.asarray(Picture.open(io.BytesIO(data)).convert("RGB"))
    wanted = shown(formula(level, range(plane, plane + 1), y, x)[0])
    assert np.array_equal(pixels, np.repeat(wanted[:, :, None], 3, axis=2))


class Part(NamedTuple):
    """A side of a region: so many pixels of the finest level, and so many that are asked for in their place."""

    start: int
    length: int
    size: int

    def positions(self) -> NDArray[np.float64]:
        """Where the centres of the pixels lie that are asked for."""
        return np.asarray(self.start + (np.arange(self.size) + 0.5) * self.length / self.size - 0.5)


def part(index: int, side: int, level: int, size: int) -> Part:
    """The side of a tile of a level."""
    start = index * side * 2**level
    length = min(side * 2**level, size - start)
    return Part(start, length, -(-length // 2**level))


def iiif(client: Client, view: str, suffix: str = ".iiif") -> None:
    root = f"{view}/{client.name}{suffix}"
    info = client.json("info", f"{root}/info.json")
    assert (info["height"], info["width"]) == client.shape[1:]
    for label, level in client.levels():
        rows, columns = client.size(level)[1:]
        side = 256
        for place, (row, column) in places((rows // side or 1, columns // side or 1)):
            y, x = part(row, side, level, client.shape[1]), part(column, side, level, client.shape[2])
            path = f"{root}/{x.start},{y.start},{x.length},{y.length}/{x.size},{y.size}/0/default.png"
            pixels = np.asarray(Picture.open(io.BytesIO(client.get(f"tile {label} {place}", path))).convert("L"), int)
            wanted = shown(valued(np.array([client.shape[0] // 2]), y.positions(), x.positions())[0])
            # Between neighbours on either side of where the formula wraps there is no telling.
            assert np.median(np.abs(pixels - wanted)) <= (1 if level else 0), (label, place)
    for whole in ("full/256,/0/default.png", "full/512,/0/default.jpg", "square/!100,100/90/gray.webp"):
        Picture.open(io.BytesIO(client.get(whole, f"{root}/{whole}"))).load()


def nifti(client: Client, view: str) -> None:
    path = f"{view}/{client.name}.nii"
    kind = nibabel.Nifti2Image if client.shape == HUGE else nibabel.Nifti1Image
    header = kind.header_class.from_fileobj(io.BytesIO(client.get("header", path, 0, 544)))
    assert header.get_data_shape() == client.shape[::-1]
    start = int(header["vox_offset"])
    for place, (z, y, x) in places((client.shape[0], client.shape[1], client.shape[2] - 1000)):
        at = start + 2 * ((z * client.shape[1] + y) * client.shape[2] + x)
        pixels = np.frombuffer(client.get(f"row {place}", path, at, at + 2000), "<u2")
        assert np.array_equal(pixels, formula(0, range(z, z + 1), range(y, y + 1), range(x, x + 1000))[0, 0]), place


def nifti_gz(client: Client, view: str) -> None:
    """Stored blocks, by the places that RFC 1951 gives them."""
    path = f"{view}/{client.name}.nii.gz"
    kind = nibabel.Nifti2Image if client.shape == HUGE else nibabel.Nifti1Image
    start = int(kind.header_class.from_fileobj(io.BytesIO(client.get("header", path, 15, 15 + 544)))["vox_offset"])
    for place, (z, y, x) in places((client.shape[0], client.shape[1], client.shape[2] - 1000)):
        at = start + 2 * ((z * client.shape[1] + y) * client.shape[2] + x)
        member, inside = divmod(at, 4096 * 65_535)
        block, within = divmod(inside, 65_535)
        from_ = member * (10 + 4096 * 65_540 + 8) + 10 + block * 65_540
        length, complement = struct.unpack("<HH", client.get(f"block {place}", path, from_ + 1, from_ + 5))
        assert length ^ complement == 0xFFFF
        count = min(1000, (length - within) // 2)
        data = client.get(f"row {place}", path, from_ + 5 + within, from_ + 5 + within + 2 * count)
        wanted = formula(0, range(z, z + 1), range(y, y + 1), range(x, x + count))[0, 0]
        assert np.array_equal(np.frombuffer(data, "<u2"), wanted), place
    size = client.head(path).length
    (length,) = struct.unpack("<I", client.get("length", path, size - 4, size))
    assert 0 < length <= 4096 * 65_535


def nrrd(client: Client, view: str) -> None:
    path = f"{view}/{client.name}.nrrd"
    text = client.get("header", path, 0, 1000).partition(b"\n\n")[0]
    assert f"sizes: {' '.join(map(str, client.shape[::-1]))}\n" in text.decode()
    for place, (z, y, x) in places((client.shape[0], client.shape[1], client.shape[2] - 1000)):
        at = len(text) + 2 + 2 * ((z * client.shape[1] + y) * client.shape[2] + x)
        pixels = np.frombuffer(client.get(f"row {place}", path, at, at + 2000), "<u2")
        assert np.array_equal(pixels, formula(0, range(z, z + 1), range(y, y + 1), range(x, x + 1000))[0, 0]), place


def ome_tiff(client: Client, view: str) -> None:
    """Read by tifffile and, where it would read tables of millions of tiles, by the places that these give."""
    path = f"{view}/{client.name}.ome.tif"
    numbers = iter(range(10**6))
    word = struct.Struct("<Q")
    size = client.head(path).length
    file = RangeFile(size, lambda start, stop: client.get(f"read {next(numbers)}", path, start, stop))
    with tifffile.TiffFile(file) as tiff:
        page = tiff.pages.first
        assert (page.imagelength, page.imagewidth) == client.shape[1:]
        assert f'SizeZ="{client.shape[0]}"' in (tiff.ome_metadata or "")
        for label, level in client.levels():
            each = page.pages[level - 1] if level else page
            offsets, side = each.tags["TileOffsets"], each.tilewidth
            counts = grid(client.size(level)[1:], (side, side))
            for place, (row, column) in places(counts):
                at = offsets.valueoffset + 8 * (row * counts[1] + column)
                one = prod(counts) == 1
                (tile,) = (
                    (each.dataoffsets[0],)
                    if one
                    else word.unpack(client.get(f"offset {label} {place}", path, at, at + 8))
                )
                data = client.get(f"tile {label} {place}", path, tile, tile + 2 * side * side)
                pixels = np.frombuffer(data, "<u2").reshape(side, side)
                wanted = formula(
                    level, range(1), *box((0, row, column), (1, side, side), (1, *client.size(level)[1:]))[1:]
                )[0]
                assert np.array_equal(pixels[: wanted.shape[0], : wanted.shape[1]], wanted), (label, place)
    last = np.frombuffer(client.get("last tile", path, size - 2 * side * side, size), "<u2").reshape(side, side)
    rows, columns = client.size(LEVELS[client.shape] - 1)[1:]
    wanted = formula(LEVELS[client.shape] - 1, range(client.shape[0] - 1, client.shape[0]), range(rows), range(columns))
    assert np.array_equal(last[:rows, :columns], wanted[0])


Probe: TypeAlias = Callable[[Client, str], None]

PROBES: dict[str, Probe] = {
    "bdv-n5": bdv_n5,
    "dzi": dzi,
    "iiif": iiif,
    "iiif-2": lambda client, view: iiif(client, view, ".iiif2"),
    "n5": n5,
    "nifti": nifti,
    "nifti-gz": nifti_gz,
    "nrrd": nrrd,
    "ome-tiff": ome_tiff,
    "ome-zarr": ome_zarr,
    "ome-zarr-0_4": ome_zarr_0_4,
    "ome-zarr-0_6": lambda client, view: ome_zarr(client, view, ".zarr06.ome.zarr"),
    "precomputed": lambda client, view: precomputed(client, view, "precomputed"),
    "precomputed-cseg": segmentation,
    "precomputed-jpeg": lambda client, view: precomputed(client, view, "precomputed-jpeg"),
    "precomputed-png": lambda client, view: precomputed(client, view, "precomputed-png"),
    "precomputed-sharded": lambda client, view: sharded(client, view, "precomputed-sharded"),
    "precomputed-sharded-cseg": lambda client, view: sharded(client, view, "precomputed-sharded-cseg"),
    "zoomify": zoomify,
}
"""How a layout is asked for what a viewer asks for, and its pixels are compared; one line for each new layout."""


def other(client: Client) -> None:
    """What is asked for besides files of layouts, of the image as it is shown at first sight."""
    path = f"{client.folder}/{client.name}.synthetic.json"
    assert [level["shape"] for level in json.loads(client.asked("description", f"/api/image/{path}"))["levels"]] == [
        list(client.size(level)) for level in range(LEVELS[client.shape])
    ]
    for door in ("representations", "thumbnail", "statistics"):
        client.asked(door, f"/api/{door}/{path}")
    client.get("rendered tile", f"render/{client.name}.iiif/0,0,256,256/256,256/0/default.jpg")
    client.asked("cutout", f"/api/cutout/{path}?z=0..1&y=0..64&x=0..64")
    client.get("views", "")
    client.get("layouts", "original/")
