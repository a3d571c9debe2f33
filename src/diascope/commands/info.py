"""``diascope info``: what an image file is."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from diascope.catalogue.description import of_image
from diascope.catalogue.opening import opened_file
from diascope.image.image import Image
from diascope.python.opening import dataset as open_dataset
from diascope.sources.dataset import Dataset

MOST = 100
"""How many images of a file are told about."""


def told(file: Path | str, *, as_json: bool) -> str:
    """A text for people, or JSON for programs, of a path or a URL; raises NotFound and Unreadable."""
    dataset = opened_file(file) if isinstance(file, Path) else open_dataset(file)
    return json.dumps(_document(file, dataset), indent=2) if as_json else _text(file, dataset)


def _document(file: Path | str, dataset: Dataset) -> dict[str, Any]:
    return {
        "file": str(file),
        "version": dataset.version,
        "images": {name: of_image(dataset.images[name]) for name in list(dataset.images)[:MOST]},
        "labels": {name: of_image(dataset.labels[name]) for name in list(dataset.labels)[:MOST]},
        "associated": {name: of_image(dataset.associated[name]) for name in list(dataset.associated)[:MOST]},
    }


def _text(file: Path | str, dataset: Dataset) -> str:
    out = StringIO()
    console = Console(file=out, width=100, highlight=False, markup=False)
    names = list(dataset.images)
    console.print(f"{file}: {len(names)} image{'s' * (len(names) != 1)}")
    for name in names[:MOST]:
        _print_image(console, dataset.images[name])
    if len(names) > MOST:
        console.print(f"… and {len(names) - MOST} more")
    for title, images in (("labels", dataset.labels), ("associated", dataset.associated)):
        if images:
            console.print(f"{title}: {', '.join(images)}")
    return out.getvalue().rstrip()


def _print_image(console: Console, image: Image) -> None:
    console.print(f"\n{image.name}: {image.metadata.format}, {image.kind}, {image.dtype.name}")
    axes = Table("axis", "type", "size", "spacing", box=None, padding=(0, 2))
    for axis, size, spacing in zip(image.axes, image.shape, image.levels[0].scale, strict=True):
        axes.add_row(axis.name, axis.type, str(size), f"{spacing:.6g} {axis.unit}" if axis.unit else "unknown")
    console.print(axes)
    console.print("levels: " + ", ".join(" x ".join(map(str, level.shape)) for level in image.levels))
    for channel in image.channels:
        if channel.name or channel.colour:
            window = f", shown from {channel.window[0]:g} to {channel.window[1]:g}" if channel.window else ""
            console.print(f"channel {channel.name or '(no name)'}: {channel.colour or 'no colour'}{window}")
    if image.world:
        console.print(f"world: {image.world.space}")
