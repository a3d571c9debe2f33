"""A file of realistic size of every source, written by the libraries of its format or as its specification has it."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import h5py
import imagecodecs
import mrcfile
import nibabel
import npy2bdv
import nrrd
import numpy as np
import OpenEXR
import PIL.Image
import pillow_heif
import SimpleITK
import tensorstore
import tifffile
from images import CHUNK, channels, slide, texture, volume
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).parents[1]))

from tests.sources import (
    bdv_n5_files,
    bioio_files,
    cellsens_files,
    coded_files,
    czi_files,
    dicom_files,
    gatan_files,
    leica_files,
    micro_files,
    nd2_files,
    olympus_files,
    plate_files,
    slide_files,
)

Array = NDArray[Any]
Write = Callable[[Path, int], None]
"""Writes a file at a path, whose planes have this side."""

SHARDING = {
    "@type": "neuroglancer_uint64_sharded_v1",
    "preshift_bits": 2,
    "hash": "identity",
    "minishard_bits": 2,
    "shard_bits": 1,
    "minishard_index_encoding": "gzip",
    "data_encoding": "gzip",
}


@cache
def stack(side: int, depth: int | None = None, dtype: str = "u2") -> Array:
    """Of 12 bits and a little noise, each plane moved a little."""
    plane, noise = texture(side, 20) * 4000, np.random.default_rng(0)
    planes = (np.roll(plane, 3 * z, 1) + noise.integers(0, 64, plane.shape) for z in range(depth or side))
    return np.stack([each.clip(0, 4095).astype(dtype) for each in planes])


@cache
def colours(side: int) -> NDArray[np.uint8]:
    planes = np.stack([texture(side, seed) for seed in range(3)], axis=-1)
    return (255 - 160 * planes * np.float32([0.5, 1, 0.6])).astype(np.uint8)


def tensorstore_file(path: Path, spec: dict[str, Any], pixels: Array) -> None:
    """Pixels in the order of the format."""
    place = {"kvstore": {"driver": "file", "path": str(path)}}
    tensorstore.open({**spec, **place}, create=True, delete_existing=True).result()[...] = pixels


def n5(compression: dict[str, Any]) -> Write:
    def write(path: Path, side: int) -> None:
        shape = {"dimensions": [side] * 3, "blockSize": [CHUNK] * 3}
        metadata = {"compression": compression, "dataType": "uint16", **shape}
        tensorstore_file(path, {"driver": "n5", "metadata": metadata}, stack(side).T)

    return write


def precomputed(pixels: Callable[[int], Array], **how: Any) -> Write:
    def write(path: Path, side: int) -> None:
        stored = pixels(side)
        scale = {"size": [side] * 3, "chunk_size": [CHUNK] * 3, "resolution": [1, 1, 1], **how}
        spec = {
            "driver": "neuroglancer_precomputed",
            "multiscale_metadata": {"type": "image", "data_type": stored.dtype.name, "num_channels": 1},
            "scale_metadata": scale,
        }
        tensorstore_file(path, spec, stored.T[..., None])

    return write


def labels(side: int) -> NDArray[np.uint64]:
    cells = stack(side)[::16, ::16, ::16].astype(np.uint64)
    return np.roll(np.kron(cells, np.ones((16, 16, 16), np.uint64)), 5)


def bdv_n5(path: Path, side: int) -> None:
    container = path.with_suffix(".n5")
    bdv_n5_files.n5_files.added(container / "setup0", downsamplingFactors=[[1, 1, 1]], dataType="uint16")
    view = container / "setup0" / "timepoint0"
    bdv_n5_files.n5_files.added(view, multiScale=True, resolution=[0.5, 0.5, 2.0])
    n5({"type": "gzip"})(view / "s0", side)
    setup = bdv_n5_files.SETUP.format(id=0).replace("31 23 9", f"{side} {side} {side}")
    told = {"setups": setup, "views": bdv_n5_files.VIEW.format(time=0, setup=0, shift=0)}
    text = bdv_n5_files.XML.format(container=container.name, **told).replace("<last>2", "<last>0")
    path.write_text(text, encoding="utf-8")


def zarr_zip(path: Path, side: int) -> None:
    folder = path.with_name("zipped.ome.zarr")
    volume(folder, side)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))


def hdf5(chunk: int, **how: Any) -> Write:
    def write(path: Path, side: int) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("d", data=stack(side), chunks=(chunk,) * 3, **how)

    return write


def imaris(path: Path, side: int) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("DataSet/ResolutionLevel 0/TimePoint 0/Channel 0")
        group.create_dataset("Data", data=stack(side), chunks=(CHUNK,) * 3, compression="gzip", compression_opts=2)


def minc(path: Path, side: int) -> None:
    with h5py.File(path, "w") as file:
        name = "minc-2.0/image/0"
        image = file.create_dataset(f"{name}/image", data=stack(side), chunks=(CHUNK,) * 3, compression="gzip")
        image.attrs.update({"dimorder": np.bytes_("zspace,yspace,xspace"), "valid_range": [0.0, 4095.0]})
        for axis in ("zspace", "yspace", "xspace"):
            file[f"minc-2.0/dimensions/{axis}"] = 0
            told = {"spacing": np.bytes_("regular__"), "step": 1.0, "start": 0.0}
            file[f"minc-2.0/dimensions/{axis}"].attrs.update(told)
        for ends, values in (("image-min", np.zeros(side)), ("image-max", np.ones(side))):
            file[f"{name}/{ends}"] = values
            file[f"{name}/{ends}"].attrs["dimorder"] = np.bytes_("zspace")


def bdv(path: Path, side: int) -> None:
    writer = npy2bdv.BdvWriter(
        str(path.with_suffix(".h5")), blockdim=((CHUNK,) * 3,), compression="gzip", overwrite=True
    )
    writer.append_view(stack(side), voxel_size_xyz=(1, 1, 1), voxel_units="um", calibration=(1, 1, 1))
    writer.write_xml()
    writer.close()


def mrc(path: Path, side: int) -> None:
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(stack(side))
        file.set_volume()


def nibabel_image(kind: str) -> Write:
    return lambda path, side: getattr(nibabel, kind)(stack(side, dtype="i2").T, np.eye(4)).to_filename(path)


def mgh(path: Path, side: int) -> None:
    nibabel.MGHImage(stack(side, dtype="f4").T, np.eye(4)).to_filename(path)


def nrrd_file(path: Path, side: int) -> None:
    nrrd.write(str(path), stack(side), {"encoding": "raw"}, index_order="C")


def metaimage(path: Path, side: int) -> None:
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(stack(side)), str(path))


def gatan(path: Path, side: int) -> None:
    path.write_bytes(gatan_files.dm(gatan_files.picture(stack(side)), version=4))


def fits(path: Path, side: int) -> None:
    path.write_bytes(coded_files.unit(stack(side, dtype="i2"), coded_files.FIRST))


def dicom_series(path: Path, side: int) -> None:
    for z, plane in enumerate(stack(2 * side, side, "i2")):
        dicom_files.written(path / f"{z:03}.dcm", dicom_files.ct_slice(plane, (0, 0, 2.5 * z), z + 1))


def dicom_slide(path: Path, side: int) -> None:
    tiles = [tile for _, tile in cut(colours(16 * side), 256)]
    dicom_files.TILE = 256
    data = dicom_files.wsi(colours(16 * side), 0.001)
    data.PhotometricInterpretation = "YBR_FULL_422"
    packed = [imagecodecs.jpeg_encode(np.ascontiguousarray(tile), level=85) for tile in tiles]
    dicom_files.encapsulated(path, packed, data, dicom_files.JPEGBaseline8Bit)


def cut(pixels: Array, size: int) -> Iterator[tuple[tuple[int, int], Array]]:
    for y, x in product(range(0, pixels.shape[0], size), range(0, pixels.shape[1], size)):
        yield (y, x), pixels[y : y + size, x : x + size]


def czi(packing: str) -> Write:
    def write(path: Path, side: int) -> None:
        planes = stack(16 * side, 1)
        places = (({"C": c, "M": m}, at) for c, plane in enumerate(planes) for m, at in enumerate(cut(plane, 4 * side)))
        tiles = [czi_files.Tile(np.ascontiguousarray(tile), x, y, at, packing) for at, ((y, x), tile) in places]
        path.write_bytes(czi_files.czi(tiles, czi_files.XML))

    return write


def nd2(path: Path, side: int) -> None:
    frames = np.stack([stack(4 * side, 16)] * 2, axis=-1)
    path.write_bytes(nd2_files.nd2(frames, nd2_files.experiment([(nd2_files.STACK, 16)])))


def leica(path: Path, side: int) -> None:
    path.write_bytes(leica_files.lif({"1": leica_files.Picture("stack", "zyx", stack(4 * side, 16))}))


def olympus(path: Path, side: int) -> None:
    olympus_files.oib(path, "czyx", np.stack([stack(4 * side, 8)] * 2))


def cellsens(path: Path, side: int) -> None:
    pixels = colours(16 * side)[None, None, None]
    cellsens_files.write(path, [cellsens_files.Stack(pixels, number=10001, packing="jpeg", tile=(256, 256))])


def mirax(path: Path, side: int) -> None:
    slide_files.TILE, slide_files.ACROSS, slide_files.DOWN = 256, side // 16, side // 16
    slide_files.smooth.__globals__["MISSING"] = set()
    pixels = colours(16 * side)
    slide_files.smooth = lambda: pixels
    slide_files.mrxs(path)


def deltavision(path: Path, side: int) -> None:
    pixels = stack(4 * side, 16)
    head = bytearray(bioio_files.HEADER)
    bioio_files.pack_into("<4i", head, 0, 4 * side, 4 * side, 16, 6)
    bioio_files.pack_into("<3f", head, 40, 0.1, 0.2, 0.5)
    bioio_files.pack_into("<h", head, 96, -16224)
    bioio_files.pack_into("<2h", head, 180, 1, 0)
    bioio_files.pack_into("<3h", head, 196, 1, 435, 525)
    path.write_bytes(bytes(head) + pixels.tobytes())


def plates(write: Callable[[Path], None]) -> Write:
    def written(path: Path, side: int) -> None:
        plate_files.SHAPE = (4 * side, 4 * side)
        plate_files.pixels = lambda at: np.roll(stack(4 * side, 1)[0], at.field + 10 * at.z)
        plate_files.MOMENTS = 1
        write(path)

    return written


def micro(write: Callable[[Path], None]) -> Write:
    def written(path: Path, side: int) -> None:
        micro_files.PIXELS = stack(4 * side, 12).reshape(2, 2, 3, 4 * side, 4 * side)
        micro_files.SUMMARY.update({"Width": 4 * side, "Height": 4 * side})
        write(path)

    return written


def terafly(path: Path, side: int) -> None:
    from tests.sources import terafly_files

    pixels = stack(side)
    folder = path / terafly_files.named(pixels)
    terafly_files.level(folder, pixels, terafly_files.VOXEL, (CHUNK, side // 2, side // 2))
    terafly_files.mdata(folder, pixels.shape, terafly_files.VOXEL)


def recipe(path: Path, side: int) -> None:
    folder = path.with_name("sections")
    folder.mkdir(exist_ok=True)
    for k, plane in enumerate(stack(8 * side, 4)):
        tifffile.imwrite(folder / f"{k}.tif", plane, tile=(256, 256), compression="zlib", predictor=True)
    path.write_text("recipe: stack\npattern: sections/{number:int}.tif\nthickness: 50 um\n", encoding="utf-8")


def pillow(**how: Any) -> Write:
    return lambda path, side: PIL.Image.fromarray(colours(8 * side)).save(path, **how)


def coded(encode: Callable[[Array], bytes]) -> Write:
    return lambda path, side: path.write_bytes(bytes(encode(colours(8 * side))))  # type: ignore[func-returns-value]


def heif(path: Path, side: int) -> None:
    pillow_heif.from_bytes("RGB", (8 * side,) * 2, colours(8 * side).tobytes()).save(path, quality=80)


def exr(path: Path, side: int) -> None:
    pixels = colours(8 * side)
    parts = {name: np.ascontiguousarray(pixels[..., k]).astype(np.float16) for k, name in enumerate("RGB")}
    OpenEXR.File({"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}, parts).write(str(path))


def radiance(path: Path, side: int) -> None:
    import cv2

    cv2.imwrite(str(path), colours(8 * side)[..., ::-1].astype(np.float32) / 99)


def tiff_slide(path: Path, side: int) -> None:
    slide(path, 16 * side)


def tiff_channels(path: Path, side: int) -> None:
    channels(path, 8 * side)
