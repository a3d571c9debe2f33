"""Fields of displacements that the tests of operations share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813

from diascope.image.affine import affine
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory
from diascope.image.metadata import Metadata
from diascope.operations.operation import Beside

MILLIMETRES = dict.fromkeys("xyz", "millimeter")


def waves(shape: tuple[int, ...], height: float) -> Any:
    """Smooth vectors, unlike along any two axes, as a last axis."""
    index = np.indices(shape).astype(float)[::-1]
    parts = [
        height * (k + 1) * np.sin(0.31 * index[0] + 0.9 * k) * np.cos(0.23 * index[1] - 0.4 * k) + 0.1 * height * k
        for k in range(len(shape))
    ]
    if len(shape) == 3:
        parts = [part * np.cos(0.17 * index[2] + k) for k, part in enumerate(parts)]
    return np.stack(parts, axis=-1)


def beside(name: str) -> Beside:
    """``warp.nii`` of volumes or ``flat.nii`` of planes, over the first micrometres of space."""
    shape = (5, 9, 11) if name == "warp.nii" else (9, 11)
    vectors = np.moveaxis(waves(shape, 0.0006), -1, 0).astype(np.float32).reshape(len(shape), -1, 9, 11)
    level = in_memory(vectors, (1, 0.002, 0.0015, 0.001))
    image = Image(
        name="warp",
        kind="intensity",
        axes=axes_named("czyx", MILLIMETRES),
        levels=(level,),
        world=affine(np.diag([-1, -1, 1, 1]), "scanner"),
        metadata=Metadata(extra={"intent_code": 1007}),
    )
    return Beside("1", lambda: image)


def written(
    path: Path, vectors: Any, spacing: tuple[float, ...], origin: tuple[float, ...], direction: Any = None
) -> Any:
    """The field as SimpleITK writes it, and the field."""
    field = sitk.GetImageFromArray(vectors, isVector=True)
    field.SetSpacing(spacing)
    field.SetOrigin(origin)
    if direction is not None:
        field.SetDirection(np.ravel(direction).tolist())
    sitk.WriteImage(field, str(path))
    return sitk.ReadImage(str(path), sitk.sitkVectorFloat64)
