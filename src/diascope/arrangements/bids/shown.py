"""How an image of the dataset is shown: where its bytes are, its extension, and its sidecar.

The virtual size decides an extension: ``.ome.tif`` is a classic TIFF and ``.ome.btf`` a BigTIFF. A pyramid stays whole:
its coarser levels are in the one file, as no raw data of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diascope.arrangements.bids.findings import Finding, error
from diascope.arrangements.bids.mapping import Derivative, Format
from diascope.arrangements.bids.names import ANAT, MICR, PHOTO, Suffix
from diascope.arrangements.bids.plan import Plan, Planned
from diascope.arrangements.bids.sidecar import (
    PIXEL_SIZE,
    PIXEL_SIZE_UNITS,
    THICKNESS,
    calibration,
    differs,
    pixel_size,
    sidecar,
    trouble,
)
from diascope.arrangements.contents import Link
from diascope.arrangements.seen import Seen
from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.image.units import METRES
from diascope.layouts.iiif_request import MAX_AREA, MAX_SIDE
from diascope.layouts.ome_tiff import is_big
from diascope.operations.view import ORIGINAL
from diascope.registry import registry

LAYOUTS: Mapping[Format, str] = {
    "ome-tiff": "ome-tiff", "ome-zarr": "ome-zarr", "png": "iiif", "nifti": "nifti", "nifti-gz": "nifti-gz",
}  # fmt: skip
PNG = ".iiif/full/max/0/default.png"
EXTENSIONS: Mapping[Format, str] = {
    "ome-tiff": ".ome.tif", "ome-zarr": ".ome.zarr", "png": ".png", "nifti": ".nii", "nifti-gz": ".nii.gz",
}  # fmt: skip
BIG = ".ome.btf"
STORED = {
    ".ome.tif": ".ome.tif", ".ome.tiff": ".ome.tif", ".ome.btf": BIG, ".ome.zarr": ".ome.zarr", ".nii.gz": ".nii.gz",
    ".nii": ".nii", ".png": ".png", ".tif": ".tif", ".tiff": ".tif", ".jpg": ".jpg", ".jpeg": ".jpg",
}  # fmt: skip
"""The extensions that files as they lie have in a dataset, by the end of their name."""
ALLOWED: Mapping[str, frozenset[str]] = {
    MICR: frozenset({".ome.tif", BIG, ".ome.zarr", ".png", ".tif"}),
    ANAT: frozenset({".nii", ".nii.gz"}),
    PHOTO: frozenset({".jpg", ".png", ".tif"}),
}
BIG_TIFF = 43
SOLID = "T1w"
"""Has three dimensions."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An image of the dataset, or of a derivative."""

    link: Link
    extension: str
    sidecar: dict[str, Any]
    findings: tuple[Finding, ...] = field(default=())


def raw(seen: Seen, plan: Plan, planned: Planned) -> Shown:
    """The image itself, with distances of pixels where the mapping has them and it has none.

    Raises a DiascopeError where it cannot be shown.
    """
    path, image = _opened(seen, plan, planned)
    steps = calibration(image, planned.metadata, planned.kind) or ORIGINAL
    format_ = planned.rule.format or _usual(planned, image)
    if format_ == "png" and planned.path.lower().endswith(".png"):
        format_ = "stored"
    if format_ == "stored":
        steps = ORIGINAL
    viewed = seen.view(plan.repository, steps).applied(image)
    link, extension = _linked(seen, planned, viewed, Link(path, view=steps), format_)
    document = sidecar(viewed, planned.metadata, planned.kind)
    told = [*trouble(document, planned.kind), differs(image, planned.metadata), _flat(document, extension)]
    return Shown(link, extension, document, tuple(wrong(plan, planned, each) for each in told if each))


def derived(seen: Seen, plan: Plan, planned: Planned, raw_: Shown, spec: Derivative) -> Shown:
    """The image under the view of a derivative; raises a DiascopeError where it cannot be shown."""
    path, image = _opened(seen, plan, planned)
    before = calibration(image, planned.metadata, planned.kind)
    steps = f"{before}~{spec.view}" if before else spec.view
    viewed = seen.image(path, steps)
    format_ = spec.format or (planned.rule.format if planned.rule.format != "stored" else None) or _plain(planned.kind)
    if format_ == "stored":
        raise Unsupported(f"{planned.path}: a view is not stored: name another format")
    link, extension = _linked(seen, planned, viewed, Link(path, view=steps), format_)
    kept = {key: value for key, value in planned.metadata.items() if key not in (PIXEL_SIZE, PIXEL_SIZE_UNITS)}
    document = {
        "Description": f"The view {spec.view} of the raw image.",
        "Sources": [f"bids:raw:{planned.stem}{raw_.extension}"],
        "Resolution": _resolution(viewed),
        **kept,
        **spec.metadata,
    }
    whole = sidecar(viewed, document, planned.kind)
    told = trouble(whole, planned.kind, derivative=True)
    return Shown(link, extension, whole, tuple(wrong(plan, planned, each) for each in told))


def _opened(seen: Seen, plan: Plan, planned: Planned) -> tuple[str, Image]:
    scene = f"/{planned.rule.scene}" if planned.rule.scene else ""
    path = f"{plan.repository.name}/{planned.path}{scene}"
    return path, seen.image(path)


def _plain(kind: Suffix) -> Format:
    if kind.name == PHOTO:
        return "stored"
    return "ome-tiff" if kind.datatype == MICR else "nifti"


def _usual(planned: Planned, image: Image) -> Format:
    """The format of a rule that names none: NIfTI files are passed on as they lie where BIDS takes them so."""
    format_ = _plain(planned.kind)
    if format_ == "nifti" and planned.path.lower().endswith((".nii", ".nii.gz")):
        dimensions = image.metadata.extra.get("dim") or (0,)
        return "stored" if planned.kind.name != SOLID or dimensions[0] == 3 else format_
    return format_


def _linked(seen: Seen, planned: Planned, image: Image, link: Link, format_: Format) -> tuple[Link, str]:
    """The link of an image in a format, and the extension; raises where the format or BIDS cannot have it."""
    if format_ == "stored":
        return _stored(seen, planned, link)
    layout = registry("layouts")[LAYOUTS[format_]]
    extension = EXTENSIONS[format_]
    _refuse(planned, image, format_, extension)
    if reason := layout.refuses(image):
        raise Unsupported(f"{planned.path}: {reason}")
    if format_ == "ome-tiff" and is_big(image):
        extension = BIG
    suffix = PNG if format_ == "png" else layout.suffix
    folder = layout.is_folder and format_ != "png"
    return Link(link.path, link.view, layout.name, suffix, folder, _origin(planned)), extension


def _refuse(planned: Planned, image: Image, format_: Format, extension: str) -> None:
    kind = planned.kind
    if extension not in ALLOWED[PHOTO if kind.name == PHOTO else kind.datatype]:
        raise Unsupported(f"{planned.path}: an image _{kind.name} of BIDS cannot be {format_}")
    if kind.name == SOLID and (image.size("t") > 1 or image.size("c") > 1):
        raise Unsupported(f"{planned.path}: _{SOLID} has three dimensions, and this image has {image.axis_names}")
    if format_ == "png":
        width, height = image.size("x"), image.size("y")
        if max(width, height) > MAX_SIDE or width * height > MAX_AREA or image.size("z") * image.size("t") > 1:
            raise Unsupported(f"{planned.path}: {width} x {height} pixels are too large for a PNG, or not one plane")


def _stored(seen: Seen, planned: Planned, link: Link) -> tuple[Link, str]:
    name = planned.path.lower()
    ending = max((each for each in STORED if name.endswith(each)), key=len, default="")
    extension = STORED.get(ending, "")
    if extension not in ALLOWED[PHOTO if planned.kind.name == PHOTO else planned.kind.datatype]:
        raise Unsupported(f"{planned.path}: no file _{planned.kind.name} of BIDS ends so: name another format")
    file = link.path.removesuffix(f"/{planned.rule.scene}") if planned.rule.scene else link.path
    found = Link(file, is_folder=extension == ".ome.zarr", origin=_origin(planned))
    if extension in (".ome.tif", BIG):
        head = seen.file(found).read(0, 4)
        version = int.from_bytes(head[2:4], "little" if head[:2] == b"II" else "big")
        extension = BIG if version == BIG_TIFF else ".ome.tif"
    return found, extension


def _origin(planned: Planned) -> str:
    return f"the rule in line {planned.line}"


def _flat(document: Mapping[str, Any], extension: str) -> str | None:
    """The official validator finds every OME-TIFF wrong that says nothing of z."""
    if extension not in (".ome.tif", BIG) or len(document.get(PIXEL_SIZE, ())) != 2:
        return None
    return f"the validator wants PixelSize along z too: give {THICKNESS} in micrometres, or format: ome-zarr"


def _resolution(image: Image) -> str:
    """How fine the pixels are, in words."""
    if own := pixel_size(image):
        return f"{' x '.join(f'{size:g}' for size in own[0])} {own[1]}"
    scales = {axis.name: scale for axis, scale in zip(image.axes, image.levels[0].scale, strict=True)}
    known = [axis for axis in image.axes if axis.type == "space" and axis.unit in METRES]
    return " x ".join(f"{scales[axis.name]:g} {axis.unit}" for axis in reversed(known)) or "That of the raw image."


def wrong(plan: Plan, planned: Planned, reason: object) -> Finding:
    """An error of an image, with the place of the rule that wants it."""
    told = str(reason).removeprefix(f"{planned.path}: ")
    return error(planned.path, None, f"{told} ({plan.written.name}:{planned.line})")
