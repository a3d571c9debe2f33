"""Judges of IIIF: the Image API and the manifests."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import httpx
import numpy as np
from PIL import Image as Pillow

from diascope.image.image import Image
from diascope.image.order import moved
from diascope.layouts.picture import refusal
from diascope.tree.file import Entry, File, Tree
from tests.conformance.records import Judge, Representation, Served, Twin
from tests.conformance.twins import edited
from tests.judges import iiif_manifest, iiif_validator
from tests.judges.pixels import Rejected, Seen, counted, same, told

SERVICE = Representation(name="IIIF Image 3", layout="iiif", paths=("{file}/{view}/{stem}.iiif",))
SERVICE_2 = Representation(name="IIIF Image 2", layout="iiif-2", paths=("{file}/{view}/{stem}.iiif2",))
MANIFEST = Representation(name="IIIF manifest", layout="iiif", paths=("{file}/iiif-manifest.json",))
REPRESENTATIONS = (SERVICE, SERVICE_2, MANIFEST)


@dataclass(frozen=True)
class Redirected:
    """A tree in which the file at a path is another one's."""

    tree: Tree
    pattern: str
    other: str

    def file(self, path: str) -> File | None:
        return self.tree.file(re.sub(self.pattern, self.other, path))

    def entries(self, path: str) -> Iterator[Entry] | None:
        return self.tree.entries(path)


def _redirected(name: str, pattern: str, other: str) -> Twin:
    return Twin(name=name, broken=lambda tree: Redirected(tree, pattern, other))


def by_pillow(served: Served) -> Seen:
    image = served.image
    plane = moved(image[...], image.axis_names, "yxc" if image.kind == "rgb" else "yx")
    width, height = image.size("x"), image.size("y")
    regions = ("full", f"20,30,{width // 2},{height // 3}", f"2{width // 50},{height // 2},{width},{height}")
    return told(same(_fetched(served.where, region), _cut(plane, region), region) for region in regions)


def _cut(plane: np.ndarray, region: str) -> np.ndarray:
    if region == "full":
        return plane
    x, y, width, height = map(int, region.split(","))
    return plane[y : y + height, x : x + width]


def _fetched(where: str, region: str) -> np.ndarray:
    answer = httpx.get(f"{where}/{region}/max/0/default.png", timeout=60)
    if answer.status_code != httpx.codes.OK:
        raise Rejected(f"{region} answered {answer.status_code}")
    return np.asarray(Pillow.open(io.BytesIO(answer.content)))


def by_validator(served: Served, version: str = "3.0", tests: int = iiif_validator.TESTS) -> Seen:
    host, prefix = served.where.removeprefix("http://").split("/", 1)
    verdict = iiif_validator.validated(f"http://{host}", prefix.rpartition("/")[0], version)
    if verdict.failed:
        raise Rejected(f"failed: {', '.join(sorted(verdict.failed))}")
    counted(verdict.tests, tests, "tests")
    return Counter(tests=verdict.tests)


def by_allmaps(served: Served) -> Seen:
    answer = httpx.get(served.where, timeout=60)
    if answer.status_code != httpx.codes.OK:
        raise Rejected(f"it answered {answer.status_code}")
    understood = iiif_manifest.parsed(answer.json())
    image = served.original
    planes = 1 if refusal(image) is None else image.size("t") * image.size("z")
    counted(len(understood["canvases"]), planes, "canvases")
    for canvas in understood["canvases"]:
        if (canvas["width"], canvas["height"]) != (image.size("x"), image.size("y")):
            raise Rejected(f"{canvas['label']} has the size {canvas['width']} x {canvas['height']}")
        info = httpx.get(f"{canvas['service']}/info.json", timeout=60).json()
        counted(info["width"], image.size("x"), "columns")
    return Counter(canvases=planes)


def _is_known(image: Image) -> bool:
    return image.name == iiif_validator.IDENTIFIER


TURNED = _redirected("turned", r"(\.iiif2?/.*)/0/", r"\1/180/")

JUDGES = (
    Judge(
        name="Pillow",
        representations=(SERVICE.name, SERVICE_2.name),
        doors=("HTTP",),
        look=by_pillow,
        twins=(
            _redirected("shifted regions", r"(\.iiif2?)/2\d+,", r"\1/10,"),
            TURNED,
        ),
    ),
    Judge(
        name="iiif-validator",
        representations=(SERVICE.name,),
        doors=("HTTP",),
        look=by_validator,
        twins=(
            _redirected("turned the other way", "/90/", "/270/"),
            edited("other id", r"/info\.json$", lambda info: info.update(id=f"{info['id']}/elsewhere")),
        ),
        takes=_is_known,
        missing=iiif_validator.missing,
    ),
    Judge(
        name="iiif-validator",
        representations=(SERVICE_2.name,),
        doors=("HTTP",),
        look=partial(by_validator, version="2.0", tests=iiif_validator.TESTS_2),
        twins=(
            _redirected("turned the other way", "/90/", "/270/"),
            edited("other id", r"/info\.json$", lambda info: info.update({"@id": f"{info['@id']}/elsewhere"})),
        ),
        takes=_is_known,
        missing=iiif_validator.missing,
    ),
    Judge(
        name="@allmaps/iiif-parser",
        representations=(MANIFEST.name,),
        doors=("HTTP",),
        look=by_allmaps,
        twins=(
            edited("text for a label", "manifest", lambda document: document.update(label="stack")),
            edited("no height", "manifest", lambda document: document["items"][0].pop("height")),
            edited("no such type", "manifest", lambda document: document["items"][0].update(type="Kanvas")),
        ),
        missing=iiif_manifest.missing,
    ),
)
