"""Small folders of images of animals, and what mappings make of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from diascope.arrangements.root import Root
from diascope.tree.walk import listed_files
from tests.arrangements.laboratory import arranged, found

HEAD = "arrangement: bids\nname: A study\n"
TISSUE = "samples: {values: {sample_type: tissue}}\n"
RULE = 'images:\n  - files: "{subject}_{sample}.tif"\n    suffix: BF\n    metadata: {SliceThickness: 5}\n'
SIZED = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}


def picture(path: Path, metadata: Mapping[str, Any] = SIZED, shape: tuple[int, ...] = (20, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = "ZYX"[-len(shape) :]
    pixels = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    tifffile.imwrite(path, pixels, ome=True, metadata={"axes": axes, **metadata})


def three(folder: Path) -> Path:
    """A folder of three flat images of two animals."""
    for name in ("m1_a.tif", "m1_b.tif", "m2_a.tif"):
        picture(folder / name)
    return folder


def mapped(folder: Path, text: str) -> Path:
    (folder / "bids.yaml").write_text(HEAD + text)
    return folder


def told(folder: Path) -> list[str]:
    return [each.told() for each in found(folder)[1]]


def paths(folder: Path) -> list[str]:
    return [path.removeprefix("study/") for path in listed_files(arranged(folder), "study")]


def data(root: Root, path: str) -> bytes:
    file = root.file(f"study/{path}")
    assert file, path
    return file.read(0, None)


def document(folder: Path, path: str) -> Any:
    return json.loads(data(arranged(folder), path))
