"""The positions of an experiment, and which frames each of them has."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

from diascope.errors import Unreadable
from diascope.sources.nd2.frames import frames_apart

LETTERS = {"TimeLoop": "t", "NETimeLoop": "t", "CustomLoop": "t", "ZStackLoop": "z", "XYPosLoop": "p"}
TYPES = {1: "t", 2: "p", 4: "z", 7: "t", 8: "t"}
"""The same by the numbers of the raw experiment."""

MOST_POSITIONS = 1 << 20


@dataclass(frozen=True, slots=True)
class Position:
    """Where the stage stood, and what was acquired there."""

    name: str
    first: int
    """The number of its first frame."""
    loops: dict[str, tuple[int, int]]
    """For t and z how many and how many frames apart."""
    stage: dict[str, float] = field(default_factory=dict)


def positions(loops: list[Any], raw: Any, count: int) -> list[Position]:
    """One for each point of the stage, or the only one; ``count`` is how many frames the file says it has.

    Positions may have unlike numbers of planes: then their frames follow each other.
    """
    letters = [LETTERS.get(loop.type, "") for loop in loops]
    counts = [int(loop.count) for loop in loops]
    if "" in letters or len(set(letters)) < len(letters) or min(counts, default=1) < 1:
        raise Unreadable(f"an experiment of the loops {[loop.type for loop in loops]} of {counts} is not supported")
    points = loops[letters.index("p")].parameters.points if "p" in letters else []
    if len(points) > MOST_POSITIONS:
        raise Unreadable(f"{len(points)} positions are over the limit of {MOST_POSITIONS}")
    unlike = _unlike(raw, len(points)) if letters[:1] == ["p"] else None
    if unlike and prod(counts) != count and sum(prod(each.values()) for each in unlike) == count:
        return _following(points, unlike)
    apart = dict(zip(letters, zip(counts, frames_apart(counts), strict=True), strict=True))
    _, step = apart.pop("p", (1, 0))
    if not points:
        return [Position("", 0, apart)]
    return [Position(_name(point), k * step, apart, _stage(point)) for k, point in enumerate(points)]


def _following(points: list[Any], counts: list[dict[str, int]]) -> list[Position]:
    found, first = [], 0
    for point, each in zip(points, counts, strict=True):
        apart = frames_apart(list(each.values()))
        loops = {name: (n, step) for (name, n), step in zip(each.items(), apart, strict=True)}
        found.append(Position(_name(point), first, loops, _stage(point)))
        first += prod(each.values())
    return found


def _unlike(raw: Any, points: int) -> list[dict[str, int]] | None:
    """What each point loops over, by the raw experiment; None where it does not say so for each."""
    inner = raw.get("ppNextLevelEx") if isinstance(raw, dict) else None
    if not isinstance(inner, dict) or len(inner) != points or points < 2:
        return None
    return [_counts(each) for each in inner.values()]


def _counts(raw: Any) -> dict[str, int]:
    """The loops of an experiment and of the first one in it, and so on."""
    found: dict[str, int] = {}
    while isinstance(raw, dict) and TYPES.get(raw.get("eType", 0)) in {"t", "z"}:
        letter, pars = TYPES[raw["eType"]], raw.get("uLoopPars")
        if letter in found or not isinstance(pars, dict):
            break
        periods = pars.get("pPeriod")
        steps = periods.values() if isinstance(periods, dict) else [pars]
        found[letter] = sum(each["uiCount"] for each in steps if isinstance(each.get("uiCount"), int))
        inner = raw.get("ppNextLevelEx")
        raw = next(iter(inner.values()), None) if isinstance(inner, dict) else None
    return {name: max(count, 1) for name, count in found.items()}


def _name(point: Any) -> str:
    return point.name.strip("\0 ") if isinstance(point.name, str) else ""


def _stage(point: Any) -> dict[str, float]:
    x, y, z = point.stagePositionUm
    return {"x": float(x), "y": float(y), **({"z": float(z)} if z else {})}
