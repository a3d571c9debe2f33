"""Judges of N5."""

from __future__ import annotations

import numpy as np

from diascope.image.image import Image
from diascope.image.level import read_whole
from tests.conformance.records import Judge, Representation, Served
from tests.conformance.twins import edited, lost, truncated
from tests.judges import chromium, tensor_store
from tests.judges.pixels import Seen, near, same, told

N5 = Representation(name="N5", layout="n5", paths=("{file}/{view}/{stem}.n5",))
REPRESENTATIONS = (N5,)

FIRST_BLOCK = r"/s0(/0)+$"
LOST = lost("lost block", FIRST_BLOCK)

EXACT = 0.3
"""How many grey values a screenshot may be off on average."""
LARGEST = 1000


def by_tensorstore(served: Served) -> Seen:
    return told(
        same(tensor_store.array("n5", f"{served.where}/s{k}").T, read_whole(level), f"level {k}")
        for k, level in enumerate(served.image.levels)
    )


def by_neuroglancer(served: Served) -> Seen:
    plane = served.image[...].reshape(served.image.shape[-2:])
    shader = "void main() { emitGrayscale(toNormalized(getDataValue())); }"
    seen = chromium.seen_by_neuroglancer(served.where, plane.shape, shader, "n5")
    return told([near(seen, np.repeat(plane[..., None], 3, axis=2), "the screen", EXACT)])


def _fits(image: Image) -> bool:
    """A grey picture that the screen holds, and that is not stretched."""
    down, across = image.levels[0].scale[-2:]
    plane = image.axis_names == "yx" and image.dtype == np.uint8
    return plane and max(image.shape) <= LARGEST and down == across


JUDGES = (
    Judge(
        name="TensorStore",
        representations=(N5.name,),
        doors=("HTTP", "S3", "WebDAV", "mount", "files"),
        look=by_tensorstore,
        twins=(
            truncated("truncated block", FIRST_BLOCK),
            LOST,
            edited("other type", r"/s0/attributes\.json$", lambda told: told.update(dataType="float64")),
        ),
    ),
    Judge(
        name="Neuroglancer",
        representations=(N5.name,),
        doors=("HTTP",),
        look=by_neuroglancer,
        twins=(LOST,),
        takes=_fits,
        missing=chromium.missing,
        slow=True,
    ),
)
