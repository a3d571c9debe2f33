"""Slices put together: which of them make a volume, in which order, and where it lies in the patient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diascope.sources.dicom.slices import SLICE_VECTOR, Slice
from diascope.sources.dicom.values import number, numbers, text, words

SAME = 0.005
"""Millimetres: slices that are closer lie at one place."""

EVEN = 0.05
"""How far a slice may lie from where even distances would have it, as a share of the distance."""

TILT = 1e-3
"""Radians: slices shifted more than this against the normal are told of."""

VOLUMES = frozenset({"CT", "MR", "PT", "NM", "RTDOSE"})
"""Modalities whose files without positions are slices all the same."""

FRAME_TIME = "FrameTime"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """The slices of one image."""

    slices: tuple[tuple[Slice, ...], ...]
    """By time, and by place."""
    names: str
    """Of the axes t and z those that it has."""
    step: float = 1.0
    """The distance of slices in millimetres."""
    interval: float | None = None
    """The distance of time points in seconds."""
    matrix: NDArray[np.float64] | None = None
    """From x, y and z in millimetres to the patient's right, front and head; None where no matrix is true."""
    told: dict[str, Any] = field(default_factory=dict)
    """What is unusual about its geometry."""

    @property
    def first(self) -> Slice:
        return self.slices[0][0]


def stacks(slices: Sequence[Slice]) -> list[Stack]:
    """The images that the slices of one series make; each slice is in one of them."""
    groups: dict[Hashable, list[Slice]] = defaultdict(list)
    for each in slices:
        groups[_key(each)].append(each)
    whole = [group for group in groups.values() if len(group) > 1]
    return [stack for group in [*whole, *_joined([group[0] for group in groups.values() if len(group) == 1])]
            for stack in _stacked(group)]  # fmt: skip


def _key(each: Slice) -> Hashable:
    """What slices of one image have in common; files without positions are images by themselves, but for volumes."""
    found = each.frames.stored
    same = (found.shape, found.dtype.str, found.photometric, found.used, each.kind)
    if each.position:
        return (*same, tuple(np.round(each.orientation, 2) + 0.0), tuple(np.round(each.spacing, 4)))
    data = each.frames.file.data
    is_slice = found.frames == 1 and text(data, "Modality") in VOLUMES
    return (*same, "" if is_slice else each.frames.file.path)


def _joined(lone: list[Slice]) -> list[list[Slice]]:
    """Views of one shape that turn around the patient are shown one after another, others each by itself."""
    alike: dict[Hashable, list[Slice]] = defaultdict(list)
    for each in lone:
        alike[_key(each)[:5] if each.position else each].append(each)  # type: ignore[index]
    return list(alike.values())


def _stacked(group: list[Slice]) -> list[Stack]:
    group = sorted(group, key=lambda each: each.order)
    if len(group) == 1:
        return [Stack(slices=((group[0],),), names="", matrix=_matrix(group[0], None))]
    if not all(each.position for each in group):
        return [_unplaced(group)]
    if not _parallel(group):
        return [_in_turn(group, {"orientations": "differ from slice to slice"})]
    places = _by_place(group)
    counts = {len(place) for place in places}
    if len(counts) > 1:
        return _by_acquisition(group)
    times = tuple(zip(*places, strict=True))
    return [_placed(times)]


def _parallel(group: list[Slice]) -> bool:
    first = np.array(group[0].orientation)
    return np.allclose([each.orientation for each in group], first, atol=0.02)


def _unplaced(group: list[Slice]) -> Stack:
    """In the order of their numbers: along z where the file says that frames are slices, else in time."""
    data = group[0].frames.file.data
    pointer = [str(each) for each in words(data, "FrameIncrementPointer")]
    if group[0].frames.stored.frames == 1 or SLICE_VECTOR in pointer:
        step = number(data, "SpacingBetweenSlices") or number(data, "SliceThickness") or 1.0
        return Stack(slices=(tuple(group),), names="z", step=abs(step) or 1.0, told={"positions": "unknown"})
    return _in_turn(group, {})


def _in_turn(group: list[Slice], told: dict[str, Any]) -> Stack:
    return Stack(slices=tuple((each,) for each in group), names="t", interval=_interval(group), told=told)


def _interval(group: list[Slice]) -> float | None:
    """Seconds between frames, which DICOM tells in milliseconds."""
    data = group[0].frames.file.data
    steps = numbers(data, "FrameTimeVector")[1:]
    time = number(data, FRAME_TIME) or (sum(steps) / len(steps) if steps else 0.0)
    return time / 1000 if time > 0 and group[0].frames.stored.frames > 1 else None


def _by_place(group: list[Slice]) -> list[list[Slice]]:
    """Those that lie at one place, along the normal."""
    places: list[list[Slice]] = []
    first = 0.0
    for distance, _, each in sorted(((each.distance, each.order, each) for each in group), key=itemgetter(0, 1)):
        if places and distance - first < SAME:
            places[-1].append(each)
        else:
            places.append([each])
            first = distance
    return [sorted(place, key=lambda each: each.order) for place in places]


def _by_acquisition(group: list[Slice]) -> list[Stack]:
    """Places seen unequally often are taken apart by the number of their acquisition, or else shown in turn."""
    parts: dict[float, list[Slice]] = defaultdict(list)
    for each in group:
        parts[each.order[1]].append(each)
    if len(parts) == 1:
        return [_in_turn(group, {"places": "are seen unequally often"})]
    return [stack for part in parts.values() for stack in _stacked(part)]


def _placed(times: tuple[tuple[Slice, ...], ...]) -> Stack:
    names = ("t" if len(times) > 1 else "") + ("z" if len(times[0]) > 1 else "")
    one = times[0]
    positions = np.array([each.position for each in one])
    if len(one) == 1:
        return Stack(slices=times, names=names, matrix=_matrix(one[0], None), interval=_triggered(times))
    vector = (positions[-1] - positions[0]) / (len(one) - 1)
    step = float(np.linalg.norm(vector))
    told = _geometry(one, positions, vector, step)
    matrix = None if "positions" in told else _matrix(one[0], vector / step)
    return Stack(slices=times, names=names, step=step, matrix=matrix, told=told, interval=_triggered(times))


def _triggered(times: tuple[tuple[Slice, ...], ...]) -> float | None:
    """Seconds between the triggers of time points that follow one another evenly."""
    triggers = np.array([each[0].order[2] for each in times])
    if len(triggers) < 2:
        return None
    steps = np.diff(triggers)
    mean = float(steps.mean())
    return mean / 1000 if mean > 0 and np.allclose(steps, mean, rtol=EVEN) else None


def _geometry(one: tuple[Slice, ...], positions: Any, vector: Any, step: float) -> dict[str, Any]:
    """What is unusual: slices that are missing or lie unevenly, and a tilted gantry."""
    told: dict[str, Any] = {}
    even = positions[0] + np.arange(len(one))[:, np.newaxis] * vector
    if np.abs(positions - even).max() > EVEN * step:
        distances = np.array([each.distance for each in one])
        told["positions"] = [round(float(d), 4) for d in distances]
        steps = np.diff(distances)
        typical = float(np.median(steps))
        missing = np.round(steps / typical).astype(int) - 1
        if np.allclose(steps, (missing + 1) * typical, atol=EVEN * typical):
            told["missing slices"] = int(missing.sum())
    tilt = float(np.arccos(np.clip(abs(np.dot(vector / step, one[0].normal)), 0, 1)))
    if tilt > TILT:
        told["tilt"] = round(float(np.degrees(tilt)), 4)
    return told


def _matrix(first: Slice, direction: Any) -> NDArray[np.float64] | None:
    """DICOM's x and y point to the left and to the back, the model's to the right and to the front."""
    if not first.position:
        return None
    matrix = np.eye(4)
    matrix[:3, 0], matrix[:3, 1] = first.orientation[:3], first.orientation[3:]
    matrix[:3, 2] = first.normal if direction is None else direction
    matrix[:3, 3] = first.position
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix
