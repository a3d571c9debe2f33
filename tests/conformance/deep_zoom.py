"""Judges of Deep Zoom."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import httpx

from diascope.image.image import Image
from tests.conformance.lossy import is_smooth
from tests.conformance.records import Judge, Representation, Served
from tests.conformance.twins import lost, replaced
from tests.judges import deep_zoom
from tests.judges.pixels import Rejected, Seen, counted, near, same, told

JPEG, PNG = (
    Representation(
        name=f"Deep Zoom {name}",
        layout="dzi",
        paths=(f"{{file}}/{{view}}/{{stem}}{flavour}.dzi", f"{{file}}/{{view}}/{{stem}}{flavour}_files"),
    )
    for name, flavour in (("JPEG", ""), ("PNG", ".png"))
)
REPRESENTATIONS = (JPEG, PNG)


def _has_tiles(image: Image) -> bool:
    """More than one, of whatever size."""
    return max(image.shape[-2:]) > 512


TWINS = (
    lost("lost tiles", r"_files/\d+/0_0\.\w+$"),
    replace(replaced("wrong overlap", r"\.dzi$", b'Overlap="', b'Overlap="1'), applies=_has_tiles),
    replaced("wrong width", r"\.dzi$", b'Width="', b'Width="1'),
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
        levels = deep_zoom.assembled(partial(_fetched, client), served.where.removesuffix(".dzi"))
    wanted = deep_zoom.expected(served.image)
    counted(len(levels), len(wanted), "levels")
    if served.where.endswith(".png.dzi"):
        return told(same(a, b, f"level {k}") for k, (a, b) in enumerate(zip(levels, wanted, strict=True)))
    large = [(a, b) for a, b in zip(levels, wanted, strict=True) if min(a.shape[:2]) >= 64]
    return told(near(a, b, f"the level of {a.shape}") for a, b in large)


JUDGES = (
    Judge(name="Pillow", representations=(PNG.name,), doors=("HTTP", "files"), look=by_pillow, twins=TWINS),
    Judge(
        name="Pillow",
        representations=(JPEG.name,),
        doors=("HTTP", "files"),
        look=by_pillow,
        twins=TWINS,
        takes=is_smooth,
    ),
)
