"""Coordinate transformations of OME-Zarr 0.6 in JSON: https://ngff.openmicroscopy.org/specifications/0.6/.

A file is one transformation, or an object such as ``zarr.json`` whose ``coordinateTransformations`` has one. It leads
from the input, the positions of the image, to the output.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from diascope.image.axes import ORDER
from diascope.image.transformation import Reader, rank_of
from diascope.image.units import named
from diascope.operations.transform_file import Found, Matrix

WRAPPINGS = "attributes", "ome", "scene"

LISTED = "coordinateTransformations"


def found(data: bytes, axes: str) -> Found:
    """Of a file for an image with these axes, in the order of which numbers stand where no axes are named."""
    document = _document(data)
    transformation, systems = _only(document)
    columns, unit = _axes(systems, transformation, "input", axes)
    rows, unit_there = _axes(systems, transformation, "output", axes)
    rank = len(columns) or rank_of(transformation) or len([name for name in axes if name in "zyx"])
    columns, rows = columns or _usual(axes, rank), rows or _usual(axes, rank)
    if sorted(rows) != sorted(columns) or len(columns) != rank:
        raise ValueError(f"it leads from the axes {columns!r} to {rows!r}, which are not the same ones")
    if unit != unit_there:
        raise ValueError(f"its input is in {unit or 'no unit'}, its output in {unit_there or 'no unit'}")
    matrix = _spatial(_square(Reader(_array).matrix(transformation, rank)), columns, rows)
    return Found(matrix, "positions", backwards=False, unit=unit)


def _document(data: bytes) -> Any:
    def refused(text: str) -> float:
        raise ValueError(f"{text} is no number of JSON")

    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=refused)
    except json.JSONDecodeError as error:
        raise ValueError(f"line {error.lineno}: it is no JSON: {error.msg}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise ValueError("it is no JSON") from error


def _only(document: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The one transformation, and the systems of coordinates by their names."""
    for name in WRAPPINGS:
        if isinstance(document, dict) and isinstance(document.get(name), dict):
            document = document[name]
    systems: dict[str, Any] = {}
    if isinstance(document, dict) and isinstance(document.get("coordinateSystems"), list):
        systems = {str(each.get("name")): each for each in document["coordinateSystems"] if isinstance(each, dict)}
    listed = document.get(LISTED, document) if isinstance(document, dict) else document
    if isinstance(listed, list):
        if len(listed) != 1:
            raise ValueError(f"it lists {len(listed)} transformations instead of one")
        listed = listed[0]
    if not isinstance(listed, dict) or not isinstance(listed.get("type"), str):
        raise ValueError("it is no transformation: it has no type")  # noqa: TRY004
    return listed, systems


def _axes(systems: dict[str, Any], transformation: dict[str, Any], end: str, axes: str) -> tuple[str, str | None]:
    """The names of the axes of one end, empty where the file does not tell, and the unit of the spatial ones."""
    name = transformation.get(end)
    name = name.get("name") if isinstance(name, dict) else name
    listed = systems.get(str(name), {}).get("axes")
    if not isinstance(listed, list):
        return "", None
    known = [each if isinstance(each, dict) else {} for each in listed]
    names = [str(each.get("name")) for each in known]
    if any(each.get("type") == "array" for each in known):
        raise ValueError(f"its {end} counts pixels of an array; positions are lengths")
    if len(set(names)) != len(names) or not set(names) <= set(axes):
        raise ValueError(f"its {end} has the axes {', '.join(names)[:80]}, and the image has {', '.join(axes)}")
    units = {named(str(each["unit"])) if each.get("unit") else None for each in known if each["name"] in "zyx"}
    if len(units) > 1:
        raise ValueError(f"the spatial axes of its {end} have several units")
    return "".join(names), next(iter(units), None)


def _usual(axes: str, rank: int) -> str:
    """The axes that so many numbers stand for: all, or those of space, or those of the plane."""
    space = "".join(name for name in axes if name in "zyx")
    for names in (axes, space, "yx"):
        if len(names) == rank:
            return names
    raise ValueError(f"it has {rank} dimensions, and the image has the axes {', '.join(axes)}")


def _array(path: str) -> Matrix:
    raise ValueError(f"its numbers lie in an array of their own, {path[:80]!r}, which is not read")


def _square(matrix: Matrix) -> Matrix:
    """With the last row that the specification leaves out."""
    rank = matrix.shape[1] - 1
    if len(matrix) != rank:
        raise ValueError(f"it leads from {rank} axes to {len(matrix)}")
    return np.vstack([matrix, np.eye(rank + 1)[-1:]])


def _spatial(matrix: Matrix, columns: str, rows: str) -> Matrix:
    """Along x, y(, z); raises ValueError where time or channels are moved."""
    rank = len(columns)
    others = [name for name in columns if name not in "zyx"]
    space = [name for name in reversed(ORDER) if name in columns and name in "zyx"]
    if "".join(space) not in {"xyz", "xy"}:
        raise ValueError(f"it moves {', '.join(columns)}, and not x and y, or x, y and z")
    order = [*space, *others]
    sorted_rows = matrix[[*(rows.index(name) for name in order), rank]]
    whole = sorted_rows[:, [*(columns.index(name) for name in order), rank]]
    n = len(space)
    rest = whole.copy()
    rest[np.ix_([*range(n), rank], [*range(n), rank])] = np.eye(n + 1)
    if not np.array_equal(rest, np.eye(rank + 1)):
        raise ValueError("it moves time or channels")
    return whole[np.ix_([*range(n), rank], [*range(n), rank])]
