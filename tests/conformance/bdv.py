"""Judges of N5 as BigDataViewer reads it, with its XML, and of plain N5 by readers that are none of TensorStore's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.image.image import Image
from diascope.image.level import Level, read_whole
from diascope.image.order import moved
from tests.conformance.n5 import N5
from tests.conformance.records import Judge, Representation, Served
from tests.conformance.twins import edited, lost, replaced, truncated
from tests.judges import bdv, tensor_store, zarr_2
from tests.judges.pixels import Rejected, Seen, counted, same, told
from tests.judges.programs import Program

BDV = Representation(
    name="N5 of BDV", layout="bdv-n5", paths=("{file}/{view}/{stem}.bdv.xml", "{file}/{view}/{stem}.bdv.n5")
)
REPRESENTATIONS = (BDV,)

XML = r"\.bdv\.xml$"
FIRST_BLOCK = r"/setup0/timepoint0/s0/0/0/0$"


def views(image: Image) -> Iterator[tuple[int, int, int, NDArray[Any]]]:
    """Setup, time, level and the pixels as z, y and x."""
    for setup in range(image.size("c")):
        for time in range(image.size("t")):
            for k, level in enumerate(image.levels):
                yield setup, time, k, _volume(image, level, setup, time)


def _volume(image: Image, level: Level, setup: int, time: int) -> NDArray[Any]:
    return moved(read_whole(level), image.axis_names, "tczyx")[time, setup]


def by_tensorstore(served: Served) -> Seen:
    folder = served.where.removesuffix(".xml") + ".n5"
    return told(
        same(tensor_store.array("n5", f"{folder}/setup{setup}/timepoint{time}/s{k}").T, pixels, f"{setup} {time} {k}")
        for setup, time, k, pixels in views(served.image)
    )


def by_pybdv(served: Served) -> Seen:
    image, answer = served.image, bdv.program().asked(served.where)
    if answer.facts["format"] != "bdv.n5":
        raise Rejected(f"the format {answer.facts['format']}")
    setups = answer.facts["setups"]
    counted(len(setups), image.size("c"), "setups")
    for setup in setups:
        counted(len(setup["affines"]), image.size("t"), "times")
        for transforms in setup["affines"]:
            _check_place(image, transforms)
        if setup["size"] != [image.size(axis) for axis in "zyx"]:
            raise Rejected(f"the size {setup['size']}")
    wanted = [pixels for _, _, _, pixels in views(image)]
    counted(len(answer.arrays), len(wanted), "arrays")
    pairs = enumerate(zip(answer.arrays, wanted, strict=True))
    return told((same(seen, pixels, f"view {k}") for k, (seen, pixels) in pairs), setups=len(setups))


def _check_place(image: Image, transforms: list[list[float]]) -> None:
    """Where pixels lie, in micrometres, or in pixels' own units where those are not known."""
    found = np.eye(4)
    for numbers in transforms:
        found = found @ np.array([*numbers, 0, 0, 0, 1]).reshape(4, 4)
    level = image.levels[0]
    places = dict(zip(image.axis_names, zip(level.scale, level.translation, strict=True), strict=True))
    wanted = np.eye(4)
    for k, axis in enumerate("xyz"):
        if axis in places:
            wanted[k, k], wanted[k, 3] = places[axis]
    if image.world is not None:
        wanted = np.diag([1000.0, 1000.0, 1000.0, 1.0]) @ image.world.array @ wanted
    planes = slice(0, 4 if "z" in places else 2)
    if not np.allclose(found[planes], wanted[planes], rtol=1e-6, atol=1e-6):
        raise Rejected(f"the place {found.tolist()}, not {wanted.tolist()}")


def _is_measured(image: Image) -> bool:
    """What this file knows the place of: lengths in micrometres, a world, or none."""
    units = {axis.unit for axis in image.axes if axis.type == "space"}
    return image.world is not None or units in ({"micrometer"}, {None})


def by_z5py(served: Served) -> Seen:
    return _levels(served, bdv.program())


def by_zarr_2(served: Served) -> Seen:
    return _levels(served, zarr_2.program())


def _levels(served: Served, program: Program) -> Seen:
    """Those of plain N5, as a program reads them."""
    answer = program.asked(served.where)
    counted(len(answer.arrays), len(served.image.levels), "levels")
    pairs = enumerate(zip(answer.arrays, served.image.levels, strict=True))
    return told(same(seen, read_whole(level), f"level {k}") for k, (seen, level) in pairs)


N5_TWINS = (
    lost("lost block", r"/s0(/0)+$"),
    edited("wrong type", r"/s0/attributes\.json$", lambda told: told.update(dataType="float64")),
    edited("other blocks", r"/s0/attributes\.json$", lambda told: told["blockSize"].__setitem__(0, 7)),
)

JUDGES = (
    Judge(
        name="TensorStore",
        representations=(BDV.name,),
        doors=("HTTP", "S3", "files"),
        look=by_tensorstore,
        twins=(
            truncated("truncated block", FIRST_BLOCK),
            lost("lost block", FIRST_BLOCK),
            edited("wrong type", r"/s0/attributes\.json$", lambda told: told.update(dataType="float64")),
        ),
    ),
    Judge(
        name="pybdv",
        representations=(BDV.name,),
        doors=("mount", "files"),
        look=by_pybdv,
        twins=(
            lost("lost block", FIRST_BLOCK),
            replaced("wrong size", XML, b"<size>", b"<size>1"),
            replaced("another place", XML, b"<affine>", b"<affine>1"),
            replaced("another folder", XML, b".bdv.n5</n5>", b".bdv</n5>"),
            replaced("no setup", XML, b"<ViewSetups>", b"<NoSetups>"),
            edited("one level less", r"/setup0/attributes\.json$", lambda told: told["downsamplingFactors"].pop()),
        ),
        takes=_is_measured,
        missing=bdv.missing,
    ),
    Judge(
        name="z5py",
        representations=(N5.name,),
        doors=("files",),
        look=by_z5py,
        twins=N5_TWINS,
        missing=bdv.missing,
    ),
    Judge(
        name="zarr-python 2",
        representations=(N5.name,),
        doors=("HTTP",),
        look=by_zarr_2,
        twins=N5_TWINS,
        missing=zarr_2.missing,
    ),
)
