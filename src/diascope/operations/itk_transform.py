"""The matrices of ITK's linear transformations, by the names and parameters that its files have.

https://itk.org/Doxygen/html/group__ITKTransform.html; each type's own page tells its parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from math import cos, isfinite, sin, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Numbers = tuple[float, ...]

MOST = 64
"""How many transformations one file has at most."""

LAST = -1

TYPE = re.compile(r"(\w{1,60})_(?:double|float)_([23])_\2")
COMPOSITE = "CompositeTransform"


class Member(NamedTuple):
    """One transformation of a file."""

    type: str
    """Such as AffineTransform_double_3_3."""
    parameters: Numbers
    fixed: Numbers
    """The centre, which stays where it is but for the translation."""
    where: str
    """In the file, for errors."""


class Kind(NamedTuple):
    """How the parameters of a type make a matrix."""

    counts: dict[int, int]
    """How many there are, by the number of dimensions."""
    matrix: Callable[[Numbers, int, Numbers], Matrix]
    """Of parameters, dimensions and fixed parameters: rows that turn about the centre."""
    shift: int | None
    """Where the translation begins among the parameters; LAST where they end with it."""
    has_centre: bool = True


def composed(members: Iterable[Member]) -> Matrix:
    """All of a file's as one: those of a composite in their order, of which the last is applied first."""
    each = list(members)
    if not each:
        raise ValueError("it holds no transformation")
    if len(each) > MOST:
        raise ValueError(f"it holds more than {MOST} transformations")
    first = _named(each[0])
    if first[0] == COMPOSITE:
        each = each[1:]
    elif len(each) > 1:
        raise ValueError(f"{each[1].where}: a second transformation, and no {COMPOSITE} says how to join them")
    matrices = [matrix_of(member) for member in each]
    if not matrices or {len(matrix) for matrix in matrices} != {first[1] + 1}:
        raise ValueError(f"{each[0].where if each else first[0]}: a composite of nothing, or of unlike dimensions")
    whole: Matrix = np.eye(first[1] + 1)
    for matrix in matrices:
        whole = np.asarray(whole @ matrix, np.float64)
    return whole


def matrix_of(member: Member) -> Matrix:
    """From the points of the fixed to those of the moving image; raises ValueError."""
    name, rank = _named(member)
    kind = KINDS.get(name)
    if kind is None or rank not in kind.counts:
        raise ValueError(f"{member.where}: {member.type} is not among the linear ones: {', '.join(KINDS)}")
    centres = {rank, rank + 1} if name == "Euler3DTransform" else {rank} if kind.has_centre else {0, rank}
    if len(member.parameters) != kind.counts[rank] or len(member.fixed) not in centres:
        raise ValueError(
            f"{member.where}: {name} has {kind.counts[rank]} parameters and {min(centres)} fixed ones, "
            f"not {len(member.parameters)} and {len(member.fixed)}"
        )
    if not all(map(isfinite, (*member.parameters, *member.fixed))):
        raise ValueError(f"{member.where}: the parameters are not finite numbers")
    try:
        turned = kind.matrix(member.parameters, rank, member.fixed)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{member.where}: {error}") from error
    first = -rank if kind.shift == LAST else kind.shift
    shift = np.zeros(rank) if first is None else np.array(member.parameters[first:][:rank])
    centre = np.array(member.fixed[:rank]) if kind.has_centre else np.zeros(rank)
    whole = np.eye(rank + 1)
    whole[:rank, :rank] = turned
    whole[:rank, rank] = shift + centre - turned @ centre
    return whole


def _named(member: Member) -> tuple[str, int]:
    parsed = TYPE.fullmatch(member.type)
    if parsed is None:
        raise ValueError(f"{member.where}: {member.type[:80]!r} is no type of transformation in 2 or 3 dimensions")
    return parsed[1], int(parsed[2])


def _plane_turn(angle: float) -> Matrix:
    return np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])


def euler(angles: Numbers, *, zyx: bool) -> Matrix:
    """Turns about x, y and z, that about y first, or that about x first."""
    (cx, cy, cz), (sx, sy, sz) = map(cos, angles), map(sin, angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x if zyx else about_z @ about_x @ about_y)


def versor(part: Numbers) -> Matrix:
    """The turn of a quaternion of length one, by its first three numbers."""
    x, y, z = part
    rest = 1 - (x * x + y * y + z * z)
    if rest < -1e-9:
        raise ValueError("the versor is longer than 1")
    w = sqrt(max(rest, 0.0))
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def _added(p: Numbers) -> Matrix:
    """ITK adds scales and skews to the turn instead of multiplying."""
    matrix = versor(p[:3]) + np.diag(p[6:9]) - np.eye(3)
    if len(p) > 9:
        matrix[~np.eye(3, dtype=bool)] += p[9:15]
    return matrix


def _multiplied(p: Numbers) -> Matrix:
    skew = np.eye(3)
    skew[np.triu_indices(3, 1)] = p[9:12]
    return np.asarray(versor(p[:3]) @ np.diag(p[6:9]) @ skew)


def _square(p: Numbers, rank: int) -> Matrix:
    return np.reshape(np.array(p[: rank * rank]), (rank, rank))


_AFFINE = Kind({2: 6, 3: 12}, lambda p, rank, _: _square(p, rank), LAST)
_RIGID = Kind({2: 3}, lambda p, _, __: _plane_turn(p[0]), 1)

KINDS = {
    "IdentityTransform": Kind({2: 0, 3: 0}, lambda _, rank, __: np.eye(rank), None, has_centre=False),
    "TranslationTransform": Kind({2: 2, 3: 3}, lambda _, rank, __: np.eye(rank), 0, has_centre=False),
    "ScaleTransform": Kind({2: 2, 3: 3}, lambda p, _, __: np.diag(p), None),
    "AffineTransform": _AFFINE,
    "MatrixOffsetTransformBase": _AFFINE,
    "Euler2DTransform": _RIGID,
    "Rigid2DTransform": _RIGID,
    "Euler3DTransform": Kind({3: 6}, lambda p, _, f: euler(p[:3], zyx=len(f) > 3 and f[3] != 0), 3),
    "VersorTransform": Kind({3: 3}, lambda p, _, __: versor(p), None),
    "VersorRigid3DTransform": Kind({3: 6}, lambda p, _, __: versor(p[:3]), 3),
    "Similarity2DTransform": Kind({2: 4}, lambda p, _, __: p[0] * _plane_turn(p[1]), 2),
    "Similarity3DTransform": Kind({3: 7}, lambda p, _, __: p[6] * versor(p[:3]), 3),
    "ScaleVersor3DTransform": Kind({3: 9}, lambda p, _, __: _added(p), 3),
    "ScaleSkewVersor3DTransform": Kind({3: 15}, lambda p, _, __: _added(p), 3),
    "ComposeScaleSkewVersor3DTransform": Kind({3: 12}, lambda p, _, __: _multiplied(p), 3),
}
