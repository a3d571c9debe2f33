"""How a user reads a box of pixels with the library of a format; each opens a file and gives what reads of it.

A box is a slice for each axis of Diascope's image, the last two or three of them being z, y and x.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import imagecodecs
import numpy as np
import tensorstore
import tifffile
import zarr

Box = tuple[slice, ...]
Read = Callable[[Box], Any]
Open = Callable[[Path], Read]


def h5py_reads(name: str, beside: str = "") -> Open:
    def open_(path: Path) -> Read:
        array = h5py.File(path.with_suffix(beside or path.suffix), rdcc_nbytes=0)[name]
        return lambda box: array[box[-3:]]

    return open_


def nibabel_reads(path: Path) -> Read:
    """The real values, as it gives no others."""
    import nibabel

    proxy: Any = nibabel.load(path).dataobj
    if path.suffix == ".mnc":
        return lambda box: proxy[box]
    return lambda box: proxy[box[::-1]].T


def mrcfile_reads(path: Path) -> Read:
    import mrcfile

    pixels = mrcfile.mmap(path).data
    return lambda box: np.array(pixels[box])


def mapped(dtype: str, start: Callable[[Path], int]) -> Open:
    """Where there is no library in Python that reads parts: a map of the file."""

    def open_(path: Path) -> Read:
        at = start(path)
        count = path.stat().st_size - at
        side = round((count / np.dtype(dtype).itemsize) ** (1 / 3))
        pixels = np.memmap(path, dtype, "r", at, (side,) * 3)
        return lambda box: np.array(pixels[box], dtype=pixels.dtype.newbyteorder("="))

    return open_


def simpleitk_reads(path: Path) -> Read:
    import SimpleITK

    reader = SimpleITK.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()

    def read(box: Box) -> Any:
        reader.SetExtractIndex([each.start for each in box[::-1]])
        reader.SetExtractSize([each.stop - each.start for each in box[::-1]])
        return SimpleITK.GetArrayFromImage(reader.Execute())

    return read


def pydicom_series(path: Path) -> Read:
    import pydicom

    headers = [(pydicom.dcmread(file, stop_before_pixels=True), file) for file in path.iterdir()]
    files = [file for header, file in sorted(headers, key=lambda item: item[0].ImagePositionPatient[2])]

    def read(box: Box) -> Any:
        planes = [pydicom.dcmread(file).pixel_array[box[1:]] for file in files[box[0]]]
        return np.stack(planes)

    return read


def pydicom_tiles(path: Path) -> Read:
    import pydicom
    from pydicom.pixels import pixel_array

    data = pydicom.dcmread(path)
    across = data.TotalPixelMatrixColumns // 256

    def read(box: Box) -> Any:
        number = box[1].start // 256 * across + box[2].start // 256
        return pixel_array(data, index=number).transpose(2, 0, 1)

    return read


def tifffile_reads(path: Path) -> Read:
    """A tile of a page, decoded by it, with its bytes read by the system's own call."""
    file = tifffile.TiffFile(path)
    descriptor = os.open(path, os.O_RDONLY)

    def read(box: Box) -> Any:
        page: Any = file.pages[0 if len(box) < 3 or file.pages[0].samplesperpixel > 1 else box[0].start]
        size = page.tilewidth
        number = box[-2].start // size * (page.imagewidth // size) + box[-1].start // size
        data = os.pread(descriptor, page.databytecounts[number], page.dataoffsets[number])
        tile = page.decode(data, number, jpegtables=page.jpegtables)[0][0]
        return tile.transpose(2, 0, 1) if tile.shape[-1] > 1 else tile[..., 0]

    return read


def tifffile_planes(named: Callable[[Path, Box], Path]) -> Open:
    """A box of a plane that is a file of its own."""

    def open_(path: Path) -> Read:
        return lambda box: tifffile.imread(named(path, box))[box[-2:]]

    return open_


def tensorstore_reads(spec: dict[str, Any], inside: str = "") -> Open:
    """In the order of z, y, x."""

    def open_(path: Path) -> Read:
        place: dict[str, Any] = {"driver": "file", "path": str(path)}
        if inside == "zip":
            place = {"driver": "zip", "base": place, "path": "0/"}
        elif inside:
            place["path"] = str(path.with_suffix(".n5") / inside)
        array = tensorstore.open({**spec, "kvstore": place}).result()
        if spec["driver"] == "zarr":
            return lambda box: array[box].read().result()
        return lambda box: np.squeeze(array[box[:-4:-1]].read().result()).T

    return open_


def zarr_reads(path: Path) -> Read:
    array = zarr.open_array(path / "0", mode="r")
    return lambda box: array[box]


def pylibczi_reads(path: Path) -> Read:
    from pylibCZIrw import czi

    reader = czi.CziReader(str(path))
    left, top, _, _ = reader.total_bounding_rectangle

    def read(box: Box) -> Any:
        y, x = box[-2:]
        roi = (left + x.start, top + y.start, x.stop - x.start, y.stop - y.start)
        return reader.read(roi=roi, plane={"C": 0})[..., 0]

    return read


def nd2_reads(path: Path) -> Read:
    import nd2

    file = nd2.ND2File(path)
    return lambda box: np.array(file.read_frame(box[1].start)[(box[0], *box[2:])])


def liffile_reads(path: Path) -> Read:
    import liffile

    image = liffile.LifFile(path).images[0]
    return lambda box: image.frame(Z=box[0].start)[box[1:]]


def oiffile_reads(path: Path) -> Read:
    import oiffile

    file = oiffile.OifFile(path)
    names = sorted(file.glob("*C*Z*.tif"))

    def read(box: Box) -> Any:
        with file.open_file(names[box[0].start * 8 + box[1].start]) as plane:
            return tifffile.imread(plane)[box[-2:]]

    return read


def ndtiff_reads(path: Path) -> Read:
    import ndtiff

    with redirect_stdout(None):
        data = ndtiff.NDTiffDataset(str(path))
    names = ("DAPI", "GFP")

    def read(box: Box) -> Any:
        t, c, z = (each.start for each in box[:3])
        return data.read_image(time=t, channel=names[c], z=z)[box[-2:]]

    return read


def openslide_reads(path: Path) -> Read:
    import openslide

    slide: Any = openslide.OpenSlide(path)
    slide.set_cache(openslide.OpenSlideCache(0))

    def read(box: Box) -> Any:
        region = slide.read_region((box[2].start, box[1].start), 0, (256, 256))
        return np.asarray(region)[..., :3].transpose(2, 0, 1)

    return read


def bioio_reads(path: Path) -> Read:
    from bioio import BioImage

    pixels = BioImage(path).dask_data[0, 0]
    return lambda box: pixels[box].compute()


def ets_reads(path: Path) -> Read:
    """There is no library: the tile's own decoder."""
    file = path.with_name(f"_{path.stem}_") / "stack10001" / "frame_t.ets"
    data = file.read_bytes()[:64]
    start, count = int.from_bytes(data[32:40], "little"), int.from_bytes(data[40:44], "little")
    item = np.dtype([("rank", "<i4"), ("place", "<i4", 6), ("start", "<i8"), ("size", "<i4"), ("number", "<i4")])
    table = np.fromfile(file, item, count, offset=start)
    found = {tuple(row["place"][:2]): (int(row["start"]), int(row["size"])) for row in table}
    descriptor = os.open(file, os.O_RDONLY)

    def read(box: Box) -> Any:
        at, size = found[box[2].start // 256, box[1].start // 256]
        return imagecodecs.jpeg_decode(os.pread(descriptor, size, at)).transpose(2, 0, 1)

    return read


def pillow_reads(path: Path) -> Read:
    import PIL.Image

    return lambda box: np.asarray(PIL.Image.open(path)).transpose(2, 0, 1)[box]


def heif_reads(path: Path) -> Read:
    import pillow_heif

    return lambda box: np.asarray(pillow_heif.open_heif(path, convert_hdr_to_8bit=False)).transpose(2, 0, 1)[box]


def codec_reads(decode: Callable[[bytes], Any]) -> Open:
    """All of a picture decoded."""
    return lambda path: lambda box: decode(path.read_bytes()).transpose(2, 0, 1)[box]


def exr_reads(path: Path) -> Read:
    import OpenEXR

    def read(box: Box) -> Any:
        with OpenEXR.File(str(path)) as file:
            pixels: Any = next(iter(file.channels().values())).pixels
        return pixels.transpose(2, 0, 1)[box]

    return read


def recipe_reads(path: Path) -> Read:
    sections = [tifffile_reads(path.with_name("sections") / f"{k}.tif") for k in range(4)]
    return lambda box: sections[box[0].start](box[1:])


def terafly_reads(path: Path) -> Read:
    """The tile of a file that a cube lies in."""
    folder = next(path.iterdir())
    rows = sorted(folder.iterdir())
    files = [[sorted(column.iterdir()) for column in sorted(row.iterdir())] for row in rows if row.is_dir()]

    def read(box: Box) -> Any:
        z, y, x = (each.start for each in box)
        first = tifffile.imread(files[0][0][0]).shape if not sizes else sizes[0]
        sizes.append(first)
        file = files[y // first[1]][x // first[2]][z // first[0]]
        inside = (slice(k.start % size, k.start % size + 64) for k, size in zip(box, first, strict=True))
        return tifffile.imread(file)[tuple(inside)]

    sizes: list[Any] = []
    return read


def gatan_reads(path: Path) -> Read:
    """A map of the pixels."""
    start, side = gatan_place(path)
    pixels = np.memmap(path, "<u2", "r", start, (side,) * 3)
    return lambda box: np.array(pixels[box])


@cache
def gatan_place(path: Path) -> tuple[int, int]:
    """Where the pixels begin, which are found by their bytes, and how many there are along each axis."""
    from source_files import stack

    side = round((path.stat().st_size / 2) ** (1 / 3))
    return path.read_bytes().find(stack(side).tobytes()), side
