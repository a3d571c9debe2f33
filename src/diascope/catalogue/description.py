"""What is told of an image: a JSON document for people and programs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from diascope.catalogue.address import ASSOCIATED, LABELS, Found, is_single, scene, scene_names
from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.impersonal import impersonal, impersonal_text
from diascope.catalogue.located import image_file
from diascope.errors import NotFound
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.metadata import Channel

MOST_SCENES = 10_000


def description(catalogue: Catalogue, path: str) -> dict[str, Any]:
    """The image at a path, or what images the file at this path has; raises NotFound and Unreadable."""
    place = image_file(catalogue, path)
    opened = place.repository.opened(place.place)
    file_path = f"{place.repository.name}/{place.place.path}"
    document: dict[str, Any] = {
        "path": path,
        "name": path.rpartition("/")[2],
        "stored": f"{file_path}/stored",
        "local_copy": _is_copied(place),
        "scenes": [
            {
                "name": name or next(iter(opened.dataset.images)),
                "path": f"{file_path}/{name}".rstrip("/"),
                "role": _role(name),
            }
            for name in islice(scene_names(opened.dataset), MOST_SCENES)
        ],
    }
    within = scene(opened, place.rest)
    if within is not None and not within.rest:
        return document | of_image(within.image)
    if place.rest or is_single(opened.dataset):
        raise NotFound(f"there is no image at {path!r}")
    return document | {"format": next(iter(opened.dataset.images.values())).metadata.format}


def _is_copied(found: Found) -> bool:
    """Whether a distant file is copied to this machine, for a library that reads local files only."""
    source, store = found.place.source, found.repository.store
    return source is not None and source.needs_local_file and store.local_path(found.place.path) is None


def _role(name: str) -> str:
    first = name.partition("/")[0]
    return first if first in {LABELS, ASSOCIATED} and "/" in name else "image"


def of_image(image: Image) -> dict[str, Any]:
    """Axes, levels, channels and metadata of an image."""
    finest = image.levels[0]
    return {
        "name": image.name,
        "format": image.metadata.format,
        "kind": image.kind,
        "dtype": finest.dtype.name,
        "axes": [
            {"name": axis.name, "type": axis.type, "unit": axis.unit, "size": size, "spacing": spacing}
            for axis, size, spacing in zip(image.axes, finest.shape, finest.scale, strict=True)
        ],
        "levels": [_level(level) for level in image.levels],
        "channels": [_channel(channel) for channel in image.channels],
        "world": {"matrix": image.world.matrix, "space": image.world.space} if image.world else None,
        "metadata": {
            "description": impersonal_text(image.metadata.description),
            "acquired": image.metadata.acquired,
            "magnification": image.metadata.magnification,
            "objective": image.metadata.objective,
            "aperture": image.metadata.aperture,
            "instrument": image.metadata.instrument,
            "position": _plain(image.metadata.position),
            "rescale": image.metadata.rescale,
            "palette": image.metadata.palette,
            "extra": _plain(impersonal(image.metadata.extra)),
        },
    }


def _level(level: Level) -> dict[str, Any]:
    return {
        "shape": level.shape,
        "chunk_shape": level.chunk_shape,
        "scale": level.scale,
        "translation": level.translation,
    }


def _channel(channel: Channel) -> dict[str, Any]:
    return {
        "name": channel.name,
        "colour": channel.colour,
        "window": _plain(channel.window),
        "excitation": channel.excitation,
        "emission": channel.emission,
    }


def _plain(value: Any) -> Any:
    """What JSON can hold: infinities, NaN and foreign types become texts."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value - value != 0:
        return str(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)
