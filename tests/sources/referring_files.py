"""Tiny files of each format that names other files, with any name instead of the right one."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import PIL.Image
import tifffile
import zarr

from tests.sources import (
    bdv_files,
    bdv_n5_files,
    dicom_files,
    leica_files,
    micro_files,
    plate_files,
    precomputed_files,
    slide_files,
)

PIXELS = np.random.default_rng(7).integers(1, 60_000, (20, 30), dtype=np.uint16)


class Referring(NamedTuple):
    """A way to write a file that names another."""

    write: Callable[[Path, str], None]
    """Into a folder, with the name of the other as it is to be told."""
    opened: str
    """What is opened, by its name there; empty for the folder itself."""
    part: str
    """The file or folder that is named."""


def replaced(path: Path, old: str, new: str, encoding: str = "utf-8") -> None:
    text = path.read_bytes().decode(encoding)
    assert old in text, path
    path.write_bytes(text.replace(old, new).encode(encoding, "surrogatepass"))


def escaped(name: str) -> str:
    return name.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def detached(folder: Path, name: str, *, listed: bool, kind: str) -> None:
    """NRRD and MetaImage."""
    (folder / "part.raw").write_bytes(PIXELS.astype("<u2").tobytes())
    told = f"LIST\n{name}" if listed else name
    if kind == "nhdr":
        text = f"NRRD0004\ntype: uint16\ndimension: 2\nsizes: 30 20\nendian: little\nencoding: raw\ndata file: {told}\n"
    else:
        text = f"ObjectType = Image\nNDims = 2\nDimSize = 30 20\nElementType = MET_USHORT\nElementDataFile = {told}\n"
    (folder / f"a.{kind}").write_text(text, encoding="utf-8", errors="surrogateescape")


OME = """<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">
<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="30" SizeY="20" SizeC="1" SizeZ="1" SizeT="1">
<Channel ID="Channel:0:0"/><TiffData IFD="0" PlaneCount="1"><UUID FileName="{name}">urn:uuid:1</UUID></TiffData>
</Pixels></Image></OME>"""


def companion(folder: Path, name: str) -> None:
    tifffile.imwrite(folder / "part.tif", PIXELS)
    (folder / "a.companion.ome").write_text(OME.format(name=escaped(name)), encoding="utf-8")


def described(folder: Path, name: str) -> None:
    companion(folder, "part.tif")
    (folder / "a.companion.ome").rename(folder / "part.companion.ome")
    xml = f'<?xml version="1.0"?><OME xmlns="x"><BinaryOnly MetadataFile="{escaped(name)}" UUID="urn:uuid:2"/></OME>'
    tifffile.imwrite(folder / "a.ome.tif", PIXELS + 1, description=xml, metadata=None)


def bigdataviewer(folder: Path, name: str) -> None:
    bdv_files.one(folder / "a.xml")
    (folder / "a.h5").rename(folder / "part.h5")
    replaced(folder / "a.xml", "a.h5", escaped(name))


def bigdataviewer_part(folder: Path, name: str) -> None:
    bdv_files.partitions(folder / "a.xml")
    (folder / "a-01-00.h5").rename(folder / "part.h5")
    replaced(folder / "a.xml", "a-01-00.h5", escaped(name))
    with h5py.File(folder / "a.h5", "a") as file:
        del file["t00001/s00"]
        file["t00001/s00"] = h5py.ExternalLink(name, "t00001/s00")


def bigdataviewer_n5(folder: Path, name: str) -> None:
    bdv_n5_files.stack(folder / "a.xml")
    (folder / "a.n5").rename(folder / "part.n5")
    replaced(folder / "a.xml", "a.n5", escaped(name))


def leica(folder: Path, name: str, *, document: bool) -> None:
    picture = leica_files.SIDE
    made = leica_files.xlif(folder, picture)
    if document:
        (folder / made).rename(folder / "part.xlif")
        leica_files.references(folder / "a.xlef", "project", [escaped(name)])
        return
    (folder / f"{picture.name}.lof").rename(folder / "part.lof")
    replaced(folder / made, f"{picture.name}.LOF", escaped(name), "utf-16")
    leica_files.references(folder / "a.xlef", "project", [made])


def mirax(folder: Path, name: str, key: str) -> None:
    slide_files.mrxs(folder / "a.mrxs", levels=1)
    old = {"FILE_0": "Data0000.dat", "INDEXFILE": "Index.dat"}[key]
    # A name is told from the folder of the slide.
    (folder / "a" / old).rename(folder / "a" / "part.dat")
    replaced(folder / "a" / "Slidedat.ini", old, f"../{name}" if name.startswith("../") else name)


def hamamatsu(folder: Path, name: str, key: str = "ImageFile", opened: str = "a.vms") -> None:
    grey = PIL.Image.fromarray((PIXELS >> 8).astype(np.uint8)).resize((64, 64)).convert("RGB")
    for file in ("part.jpg", "map.jpg"):
        grey.save(folder / file, restart_marker_rows=1, quality=90, subsampling=0)
    text = f"[Virtual Microscope Specimen]\nNoJpegColumns=1\nNoJpegRows=1\nMapFile=map.jpg\n{key}={name}\n"
    (folder / opened).write_text(text, encoding="utf-8", errors="surrogateescape")


def disguised(folder: Path, name: str) -> None:
    """OpenSlide knows MIRAX by the case of its ending, and Hamamatsu's by what is in it."""
    hamamatsu(folder, name, opened="a.MRXS")
    (folder / "a").mkdir()
    (folder / "a" / "Slidedat.ini").write_text("FILE_0 = Slidedat.ini\n", encoding="utf-8")


def operetta(folder: Path, name: str) -> None:
    at = next(plate_files.all_planes())
    plate_files.tiff(folder / "part.tiff", at)
    image = plate_files.operetta_image(at).replace(plate_files.operetta_name(at), escaped(name))
    text = plate_files.OPERETTA.format(wells="", described="", images=image)
    (folder / "Index.idx.xml").write_text(text, encoding="utf-8")


def cellvoyager(folder: Path, name: str) -> None:
    at = next(plate_files.all_planes())
    plate_files.cellvoyager(folder, [at])
    (folder / plate_files.cellvoyager_name(at)).rename(folder / "part.tif")
    replaced(folder / "MeasurementData.mlf", plate_files.cellvoyager_name(at), escaped(name))


def ndtiff(folder: Path, name: str) -> None:
    folder.rmdir()
    micro_files.ndtiff_colours(folder)
    (folder / "NDTiffStack.tif").rename(folder / "part.tif")
    index, told = folder / "NDTiff.index", name.encode("utf-8", "surrogateescape")
    old = struct.pack("<I", 15) + b"NDTiffStack.tif"
    index.write_bytes(index.read_bytes().replace(old, struct.pack("<I", len(told)) + told))


def micromanager(folder: Path, name: str) -> None:
    folder.rmdir()
    micro_files.old(folder)
    first = min(folder.glob("img_*.tif"))
    first.rename(folder / "part.tif")
    told = json.loads((folder / "metadata.txt").read_text())
    keys = [key for key, value in told.items() if value.get("FileName") == first.name]
    told = {"Summary": told["Summary"], **{key: {**told[key], "FileName": name} for key in keys}}
    (folder / "metadata.txt").write_text(json.dumps(told), encoding="utf-8")


def hdf5(folder: Path, name: str, how: str) -> None:
    with h5py.File(folder / "part.h5", "w") as part:
        part["data"] = PIXELS
    (folder / "part.raw").write_bytes(PIXELS.tobytes())
    with h5py.File(folder / "a.h5", "w") as file:
        if how == "link":
            file["data"] = h5py.ExternalLink(name, "data")
        elif how == "raw":
            file.create_dataset("data", PIXELS.shape, "u2", external=[(name, 0, PIXELS.nbytes)])
        else:
            layout = h5py.VirtualLayout(PIXELS.shape, "u2")
            layout[...] = h5py.VirtualSource(name, "data", PIXELS.shape)
            file.create_virtual_dataset("data", layout)


def ome_zarr(folder: Path, name: str) -> None:
    axes = [{"name": axis, "type": "space"} for axis in "yx"]
    way = [{"type": "scale", "scale": [1.0, 1.0]}]
    datasets = [{"path": name, "coordinateTransformations": way}]
    told = {"ome": {"version": "0.5", "multiscales": [{"axes": axes, "datasets": datasets}]}}
    zarr.create_group(folder, zarr_format=3, attributes=told, overwrite=True)
    zarr.create_array(folder / "part", data=PIXELS, zarr_format=3)


def precomputed(folder: Path, name: str) -> None:
    folder.rmdir()
    precomputed_files.plain(folder)
    told = json.loads((folder / "info").read_text())
    (folder / told["scales"][0]["key"]).rename(folder / "part")
    told["scales"] = [{**told["scales"][0], "key": name}]
    (folder / "info").write_text(json.dumps(told), encoding="utf-8")


def recipe(folder: Path, name: str, how: str) -> None:
    tifffile.imwrite(folder / "part.tif", PIXELS)
    told = json.dumps(name)
    text = f"recipe: time\nframes: [{{file: {told}}}]\n"
    if how == "mosaic":
        text = f"recipe: mosaic\ntiles: [{{file: {told}, position: [0, 0]}}]\n"
    (folder / "a.recipe.yaml").write_text(text, encoding="utf-8")


def dicomdir(folder: Path, name: str) -> None:
    slice_ = dicom_files.ct_slice(PIXELS.astype(np.int16), (0, 0, 0), 1)
    dicom_files.written(folder / "PART", slice_)
    index = dicom_files.with_pixels(PIXELS.astype(np.int16), "1.2.840.10008.1.3.10")
    del index.PixelData
    index.DirectoryRecordSequence = [dicom_files.item(ReferencedFileID=re.split(r"[/\\]", name))]
    dicom_files.written(folder / "DICOMDIR", index)


FORMATS: dict[str, Referring] = {
    "nrrd": Referring(partial(detached, listed=False, kind="nhdr"), "a.nhdr", "part.raw"),
    "nrrd list": Referring(partial(detached, listed=True, kind="nhdr"), "a.nhdr", "part.raw"),
    "metaimage": Referring(partial(detached, listed=False, kind="mhd"), "a.mhd", "part.raw"),
    "metaimage list": Referring(partial(detached, listed=True, kind="mhd"), "a.mhd", "part.raw"),
    "ome companion": Referring(companion, "a.companion.ome", "part.tif"),
    "ome binary only": Referring(described, "a.ome.tif", "part.companion.ome"),
    "bigdataviewer": Referring(bigdataviewer, "a.xml", "part.h5"),
    "bigdataviewer partition": Referring(bigdataviewer_part, "a.xml", "part.h5"),
    "bigdataviewer n5": Referring(bigdataviewer_n5, "a.xml", "part.n5"),
    "leica document": Referring(partial(leica, document=True), "a.xlef", "part.xlif"),
    "leica pixels": Referring(partial(leica, document=False), "a.xlef", "part.lof"),
    "mirax": Referring(partial(mirax, key="FILE_0"), "a.mrxs", "a/part.dat"),
    "mirax index": Referring(partial(mirax, key="INDEXFILE"), "a.mrxs", "a/part.dat"),
    "hamamatsu": Referring(hamamatsu, "a.vms", "part.jpg"),
    "hamamatsu place": Referring(partial(hamamatsu, key="ImageFile(+0,0)"), "a.vms", "part.jpg"),
    "hamamatsu as mirax": Referring(disguised, "a.MRXS", "part.jpg"),
    "operetta": Referring(operetta, "", "part.tiff"),
    "cellvoyager": Referring(cellvoyager, "", "part.tif"),
    "ndtiff": Referring(ndtiff, "", "part.tif"),
    "micromanager": Referring(micromanager, "", "part.tif"),
    "hdf5 link": Referring(partial(hdf5, how="link"), "a.h5", "part.h5"),
    "hdf5 raw": Referring(partial(hdf5, how="raw"), "a.h5", "part.raw"),
    "hdf5 virtual": Referring(partial(hdf5, how="virtual"), "a.h5", "part.h5"),
    "zarr": Referring(ome_zarr, "", "part"),
    "precomputed": Referring(precomputed, "", "part"),
    "recipe time": Referring(partial(recipe, how="time"), "a.recipe.yaml", "part.tif"),
    "recipe mosaic": Referring(partial(recipe, how="mosaic"), "a.recipe.yaml", "part.tif"),
    "dicomdir": Referring(dicomdir, "", "PART"),
}
