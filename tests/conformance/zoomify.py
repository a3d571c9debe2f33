"""Judges of Zoomify."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import httpx

from diascope.image.image import Image
from tests.conformance.lossy import is_smooth
from tests.conformance.records import Judge, Representation, Served
from tests.conformance.twins import lost, replaced
from tests.judges import chromium, zoomify
from tests.judges.deep_zoom import expected
from tests.judges.pixels import LOSSY, Rejected, Seen, near, told

ZOOMIFY = Representation(name="Zoomify", layout="zoomify", paths=("{file}/{view}/{stem}.zoomify",))
REPRESENTATIONS = (ZOOMIFY,)

LARGEST = 1000
"""The longest side that the screen has place for."""

LAST_TILES = r"-0-0\.jpg$"
TWINS = (
    lost("lost tiles", LAST_TILES),
    replaced("wrong width", r"\.xml$", b'WIDTH="', b'WIDTH="1'),
)


def _fetched(client: httpx.Client, where: str) -> bytes:
    if not where.startswith("http://"):
        return Path(where).read_bytes()
    answer = client.get(where)
    if answer.status_code != httpx.codes.OK:
        raise Rejected(f"{where} answered {answer.status_code}")
    return answer.content


def by_pillow(served: Served) -> Seen:
    with httpx.Client(timeout=60) as client:
        tiers = zoomify.assembled(partial(_fetched, client), served.where)
    wanted = [plane[..., :3] for plane in expected(served.image)[-len(tiers) :]]
    return told(near(a, b, f"the tier of {b.shape}") for a, b in zip(tiers, wanted, strict=True))


def by_openseadragon(served: Served) -> Seen:
    """It is told the size, which it cannot read itself."""
    properties = httpx.get(f"{served.where}/ImageProperties.xml").raise_for_status().content
    width, height, side, _ = zoomify.properties(properties)
    source = {"type": "zoomifytileservice", "width": width, "height": height, "tileSize": side}
    wanted = expected(served.image)[-1][..., :3]
    seen = chromium.seen_by_openseadragon({**source, "tilesUrl": f"{served.where}/"}, wanted.shape[:2])
    return told([near(seen, wanted, "the screen", LOSSY)])


def _fits_smoothly(image: Image) -> bool:
    return is_smooth(image) and max(image.shape[-2:]) <= LARGEST


JUDGES = (
    Judge(
        name="Pillow",
        representations=(ZOOMIFY.name,),
        doors=("HTTP", "files"),
        look=by_pillow,
        twins=TWINS,
        takes=is_smooth,
    ),
    Judge(
        name="OpenSeadragon",
        representations=(ZOOMIFY.name,),
        doors=("HTTP",),
        look=by_openseadragon,
        twins=TWINS,
        takes=_fits_smoothly,
        missing=chromium.missing,
        slow=True,
    ),
)
