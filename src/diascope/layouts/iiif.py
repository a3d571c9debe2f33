"""IIIF Image API 3.0, level 2 (https://iiif.io/api/image/3.0/), of a picture; ``{stem}.iiif`` is the identifier."""

from __future__ import annotations

from typing import Any

from diascope.image.image import Image
from diascope.layouts.iiif_request import MAX_AREA, MAX_SIDE, QUALITIES, request
from diascope.layouts.iiif_service import EXAMPLES, Version, offered, picture_size, service
from diascope.layouts.layout import Layout
from diascope.layouts.picture import refusal

CONTEXT = "http://iiif.io/api/image/3/context.json"
MEDIA_TYPE = f'application/ld+json;profile="{CONTEXT}"'
"""Clause 5.1; served whatever the request accepts, which the clause allows."""


def description(image: Image, identifier: str) -> dict[str, Any]:
    """The Image Information document (clause 5)."""
    return {
        "@context": CONTEXT,
        "id": identifier,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        **picture_size(image)._asdict(),
        "maxWidth": MAX_SIDE,
        "maxHeight": MAX_SIDE,
        "maxArea": MAX_AREA,
        **offered(image),
        "extraFormats": ["webp"],
        "extraQualities": list(QUALITIES[1:]),
        "extraFeatures": ["mirroring", "sizeUpscaling"],
    }


VERSION = Version(suffix=".iiif", media_type=MEDIA_TYPE, description=description, request=request)

layout = Layout(
    name="iiif",
    title="IIIF Image API 3.0",
    suffix=VERSION.suffix,
    is_folder=True,
    refuses=refusal,
    tree=lambda image: service(image, VERSION),
    examples=(*EXAMPLES, "/pct:0,0,100,50/^7,9/180/color.webp"),
    steps={
        "OpenSeadragon": 'OpenSeadragon({id: "viewer", tileSources: "{url}info.json"})',
        "Browser": "{url}full/max/0/default.jpg",
    },
    picture=True,
)
