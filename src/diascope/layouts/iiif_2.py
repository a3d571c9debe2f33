"""IIIF Image API 2.1.1, level 2 (https://iiif.io/api/image/2.1/), of a picture; ``{stem}.iiif2`` is the identifier.

Its addresses are those of 3.0 but for sizes: any may be larger than the region, without a ``^``, and ``full`` is that
of the region (clause 4.2).
"""

from __future__ import annotations

from typing import Any

from diascope.image.image import Image
from diascope.layouts import iiif_request
from diascope.layouts.iiif_request import MAX_AREA, MAX_SIDE, QUALITIES, Request, Size
from diascope.layouts.iiif_service import EXAMPLES, Version, offered, picture_size, service
from diascope.layouts.layout import Layout
from diascope.layouts.picture import refusal

CONTEXT = "http://iiif.io/api/image/2/context.json"
MEDIA_TYPE = "application/ld+json"
"""Clause 5, for whoever asks for it; served whatever the request accepts."""


def request(picture: Size, region: str, size: str, rotation: str, name: str) -> Request:
    """The request that the four segments of an address spell; raises as that of 3.0 does."""
    if size == "full":
        size = "pct:100"
    # The largest size is never larger than the region (clause 4.2).
    return iiif_request.request(picture, region, size, rotation, name, free=size != "max")


def description(image: Image, identifier: str) -> dict[str, Any]:
    """The Image Information document (clause 5)."""
    return {
        "@context": CONTEXT,
        "@id": identifier,
        "protocol": "http://iiif.io/api/image",
        **picture_size(image)._asdict(),
        **offered(image),
        "profile": [
            f"{CONTEXT.rpartition('/')[0]}/level2.json",
            {
                "formats": ["webp"],
                "qualities": list(QUALITIES[1:]),
                "supports": ["mirroring", "regionSquare", "sizeAboveFull"],
                "maxWidth": MAX_SIDE,
                "maxHeight": MAX_SIDE,
                "maxArea": MAX_AREA,
            },
        ],
    }


VERSION = Version(suffix=".iiif2", media_type=MEDIA_TYPE, description=description, request=request)

layout = Layout(
    name="iiif-2",
    title="IIIF Image API 2.1",
    suffix=VERSION.suffix,
    is_folder=True,
    refuses=refusal,
    tree=lambda image: service(image, VERSION),
    examples=(*EXAMPLES, "/pct:0,0,100,50/7,9/180/color.webp", "/full/full/0/default.jpg"),
    steps={
        "OpenSeadragon": 'OpenSeadragon({id: "viewer", tileSources: "{url}info.json"})',
        "Browser": "{url}full/max/0/default.jpg",
    },
    picture=True,
)
