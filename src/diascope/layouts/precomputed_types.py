"""The types of the voxels of a Neuroglancer precomputed volume."""

from __future__ import annotations

from typing import Any

import numpy as np

from diascope.image.image import Image

WIDENED = {"bool": "uint8", "float16": "float32"}
"""Types that precomputed lacks, by one that holds all their values."""
IMAGE_TYPES = frozenset(("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "float32"))
LABEL_TYPES = frozenset(("uint8", "uint16", "uint32", "uint64"))


def data_type(image: Image, narrowest: int = 1) -> np.dtype[Any]:
    """The type of the voxels, of so many bytes at least; labels have no sign."""
    kept = np.dtype(WIDENED.get(image.dtype.name, image.dtype.name))
    if image.kind != "labels" or kept.kind not in "iu":
        return kept
    return np.dtype(f"u{max(kept.itemsize, narrowest)}")


def refusal(image: Image) -> str | None:
    """Why a precomputed volume cannot hold the image."""
    if image.size("t") > 1:
        return (
            "precomputed has no time axis: take one moment with the view select,axis=t,index=0, or open it as OME-Zarr"
        )
    allowed = LABEL_TYPES if image.kind == "labels" else IMAGE_TYPES
    if data_type(image).name not in allowed:
        return (
            f"precomputed has no {image.dtype.name} pixels: open it through the view window, which gives uint8, "
            "or as OME-Zarr"
        )
    return None
