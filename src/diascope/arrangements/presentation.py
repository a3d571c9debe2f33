"""IIIF Presentation 3.0 manifests (https://iiif.io/api/presentation/3.0/) of folders and of the planes of an image.

``{folder}/iiif-manifest.json`` shows each image of the folder on a canvas (clause 5.3), ``{image}/iiif-manifest.json``
each plane and time point of the image, or each image of a file that has several. Their pictures are the image in the
layout ``iiif`` under the view ``original`` or ``render``. Manifests are served, not listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice, product
from typing import Any, NamedTuple
from urllib.parse import quote

from diascope.catalogue.address import Found, found, is_single, scene
from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.repository import Opened, Place, Repository
from diascope.errors import DiascopeError, NotFound
from diascope.image.image import Image
from diascope.layouts.iiif_request import Size, request
from diascope.layouts.picture import refusal
from diascope.operations.view import ORIGINAL
from diascope.stores.http import SAFE
from diascope.tree.file import File, json_file, whole

CONTEXT = "http://iiif.io/api/presentation/3/context.json"
MEDIA_TYPE = f'application/ld+json;profile="{CONTEXT}"'
MANIFEST = "iiif-manifest.json"
"""A name that no image and no view has; a stored file of this name comes first."""

MOST_IMAGES = 1000
"""How many images of a folder are opened for a manifest."""
MOST_PLANES = 10_000
"""How many planes of an image a manifest has."""
THUMBNAIL = 200


class Shown(NamedTuple):
    """What a canvas shows."""

    label: str
    address: str
    """Of the picture in the layout ``iiif``, relative to the manifest."""
    size: Size


class Contents(NamedTuple):
    """What a manifest shows, and what it has to say of the rest."""

    label: str
    shown: list[Shown]
    notes: dict[str, list[str]]


def manifest(catalogue: Catalogue, path: str) -> File | None:
    """The manifest at this path, None where its last name is another or it lies in nothing that can be shown."""
    above, _, name = path.rpartition("/")
    place = found(catalogue, above) if name == MANIFEST and above else None
    if place is None or place.place.what == "file" or not _is_image(place):
        return None

    def located(url: str) -> File:
        base = url.rpartition("/")[0]
        return whole(lambda: json_file(document(url, base, _contents(place))).read(0, None), MEDIA_TYPE)

    return replace(located(MANIFEST), located=located)


def _is_image(place: Found) -> bool:
    """Whether the place is a folder, a file of several images, or one image."""
    if place.place.what == "folder" or not place.rest:
        return True
    within = scene(place.repository.opened(place.place), place.rest)
    return within is not None and not within.rest


def _contents(place: Found) -> Contents:
    repository, where = place.repository, place.place
    if where.what == "folder":
        return _of_folder(repository, where)
    opened = repository.opened(where)
    name = where.path.rpartition("/")[2]
    if not place.rest and not is_single(opened.dataset):
        return _limited(name, _scenes(opened, ""), {}, MOST_IMAGES)
    within = scene(opened, place.rest)
    return _limited(place.rest or name, planes(within.image) if within else [], {}, MOST_PLANES)


def _of_folder(repository: Repository, folder: Place) -> Contents:
    notes: dict[str, list[str]] = {}

    def shown() -> Iterator[Shown]:
        for listed in repository.listed(folder.path):
            # A listing tells from the name alone what lies there.
            place = repository.place(listed.path) if listed.what == "image" else None
            if place and place.what == "image":
                name = place.path.rpartition("/")[2]
                try:
                    # Sizes are part of a manifest, so every image has to be opened; one that cannot be hides no other.
                    yield from list(_scenes(repository.opened(place), name))
                except DiascopeError as error:
                    notes.setdefault("Unreadable", []).append(str(error))

    return _limited(folder.path.rpartition("/")[2] or repository.name, shown(), notes, MOST_IMAGES)


def _limited(label: str, shown: Iterable[Shown], notes: dict[str, list[str]], most: int) -> Contents:
    kept = list(islice(shown, most + 1))
    if len(kept) > most:
        notes["Incomplete"] = [f"Only the first {most} are shown."]
    if not kept:
        raise NotFound(". ".join([f"there is no image to show in {label!r}", *chain(*notes.values())])[:1000])
    return Contents(label, kept[:most], notes)


def _scenes(opened: Opened, name: str) -> Iterator[Shown]:
    """Every image of a file, seen from the folder of a manifest in which it has this name."""
    for key, image in opened.dataset.images.items():
        path = "/".join(filter(None, [name, "" if is_single(opened.dataset) else key]))
        yield _shown(path or image.name, path, ORIGINAL if refusal(image) is None else "render", image)


def planes(image: Image) -> Iterator[Shown]:
    """Every plane of every time point, or the picture that the image is."""
    if refusal(image) is None:
        yield _shown(image.name, "", ORIGINAL, image)
        return
    for t, z in product(range(image.size("t")), range(image.size("z"))):
        at = {name: index for name, index in (("z", z), ("t", t)) if image.size(name) > 1}
        label = ", ".join(f"{name} {index}" for name, index in at.items())
        view = ",".join(["render", *(f"{name}={index}" for name, index in at.items())])
        yield _shown(label or image.name, "", view, image)


def _shown(label: str, path: str, view: str, image: Image) -> Shown:
    address = "/".join(filter(None, [path, view, f"{image.name}.iiif"]))
    return Shown(label, address, Size(image.size("x"), image.size("y")))


def document(url: str, base: str, contents: Contents) -> dict[str, Any]:
    """The manifest at a URL, whose pictures lie below the URL ``base``."""
    return {
        "@context": CONTEXT,
        "id": url,
        "type": "Manifest",
        "label": {"none": [contents.label]},
        "metadata": [{"label": {"en": [key]}, "value": {"none": texts}} for key, texts in contents.notes.items()],
        "items": [
            canvas(f"{url}/canvas/{k}", f"{base}/{quote(each.address, safe=SAFE)}", each)
            for k, each in enumerate(contents.shown)
        ],
    }


def canvas(identifier: str, service: str, shown: Shown) -> dict[str, Any]:
    """A canvas of the size of the picture, painted with all of it (clauses 5.3, 5.5 and 5.6)."""
    width, height = shown.size
    annotation = {
        "id": f"{identifier}/picture",
        "type": "Annotation",
        "motivation": "painting",
        "body": _picture(service, shown.size, "max"),
        "target": identifier,
    }
    small = f"!{THUMBNAIL},{THUMBNAIL}" if max(shown.size) > THUMBNAIL else "max"
    return {
        "id": identifier,
        "type": "Canvas",
        "label": {"none": [shown.label]},
        "width": width,
        "height": height,
        "thumbnail": [_picture(service, shown.size, small)],
        "items": [{"id": f"{identifier}/page", "type": "AnnotationPage", "items": [annotation]}],
    }


def _picture(service: str, whole_picture: Size, size: str) -> dict[str, Any]:
    sent = request(whole_picture, "full", size, "0", "default.jpg").size
    return {
        "id": f"{service}/full/{size if size == 'max' else f'{sent.width},{sent.height}'}/0/default.jpg",
        "type": "Image",
        "format": "image/jpeg",
        "width": sent.width,
        "height": sent.height,
        "service": [{"id": service, "type": "ImageService3", "profile": "level2"}],
    }
