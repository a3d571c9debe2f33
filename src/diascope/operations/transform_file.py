"""Linear transformations out of the files that registration programs write, told apart by their bytes."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from diascope.operations.matrix_file import matrix_of
from diascope.operations.operation import Files

LARGEST = 1 << 20
"""How many bytes a file has at most."""

Matrix: TypeAlias = NDArray[np.float64]

Convention: TypeAlias = Literal["positions", "ras", "lps", "fsl"]
"""What the numbers of points are: positions in the image, places in the world of NIfTI or of ITK, or FLIRT's."""


class FixedGrid(NamedTuple):
    """The grid that a transformation was found on, in the world of ITK; along x, y(, z)."""

    size: Matrix
    spacing: Matrix
    origin: Matrix
    direction: Matrix


class Found(NamedTuple):
    """One transformation."""

    matrix: Matrix
    """Three rows of three in the plane, four of four in space."""
    convention: Convention
    backwards: bool
    """Whether it leads from the result to the image, as resamplers need it."""
    grid: FixedGrid | None = None
    unit: str | None = None
    """Of lengths, where the file tells."""


def found(name: str, files: Files, axes: str, convention: Convention) -> Found:
    """What a file says of an image with these axes, rows of numbers being of a convention.

    Raises ValueError with what is wrong, and where in the file; Unavailable where a library is missing.
    """
    from diascope.operations import elastix_file, itk_file, itk_hdf5, ome_transform

    data = files(name)
    if len(data) > LARGEST:
        raise ValueError(f"it has more than {LARGEST} bytes")
    if is_rows(data):
        return rows(matrix_of(data), convention)
    if convention != "positions":
        raise ValueError("its format says itself what its numbers are: leave the convention out")
    if data.startswith(itk_hdf5.MAGIC):
        return Found(itk_hdf5.matrix_of(data), "lps", backwards=True)
    if itk_file.is_text(data):
        return Found(itk_file.matrix_of_text(data), "lps", backwards=True)
    if itk_file.is_binary(data):
        return Found(itk_file.matrix_of_binary(data), "lps", backwards=True)
    if elastix_file.is_text(data):
        return elastix_file.found(name, files)
    return ome_transform.found(data, axes)


def rows(numbers: tuple[float, ...], convention: Convention) -> Found:
    """Of the 6 or 12 numbers of a matrix, row by row."""
    rank = 2 if len(numbers) == 6 else 3
    matrix = np.eye(rank + 1)
    matrix[:rank] = np.reshape(numbers, (rank, rank + 1))
    return Found(matrix, convention, backwards=False)


def is_rows(data: bytes) -> bool:
    """Whether it is none of the other formats."""
    from diascope.operations import elastix_file, itk_file, itk_hdf5

    others = (itk_file.is_text(data), itk_file.is_binary(data), elastix_file.is_text(data))
    return not (data.startswith(itk_hdf5.MAGIC) or any(others) or re.match(rb"\s*[{\[]", data))
