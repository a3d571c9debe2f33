"""Viewers in a real browser as judges of several representations: what is on the screen is compared with the pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from diascope.image.image import Image
from diascope.image.order import moved
from tests.conformance import deep_zoom, iiif, precomputed
from tests.conformance.lossy import is_smooth
from tests.conformance.records import Judge, Representation, Served
from tests.conformance.twins import edited, lost, replaced
from tests.judges import chromium
from tests.judges.pixels import LOSSY, Seen, near, told

REPRESENTATIONS: tuple[Representation, ...] = ()
"""Of others."""

LARGEST = 1000
"""The longest side that the screen has place for, beside what viewers put on it."""

EXACT = 0.3
"""How many grey values a screenshot of pixels that were kept may be off on average."""

GREY = "void main() { emitGrayscale(toNormalized(getDataValue())); }"
COLOURED = "void main() { emitRGB(vec3(" + ", ".join(f"toNormalized(getDataValue({c}))" for c in range(3)) + ")); }"


def _colours(image: Image) -> NDArray[np.uint8]:
    """What should be on the screen: y, x and colour."""
    plane = moved(image[...], image.axis_names, "yxc" if image.kind == "rgb" else "yx")
    return plane[..., :3] if image.kind == "rgb" else np.repeat(plane[..., None], 3, axis=2)


def _shows_openseadragon(off: float, suffix: str = "") -> Callable[[Served], Seen]:
    def look(served: Served) -> Seen:
        expected = _colours(served.image)
        seen = chromium.seen_by_openseadragon(served.where + suffix, expected.shape[:2])
        return told([near(seen, expected, "the screen", off)])

    return look


def _shows_neuroglancer(off: float) -> Callable[[Served], Seen]:
    def look(served: Served) -> Seen:
        expected = _colours(served.image)
        shader = COLOURED if served.image.kind == "rgb" else GREY
        seen = chromium.seen_by_neuroglancer(served.where, expected.shape[:2], shader)
        return told([near(seen, expected, "the screen", off)])

    return look


def _fits(image: Image) -> bool:
    """A picture that the screen holds, and that no viewer stretches."""
    height, width = image.shape[-2:]
    down, across = image.levels[0].scale[-2:]
    return image.size("z") == 1 and image.dtype == np.uint8 and max(width, height) <= LARGEST and down == across


def _fits_smoothly(image: Image) -> bool:
    return _fits(image) and is_smooth(image)


JUDGES = (
    Judge(
        name="OpenSeadragon",
        representations=(deep_zoom.PNG.name,),
        doors=("HTTP",),
        look=_shows_openseadragon(EXACT),
        twins=(
            lost("lost tiles", r"_files/\d+/0_0\.\w+$"),
            replaced("wrong width", r"\.dzi$", b'Width="', b'Width="1'),
        ),
        takes=_fits,
        missing=chromium.missing,
        slow=True,
    ),
    Judge(
        name="OpenSeadragon",
        representations=(iiif.SERVICE.name, iiif.SERVICE_2.name),
        doors=("HTTP",),
        look=_shows_openseadragon(LOSSY, "/info.json"),
        twins=(
            iiif.TURNED,
            edited("wrong width", r"/info\.json$", lambda info: info.update(width=info["width"] + 300)),
        ),
        takes=_fits_smoothly,
        missing=chromium.missing,
        slow=True,
    ),
    Judge(
        name="Neuroglancer",
        representations=(precomputed.RAW.name, precomputed.PNG.name),
        doors=("HTTP",),
        look=_shows_neuroglancer(EXACT),
        twins=(lost("lost chunk", precomputed.FIRST_CHUNK),),
        takes=_fits,
        missing=chromium.missing,
        slow=True,
    ),
    Judge(
        name="Neuroglancer",
        representations=(precomputed.JPEG.name,),
        doors=("HTTP",),
        look=_shows_neuroglancer(LOSSY),
        twins=(lost("lost chunk", precomputed.FIRST_CHUNK),),
        takes=_fits_smoothly,
        missing=chromium.missing,
        slow=True,
    ),
)
