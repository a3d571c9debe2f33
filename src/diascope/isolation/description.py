"""A dataset and its images as a worker tells of them, in JSON."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import fields

from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.metadata import Metadata
from diascope.isolation.channel import Message
from diascope.sources.dataset import Dataset

ROLES = "images", "labels", "associated"


def dataset_told(dataset: Dataset) -> Message:
    """Its names are left out where listing them may be work."""
    names = {role: _names(getattr(dataset, role)) for role in ROLES}
    return {"version": dataset.version, "files": dataset.files, **names}


def _names(images: Mapping[str, Image]) -> list[str] | None:
    return list(images) if isinstance(images, dict) else None


def image_told(image: Image) -> Message:
    """Everything but what its pixels are read by."""
    return {
        "name": image.name,
        "kind": image.kind,
        "axes": [{"name": axis.name, "unit": axis.unit} for axis in image.axes],
        "levels": [_level(level) for level in image.levels],
        "channels": [
            {name: getattr(channel, name) for name in ("name", "colour", "window", "excitation", "emission")}
            for channel in image.channels
        ],
        "world": image.world and {"matrix": image.world.matrix, "space": image.world.space},
        "metadata": _metadata(image.metadata),
    }


def _level(level: Level) -> Message:
    return {
        "shape": level.shape,
        "dtype": level.dtype.str,
        "chunk_shape": level.chunk_shape,
        "scale": level.scale,
        "translation": level.translation,
        "cost": level.cost,
        "spread": level.spread,
    }


def _metadata(metadata: Metadata) -> Message:
    told = {each.name: getattr(metadata, each.name) for each in fields(Metadata)}
    return told | {"icc": None if metadata.icc is None else b64encode(metadata.icc).decode()}
