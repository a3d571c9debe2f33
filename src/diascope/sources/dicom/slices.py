"""Each frame of a file as a slice: where it lies in the patient, and how its pixels are to be taken.

DICOM PS3.3, C.7.6.2 (Image Plane), C.7.6.16 (functional groups of enhanced objects), C.8.8.3 (doses).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from operator import mul
from typing import Any

import numpy as np

from diascope.errors import Unreadable
from diascope.sources.dicom.frames import Frames
from diascope.sources.dicom.values import integer, items, number, numbers, text, within, words

Numbers = tuple[float, ...]
Window = tuple[float, float]

SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
CENTIMETRES = 3

MOST_FRAMES = 1 << 17
"""A file of more frames, that are no tiles of a slide, is refused."""

SKEW = 1e-3
"""How far directions may be from being orthogonal and of length 1."""

SLICE_VECTOR = "(0054,0080)"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slice:
    """A frame; lengths are millimetres."""

    frames: Frames
    index: int
    position: Numbers = ()
    """Of the centre of the first pixel, to the patient's left, back and head; empty where it is not known."""
    orientation: Numbers = ()
    """The directions of growing columns and of growing rows, three numbers each."""
    spacing: Numbers = ()
    """The distance of rows and of columns."""
    rescale: tuple[float, float] = (1.0, 0.0)
    window: Window | None = None
    """In units of the measured quantity."""
    kind: tuple[str, ...] = ()
    """What tells images of one series from one another: echo, phase, stack."""
    order: Numbers = ()
    """In which slices of the same place follow one another in time."""

    @property
    def normal(self) -> Numbers:
        a, b, c, d, e, f = self.orientation
        return b * f - c * e, c * d - a * f, a * e - b * d

    @property
    def distance(self) -> float:
        """Along the normal."""
        return float(sum(map(mul, self.normal, self.position)))


def slices(frames: Frames) -> list[Slice]:
    """Those of a file, in its order."""
    data = frames.file.data
    shared = within(data, "SharedFunctionalGroupsSequence")
    each = items(data, "PerFrameFunctionalGroupsSequence")
    offsets = numbers(data, "GridFrameOffsetVector", frames.stored.frames)
    if frames.stored.frames > MOST_FRAMES:
        raise Unreadable(f"{frames.stored.frames} frames are over the limit of {MOST_FRAMES}")
    if not each and not offsets:
        alike = _slice(frames, 0, partial(_group, None, shared, data), offsets)
        return [replace(alike, index=k, order=(*alike.order[:-1], k)) for k in range(frames.stored.frames)]
    found = []
    for k in range(frames.stored.frames):
        group = partial(_group, each[k] if k < len(each) else None, shared, data)
        found.append(_slice(frames, k, group, offsets))
    return found


def _group(own: Any, shared: Any, data: Any, keyword: str) -> Any:
    """The functional group of a frame, else of all, else the file: plain objects have the same elements there."""
    for holder in (own, shared):
        if holder is not None and (found := within(holder, keyword)) is not None:
            return found
    return data


def _slice(frames: Frames, k: int, group: Callable[[str], Any], offsets: Numbers) -> Slice:
    plane, measures = group("PlanePositionSequence"), group("PixelMeasuresSequence")
    orientation = numbers(group("PlaneOrientationSequence"), "ImageOrientationPatient", 6)
    position = numbers(plane, "ImagePositionPatient", 3)
    if not _is_orthogonal(orientation):
        orientation = position = ()
    if offsets and position:
        position = tuple(np.add(position, np.cross(orientation[:3], orientation[3:]) * (offsets[k] - offsets[0])))
    elif frames.stored.frames > 1 and plane is frames.file.data:
        # One position cannot be that of all the frames.
        position = ()
    return Slice(
        frames=frames,
        index=k,
        position=position,
        orientation=orientation,
        spacing=_spacing(measures, frames.file.data),
        rescale=_rescale(group("PixelValueTransformationSequence"), frames.file.data),
        window=_window(group("FrameVOILUTSequence")),
        kind=_kind(frames, group),
        order=_order(frames.file.data, group, k),
    )


def _spacing(measures: Any, data: Any) -> Numbers:
    """Of an ultrasound picture that of its region, where it has one only and that is measured in centimetres."""
    for word in SPACINGS:
        found = numbers(measures, word, 2)
        if found and min(found) > 0:
            return found
    regions = items(data, "SequenceOfUltrasoundRegions")
    if len(regions) != 1 or any(integer(regions[0], f"PhysicalUnits{axis}Direction") != CENTIMETRES for axis in "XY"):
        return ()
    found = tuple(abs(number(regions[0], f"PhysicalDelta{axis}") or 0.0) * 10 for axis in "YX")
    return found if min(found) > 0 else ()


def _is_orthogonal(orientation: Numbers) -> bool:
    if not orientation:
        return False
    across, down = orientation[:3], orientation[3:]
    apart = sum(map(mul, across, across)) - 1, sum(map(mul, across, down)), sum(map(mul, down, down)) - 1
    return bool(max(map(abs, apart)) <= SKEW)


def _rescale(data: Any, whole: Any) -> tuple[float, float]:
    slope, intercept = number(data, "RescaleSlope"), number(data, "RescaleIntercept")
    dose = number(whole, "DoseGridScaling")
    return slope or dose or 1.0, intercept or 0.0


def _window(data: Any) -> Window | None:
    """Its ends as C.11.2.1.2 defines them."""
    centre, width = number(data, "WindowCenter"), number(data, "WindowWidth")
    if centre is None or width is None or width < 1:
        return None
    if text(data, "VOILUTFunction") == "LINEAR_EXACT" or width == 1:
        return centre - width / 2, centre + width / 2
    return centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2


def _kind(frames: Frames, group: Callable[[str], Any]) -> tuple[str, ...]:
    data = frames.file.data
    echo = group("MREchoSequence")
    types = words(group("MRImageFrameTypeSequence"), "FrameType") or words(data, "ImageType")
    time = text(echo, "EffectiveEchoTime") or text(data, "EchoTime")
    return ("/".join(types[2:4]), time, text(data, "EchoNumbers"), text(group("FrameContentSequence"), "StackID"))


def _order(data: Any, group: Callable[[str], Any], k: int) -> Numbers:
    content = group("FrameContentSequence")
    temporal = number(content, "TemporalPositionIndex") or number(data, "TemporalPositionIdentifier") or 0.0
    trigger = number(data, "TriggerTime") or 0.0
    return temporal, integer(data, "AcquisitionNumber"), trigger, integer(data, "InstanceNumber"), k
