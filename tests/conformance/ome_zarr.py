"""Judges of OME-Zarr 0.5, 0.4 and 0.6."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import zarr

from diascope.image.level import read_whole
from tests.conformance.records import Judge, Representation, Served
from tests.conformance.twins import corrupt, edited, lost
from tests.judges import ngff_zarr, node, ome_zarr_py, tensor_store, zarr_python
from tests.judges.pixels import Rejected, Seen, counted, same, told
from tests.judges.programs import Answer

REPRESENTATIONS = (
    Representation(name="OME-Zarr 0.5", layout="ome-zarr", paths=("{file}/{view}/{stem}.ome.zarr",)),
    Representation(name="OME-Zarr 0.4", layout="ome-zarr-0_4", paths=("{file}/{view}/{stem}.zarr2.ome.zarr",)),
    Representation(name="OME-Zarr 0.6", layout="ome-zarr-0_6", paths=("{file}/{view}/{stem}.zarr06.ome.zarr",)),
)
ALL = tuple(representation.name for representation in REPRESENTATIONS)
BOTH = ALL[:2]
LAST = ALL[2:]

FIRST_CHUNK = r"/0/(c/)?0(/0)+$"
DOCUMENT = r"\.ome\.zarr/(zarr\.json|\.zattrs)$"


def _is_0_5(served: Served) -> bool:
    return not served.where.endswith(".zarr2.ome.zarr")


def _multiscale(document: Any) -> Any:
    return document.get("attributes", {}).get("ome", document)["multiscales"][0]


def _steps(dataset: Any) -> Any:
    (step,) = dataset["coordinateTransformations"]
    return step.get("transformations", [step])


BROKEN_CHUNKS = (corrupt("corrupt chunk", FIRST_CHUNK), lost("lost chunk", FIRST_CHUNK))
BROKEN_SYSTEMS = (
    edited("no systems", DOCUMENT, lambda document: _multiscale(document).pop("coordinateSystems")),
    edited(
        "pixels elsewhere",
        DOCUMENT,
        lambda document: _steps(_multiscale(document)["datasets"][0])[0]["scale"].append(
            _steps(_multiscale(document)["datasets"][0])[0]["scale"].pop() * 2
        ),
    ),
)
BROKEN_METADATA = (
    edited("no axes", DOCUMENT, lambda document: _multiscale(document).pop("axes")),
    edited(
        "short scale",
        DOCUMENT,
        lambda document: _multiscale(document)["datasets"][0]["coordinateTransformations"][0]["scale"].pop(),
    ),
)


def by_zarr_python(served: Served) -> Seen:
    group = zarr_python.group(served.where)
    sizes = []
    for k, level in enumerate(served.image.levels):
        array = group[str(k)]
        if not isinstance(array, zarr.Array) or array.dtype != level.dtype:
            raise Rejected(f"level {k} is {array}, not an array of {level.dtype}")
        sizes.append(same(np.asarray(array[...]), read_whole(level), f"level {k}"))
    attributes: Any = group.attrs.asdict()
    counted(len(_multiscale({"attributes": attributes} | attributes)["datasets"]), len(sizes), "levels")
    return told(sizes)


def by_tensorstore(served: Served) -> Seen:
    driver = "zarr3" if _is_0_5(served) else "zarr"
    return told(
        same(tensor_store.array(driver, f"{served.where}/{k}"), read_whole(level), f"level {k}")
        for k, level in enumerate(served.image.levels)
    )


def by_zarrita(served: Served) -> Seen:
    return _compared(node.program("zarrita.mjs").asked(served.where), served)


def by_ome_zarr_py(served: Served) -> Seen:
    answer = ome_zarr_py.program().asked(served.where)
    if answer.facts["axes"] != list(served.image.axis_names):
        raise Rejected(f"the axes are {answer.facts['axes']}")
    return _compared(answer, served)


def by_ngff_zarr(served: Served) -> Seen:
    answer = ngff_zarr.program().asked(served.where)
    if answer.facts["axes"] != list(served.image.axis_names):
        raise Rejected(f"the axes are {answer.facts['axes']}")
    for level, placed in zip(served.image.levels, answer.facts["placed"], strict=True):
        if not np.allclose(placed, list(zip(level.scale, level.translation, strict=True))):
            raise Rejected(f"the pixels lie at {placed}")
    return _compared(answer, served)


def _compared(answer: Answer, served: Served) -> Seen:
    counted(len(answer.arrays), len(served.image.levels), "levels")
    return told(
        same(seen, read_whole(level), f"level {k}")
        for k, (seen, level) in enumerate(zip(answer.arrays, served.image.levels, strict=True))
    )


def by_ome_zarr_models(served: Served) -> Seen:
    from ome_zarr_models import open_ome_zarr

    version: Any = "0.5" if _is_0_5(served) else "0.4"
    found = open_ome_zarr(zarr_python.group(served.where), version=version)
    kind = "ImageLabel" if served.image.kind == "labels" else "Image"
    if type(found).__name__ != kind:
        raise Rejected(f"it is a valid {type(found).__name__}, not an {kind}")
    attributes: Any = found.attributes
    multiscale = (attributes.ome if _is_0_5(served) else attributes).multiscales[0]
    counted(len(multiscale.datasets), len(served.image.levels), "datasets")
    return Counter(documents=1)


def by_yaozarrs(served: Served) -> Seen:
    import yaozarrs

    yaozarrs.validate_zarr_store(served.where)
    return Counter(documents=1)


ANYWHERE = ("HTTP", "files")
EVERY_DOOR = ("HTTP", "S3", "WebDAV", "mount", "files")

JUDGES = (
    Judge(name="zarr-python", representations=ALL, doors=EVERY_DOOR, look=by_zarr_python, twins=BROKEN_CHUNKS),
    Judge(name="TensorStore", representations=ALL, doors=EVERY_DOOR, look=by_tensorstore, twins=BROKEN_CHUNKS),
    Judge(
        name="zarrita",
        representations=ALL,
        doors=ANYWHERE,
        look=by_zarrita,
        twins=BROKEN_CHUNKS,
        missing=lambda: node.missing("zarrita"),
    ),
    Judge(
        name="ome-zarr-py",
        representations=BOTH,
        doors=ANYWHERE,
        look=by_ome_zarr_py,
        twins=BROKEN_CHUNKS,
        missing=ome_zarr_py.missing,
    ),
    Judge(
        name="ngff-zarr",
        representations=LAST,
        doors=ANYWHERE,
        look=by_ngff_zarr,
        twins=(*BROKEN_CHUNKS, *BROKEN_SYSTEMS),
        missing=ngff_zarr.missing,
    ),
    Judge(name="ome-zarr-models", representations=BOTH, doors=ANYWHERE, look=by_ome_zarr_models, twins=BROKEN_METADATA),
    Judge(name="yaozarrs", representations=BOTH, doors=ANYWHERE, look=by_yaozarrs, twins=BROKEN_METADATA),
)
