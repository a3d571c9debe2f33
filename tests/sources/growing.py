"""Datasets of many files that grow, step by step, as acquisitions and conversions write them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import SimpleITK
import tifffile
import zarr

from tests.sources import (
    bdv_files,
    dicom_files,
    imaris_files,
    leica_files,
    micro_files,
    n5_files,
    olympus_files,
    plate_files,
    precomputed_files,
    terafly_files,
)

Steps = Iterator[str]
"""Each is the name of what is there by then."""

OME = {"version": "0.5"}


def moved(part: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(part, target)  # noqa: PTH105


def by_files(write: Callable[[Path], None], late: str, *, last: str = "") -> Callable[[Path], Steps]:
    """A folder whose files with some text in their paths come later, and one of the others again behind these."""

    def steps(folder: Path) -> Steps:
        whole, grown = folder.parent / "whole", folder / "grown"
        write(whole)
        files = sorted(path.relative_to(whole) for path in whole.rglob("*") if path.is_file())
        for file in files:
            if late not in f"/{file.as_posix()}":
                moved(whole / file, grown / file)
        yield "grown"
        for file in files:
            if late in f"/{file.as_posix()}":
                moved(whole / file, grown / file)
                yield "grown"
        if last:
            shutil.copyfile(grown / last, whole / "again")
            moved(whole / "again", grown / last)
            yield "grown"

    return steps


def by_index(write: Callable[[Path], None], name: str) -> Callable[[Path], Steps]:
    """A plate of one well, whose index tells of another one when its files are there."""

    def steps(folder: Path) -> Steps:
        wells = plate_files.WELLS
        plate_files.WELLS = wells[:1]  # type: ignore[assignment]
        try:
            write(folder / "grown")
        finally:
            plate_files.WELLS = wells
        yield "grown"
        write(folder.parent / "whole")
        whole = folder.parent / "whole"
        for path in sorted(whole.rglob("*.tif*")):
            moved(path, folder / "grown" / path.relative_to(whole))
        yield "grown"
        moved(next(whole.rglob(name)), folder / "grown" / next(whole.rglob(name)).relative_to(whole))
        yield "grown"

    return steps


def voyager(path: Path) -> None:
    plate_files.cellvoyager(path, tuple(plate_files.all_planes()))


def ndtiff(folder: Path) -> Steps:
    from ndtiff import NDTiffDataset

    dataset = NDTiffDataset(str(folder), name="grown", summary_metadata=micro_files.SUMMARY, writable=True)
    for t in range(3):
        for c, name in enumerate(micro_files.CHANNELS):
            axes = {"time": t, "channel": name, "z": 0}
            dataset.put_image(axes, micro_files.PIXELS[0, c, t % 3] + t, micro_files.frame(t, c, 0))
        dataset.index_file.flush() if hasattr(dataset, "index_file") else None
        dataset.current_writer.file.flush()
        yield next(each.name for each in folder.iterdir() if each.is_dir())
    writer = dataset.current_writer
    dataset.finish()
    dataset.close()
    writer.reader.close()
    yield next(each.name for each in folder.iterdir() if each.is_dir())


def companion(folder: Path) -> Steps:
    """An OME-TIFF of two files, of which the second is replaced by one of other pixels."""
    data = np.arange(2 * 3 * 20 * 30, dtype=np.uint16).reshape(2, 3, 20, 30)
    ns = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    parts = "".join(
        f'<TiffData FirstT="{t}" FirstZ="{z}" FirstC="0" IFD="{z}" PlaneCount="1">'
        f'<UUID FileName="t{t}.ome.tif">urn:uuid:0{t}</UUID></TiffData>'
        for t in range(2)
        for z in range(3)
    )
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{ns}" UUID="urn:uuid:00"><Image ID="Image:0"><Pixels '
        'ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="30" SizeY="20" SizeZ="3" SizeC="1" SizeT="2">'
        f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{parts}</Pixels></Image></OME>'
    )

    def write(t: int, pixels: Any) -> None:
        with tifffile.TiffWriter(folder.parent / "part.tif") as writer:
            for z, plane in enumerate(pixels):
                writer.write(plane, description=text if z == 0 else None, metadata=None, contiguous=False)
        moved(folder.parent / "part.tif", folder / f"t{t}.ome.tif")

    for t in range(2):
        write(t, data[t])
    yield "t0.ome.tif"
    write(1, data[1] + 7)
    yield "t0.ome.tif"


def xlef(folder: Path) -> Steps:
    stack = leica_files.STACK
    one = leica_files.xlif(folder, stack)
    leica_files.references(folder / "grown.xlef", "project", [one])
    yield "grown.xlef"
    two = leica_files.xlif(folder, replace(leica_files.REAL, name="late"))
    leica_files.references(folder.parent / "whole.xlef", "project", [one, two])
    moved(folder.parent / "whole.xlef", folder / "grown.xlef")
    yield "grown.xlef"
    other = replace(stack, pixels=stack.pixels + 1)
    (folder.parent / "other").mkdir()
    leica_files.xlif(folder.parent / "other", other)
    moved(folder.parent / "other" / "stack.lof", folder / "stack.lof")
    yield "grown.xlef"


def oif(folder: Path) -> Steps:
    data = olympus_files.pixels()
    olympus_files.oif(folder / "grown.oif", data=data[:1])
    yield "grown.oif"
    olympus_files.oif(folder.parent / "grown.oif", data=data)
    whole = folder.parent / "grown.oif.files"
    for path in sorted(whole.iterdir()):
        moved(path, folder / "grown.oif.files" / path.name)
    yield "grown.oif"
    moved(folder.parent / "grown.oif", folder / "grown.oif")
    yield "grown.oif"


def imaris(folder: Path) -> Steps:
    imaris_files.linked(folder / "grown.ims")
    yield "grown.ims"
    beside = next(path for path in folder.iterdir() if path.suffix == ".h5")
    shutil.copyfile(beside, folder.parent / "part")
    with h5py.File(folder.parent / "part", "a") as file:
        file.visititems(lambda _, node: node.write_direct(node[...] + 1) if isinstance(node, h5py.Dataset) else None)
    moved(folder.parent / "part", beside)
    yield "grown.ims"


def bdv(folder: Path) -> Steps:
    bdv_files.stack(folder.parent / "whole.xml")
    text = (folder.parent / "whole.xml").read_text(encoding="utf-8").replace("whole.h5", "grown.h5")
    assert "<last>1</last>" in text
    shutil.copyfile(folder.parent / "whole.h5", folder / "grown.h5")
    with h5py.File(folder / "grown.h5", "a") as file:
        del file["t00001"]
    (folder / "grown.xml").write_text(text.replace("<last>1</last>", "<last>0</last>"), encoding="utf-8")
    yield "grown.xml"
    with h5py.File(folder.parent / "whole.h5") as whole, h5py.File(folder / "grown.h5", "a") as file:
        whole.copy("t00001", file)
    yield "grown.xml"
    (folder / "grown.xml").write_text(text, encoding="utf-8")
    yield "grown.xml"


def hdf5(folder: Path) -> Steps:
    with h5py.File(folder / "grown.h5", "w") as file:
        file.create_dataset("run", data=np.ones((1, 20, 30), "u2"), chunks=(1, 20, 30), maxshape=(None, 20, 30))
    yield "grown.h5"
    for k in range(2, 4):
        with h5py.File(folder / "grown.h5", "a") as file:
            file["run"].resize(k, axis=0)
            file["run"][k - 1] = k
        yield "grown.h5"
    with h5py.File(folder / "grown.h5", "a") as file:
        file["late"] = np.full((9, 8), 5, "u1")
    yield "grown.h5"


def n5(folder: Path) -> Steps:
    """A dataset gains blocks, another one comes, and the first becomes longer."""
    root = folder / "grown.n5"
    n5_files.added(root, n5="2.5.1")
    n5_files.dataset(root / "a" / "b", n5_files.VOLUME, block=10)
    yield "grown.n5"
    n5_files.dataset(root / "a" / "late", n5_files.VOLUME[:1], block=10)
    yield "grown.n5"
    longer = np.concatenate([n5_files.VOLUME] * 2)
    n5_files.dataset(folder.parent / "longer", longer, block=10)
    for path in sorted((folder.parent / "longer").rglob("*")):
        if path.is_file() and path.name != "attributes.json":
            moved(path, root / "a" / "b" / path.relative_to(folder.parent / "longer"))
    moved(folder.parent / "longer" / "attributes.json", root / "a" / "b" / "attributes.json")
    yield "grown.n5"


def bdv_n5(folder: Path) -> Steps:
    whole = folder.parent / "whole.n5"
    n5_files.bdv(whole)
    grown = folder / "grown.n5"
    shutil.copytree(whole, grown, ignore=shutil.ignore_patterns("timepoint2"))
    yield "grown.n5"
    for setup in (0, 1):
        shutil.move(whole / f"setup{setup}" / "timepoint2", grown / f"setup{setup}" / "timepoint2")
        yield "grown.n5"


def precomputed(folder: Path) -> Steps:
    precomputed_files.written(folder / "grown", precomputed_files.VOLUME)
    yield "grown"
    precomputed_files.written(folder / "grown", precomputed_files.VOLUME[:, :, ::2, ::2], resolution=[8, 8, 40])
    yield "grown"
    longer = np.concatenate([precomputed_files.VOLUME] * 2, axis=1)
    precomputed_files.written(folder.parent / "longer", longer)
    (chunks,) = (each for each in (folder.parent / "longer").iterdir() if each.is_dir())
    for path in chunks.iterdir():
        moved(path, folder / "grown" / chunks.name / path.name)
    moved(folder.parent / "longer" / "info", folder / "grown" / "info")
    yield "grown"


def nhdr(folder: Path) -> Steps:
    head = "NRRD0004\ntype: uint8\ndimension: 3\nsizes: 4 3 {n}\nencoding: raw\ndata file: s%d.raw 0 {last} 1\n\n"
    for k in range(2):
        (folder / f"s{k}.raw").write_bytes(bytes([k + 1] * 12))
    (folder / "grown.nhdr").write_text(head.format(n=2, last=1))
    yield "grown.nhdr"
    (folder / "s2.raw").write_bytes(bytes([9] * 12))
    (folder / "part").write_text(head.format(n=3, last=2))
    moved(folder / "part", folder / "grown.nhdr")
    yield "grown.nhdr"
    (folder / "part").write_bytes(bytes([7] * 12))
    moved(folder / "part", folder / "s0.raw")
    yield "grown.nhdr"


def mhd(folder: Path) -> Steps:
    for k in (1, 2):
        data = SimpleITK.GetImageFromArray(np.full((k, 4, 5), k, np.uint16))
        SimpleITK.WriteImage(data, str(folder / "grown.mhd"))
        yield "grown.mhd"


def recipe(folder: Path) -> Steps:
    for k in range(3):
        tifffile.imwrite(folder / f"s{k}.tif", np.full((20, 30), k + 1, np.uint16))
        if k == 0:
            (folder / "grown.recipe.yaml").write_text('recipe: stack\nthickness: 1 um\npattern: "s{z:int}.tif"\n')
        yield "grown.recipe.yaml"


def array(path: Path, shape: tuple[int, ...], value: int, **more: Any) -> Any:
    made = zarr.create_array(path, shape=shape, chunks=(1,) * (len(shape) - 2) + (10, 10), dtype="u2", **more)
    made[...] = value
    return made


def multiscale(path: Path, levels: list[str], value: int, length: int = 1) -> None:
    axes = [{"name": "t", "type": "time"}, *({"name": a, "type": "space"} for a in "yx")]
    listed = [
        {"path": name, "coordinateTransformations": [{"type": "scale", "scale": [1, 2.0**k, 2.0**k]}]}
        for k, name in enumerate(levels)
    ]
    zarr.create_group(
        path, attributes={"ome": {**OME, "multiscales": [{"name": "m", "axes": axes, "datasets": listed}]}}
    )
    for k, name in enumerate(levels):
        array(path / name, (length, 20 >> k, 20 >> k), value)


def told(path: Path, **ome: Any) -> None:
    """What a group tells, replaced as a whole."""
    document = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": {**OME, **ome}}}
    path.mkdir(parents=True, exist_ok=True)
    (path / ".part").write_text(json.dumps(document))
    moved(path / ".part", path / "zarr.json")


def lengthened(path: Path, levels: list[str], value: int) -> None:
    for name in levels:
        made = zarr.open_array(path / name)
        made.resize((made.shape[0] + 1, *made.shape[1:]))
        made[-1] = value


def zarr_levels(folder: Path, levels: list[str]) -> Steps:
    """An image whose levels have names of their own, which gains moments and then labels."""
    multiscale(folder / "grown.zarr", levels, 3)
    yield "grown.zarr"
    lengthened(folder / "grown.zarr", levels, 4)
    yield "grown.zarr"
    told(folder / "grown.zarr" / "labels", labels=["cells"])
    yield "grown.zarr"
    multiscale(folder / "grown.zarr" / "labels" / "cells", ["0"], 1)
    yield "grown.zarr"
    told(folder / "grown.zarr" / "labels", labels=["cells", "nuclei"])
    multiscale(folder / "grown.zarr" / "labels" / "nuclei", ["0"], 2)
    yield "grown.zarr"


def zarr_series(folder: Path) -> Steps:
    """As bioformats2raw writes it: images first, or the list of them."""
    root = folder / "grown.zarr"
    zarr.create_group(root, attributes={"ome": {**OME, "bioformats2raw.layout": 3}})
    told(root / "OME", series=["0"])
    multiscale(root / "0", ["0"], 1)
    yield "grown.zarr"
    multiscale(root / "1", ["0"], 2)
    yield "grown.zarr"
    told(root / "OME", series=["0", "1"])
    yield "grown.zarr"
    told(root / "OME", series=["0", "1", "2"])
    yield "grown.zarr"
    multiscale(root / "2", ["0"], 2)
    yield "grown.zarr"
    lengthened(root / "1", ["0"], 4)
    yield "grown.zarr"


def zarr_group(folder: Path) -> Steps:
    """Any hierarchy of images."""
    root = folder / "grown.zarr"
    zarr.create_group(root)
    multiscale(root / "run", ["a"], 1)
    yield "grown.zarr"
    multiscale(root / "other", ["a"], 2)
    yield "grown.zarr"
    zarr.create_group(root / "deep")
    yield "grown.zarr"
    multiscale(root / "deep" / "image", ["a"], 2)
    yield "grown.zarr"
    lengthened(root / "run", ["a"], 4)
    yield "grown.zarr"


def zarr_plate(folder: Path) -> Steps:
    root = folder / "grown.zarr"
    parts = {"columns": [{"name": "1"}, {"name": "2"}], "rows": [{"name": "A"}]}

    def plate(count: int) -> None:
        wells = [{"path": f"A/{k + 1}", "rowIndex": 0, "columnIndex": k} for k in range(count)]
        told(root, plate={**parts, "wells": wells})

    plate(1)
    told(root / "A" / "1", well={"images": [{"path": "0"}]})
    multiscale(root / "A/1/0", ["0"], 1)
    yield "grown.zarr"
    plate(2)
    yield "grown.zarr"
    told(root / "A" / "2", well={"images": [{"path": "0"}]})
    multiscale(root / "A/2/0", ["0"], 2)
    yield "grown.zarr"
    multiscale(root / "A/1/1", ["0"], 3)
    told(root / "A" / "1", well={"images": [{"path": "0"}, {"path": "1"}]})
    yield "grown.zarr"
    lengthened(root / "A/2/0", ["0"], 4)
    yield "grown.zarr"


GROWING: dict[str, Callable[[Path], Steps]] = {
    "dicom": by_files(dicom_files.ct_series, "/0", last="05.dcm"),
    "operetta": by_index(plate_files.operetta, "Index.idx.xml"),
    "operetta-6": by_index(plate_files.operetta_6, "Index.xml"),
    "imagexpress": by_files(plate_files.imagexpress, "TimePoint_2"),
    "imagexpress-wells": by_files(plate_files.imagexpress, "_B11_"),
    "cellvoyager": by_index(voyager, "MeasurementData.mlf"),
    "wells": by_files(plate_files.wells, "_B11_", last="rats_A02_s1_w1.tif"),
    "terafly": by_files(terafly_files.pyramid, "_000200", last=""),
    "micromanager": by_files(micro_files.new, "time000000001"),
    "ndtiff": ndtiff,
    "ome-tiff": companion,
    "xlef": xlef,
    "oif": oif,
    "imaris": imaris,
    "bdv": bdv,
    "hdf5": hdf5,
    "n5": n5,
    "bdv-n5": bdv_n5,
    "precomputed": precomputed,
    "nhdr": nhdr,
    "mhd": mhd,
    "recipe": recipe,
    "zarr": partial(zarr_levels, levels=["0", "1"]),
    "zarr-names": partial(zarr_levels, levels=["full", "half"]),
    "zarr-series": zarr_series,
    "zarr-group": zarr_group,
    "zarr-plate": zarr_plate,
}
