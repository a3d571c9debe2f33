"""What servers need beside the pictures: answers written beforehand, and where on a map a picture lies."""

from __future__ import annotations

import imagecodecs
import numpy as np

from .pictures import INTERLEAVED, SLIDE, Pictures, Pixels
from .work import Place, works

WORLD = 20037508.342789244
"""Half the side of the Web Mercator map."""


def prepared(pictures: Pictures) -> None:
    """Written where it is not there yet."""
    _map(pictures)
    todo = works(pictures)
    tiles, chunks = pictures.top / "limit" / "tiles", pictures.top / "limit" / "chunks"
    for folder, work, encoded in ((tiles, todo["tile"], _jpeg), (chunks, todo["raw"], bytes)):
        if folder.exists():
            continue
        partial = folder.with_name(f"partial-{folder.name}")
        partial.mkdir(parents=True, exist_ok=True)
        for place in work.places:
            ending = ".jpeg" if folder == tiles else ""
            (partial / f"{named(place)}{ending}").write_bytes(encoded(np.ascontiguousarray(work.expected(place))))
        partial.rename(folder)


def named(place: Place) -> str:
    return "_".join(map(str, place))


def _jpeg(pixels: Pixels) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(pixels, level=85))


def _map(pictures: Pictures) -> None:
    """Links to pictures, as large as the world by what lies beside each."""
    folder = pictures.top / "map"
    folder.mkdir(exist_ok=True)
    for name, side in ((SLIDE, pictures.slide.side), (INTERLEAVED, pictures.channels.side)):
        link, step = folder / name, 2 * WORLD / side
        if not link.is_symlink():
            link.symlink_to(pictures.folder / name)
        text = (
            "<PAMDataset><SRS>EPSG:3857</SRS>"
            f"<GeoTransform>{-WORLD!r}, {step!r}, 0, {WORLD!r}, 0, {-step!r}</GeoTransform></PAMDataset>\n"
        )
        (folder / f"{name}.aux.xml").write_text(text, encoding="utf-8")
