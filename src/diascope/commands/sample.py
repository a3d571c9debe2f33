"""``diascope sample``: a small repository of generated images, so that the first run always shows something.

Everything is drawn from fixed seeds: cells in three channels, a slide with a pyramid, a phantom head, a time series,
and the labels of the cells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import in_memory
from diascope.image.metadata import Channel
from diascope.image.pyramid import with_pyramid
from diascope.registry import registry
from diascope.tree.file import Tree
from diascope.tree.walk import listed_files

SIDE = 640
CELLS = 40


def sample(folder: Path) -> None:
    """Write the images that are not there yet."""
    for name, make in {
        "microscopy/cells.ome.tif": _cells,
        "microscopy/cells-labels.ome.zarr": _labels,
        "microscopy/dividing.tif": _series,
        "pathology/tissue.tif": _tissue,
        "volumes/head.nii.gz": _head,
        "pictures/rainbow.png": _rainbow,
    }.items():
        target = folder / name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            make(target)


def _cells(target: Path) -> None:
    """Nuclei, cytoplasm and spots; 16 bit, four planes."""
    import tifffile

    ids, distance = _territories()
    random = np.random.default_rng(1)
    nuclei = np.clip(1 - distance / 14, 0, 1) * (0.5 + 0.5 * random.random(CELLS + 1)[ids])
    body = np.clip(1.4 - distance / 26, 0, 1) * (0.4 + 0.6 * random.random(CELLS + 1)[ids])
    texture = cv2.GaussianBlur(random.random((SIDE, SIDE)), (0, 0), 2.5) * 2
    spots = cv2.GaussianBlur((random.random((SIDE, SIDE)) > 0.998).astype(np.float64), (0, 0), 1.5) * 12 * (body > 0.2)
    focus = np.array([0.55, 0.85, 1.0, 0.7])[:, None, None]
    stack = np.stack([nuclei * texture, body * (1 - nuclei) * texture, spots])[None] * focus[:, None] * 9000 + 300
    noisy = random.poisson(stack).clip(0, 65535).astype(np.uint16)
    names = ["DAPI", "Actin", "Transcripts"]
    metadata = {
        "axes": "ZCYX", "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.25,
        "PhysicalSizeYUnit": "µm", "PhysicalSizeZ": 1.0, "PhysicalSizeZUnit": "µm",
        "Channel": {"Name": names, "Color": [0x0060FFFF, 0x20E060FF, -0x00AFFF01]},
    }  # fmt: skip
    tifffile.imwrite(target, noisy, tile=(256, 256), compression="zlib", metadata=metadata, ome=True)


def _labels(target: Path) -> None:
    """The territories of the cells, written by the same layout that serves them."""
    ids, distance = _territories()
    ids = np.where(distance < 30, ids, 0).astype(np.uint16)
    units = {"y": "micrometer", "x": "micrometer"}
    image = Image(
        name=target.name.removesuffix(".ome.zarr"),
        kind="labels",
        axes=axes_named("yx", units),
        levels=(in_memory(ids, (0.25, 0.25)),),
        channels=(Channel(name="cells"),),
    )
    _write(registry("layouts")["ome-zarr"].tree(with_pyramid(image)), target.parent)


def _series(target: Path) -> None:
    """A cell that becomes two, twelve times, as ImageJ writes it."""
    import tifffile

    y, x = np.mgrid[0:200, 0:200]
    frames = []
    for t in range(12):
        apart = max(t - 3, 0) * 5
        blobs = [np.hypot(y - 100, x - 100 + side * apart) for side in (-1, 1)]
        frames.append(sum(np.exp(-((blob / 24) ** 2)) for blob in blobs) * 180 + 10)
    pixels = np.clip(np.random.default_rng(2).poisson(np.stack(frames)), 0, 255).astype(np.uint8)
    metadata = {"axes": "TYX", "unit": "um", "finterval": 30.0}
    tifffile.imwrite(target, pixels, imagej=True, resolution=(2.0, 2.0), metadata=metadata)


def _tissue(target: Path) -> None:
    """A stained section in RGB with a pyramid of JPEG tiles."""
    import tifffile

    random = np.random.default_rng(3)
    size = 2048
    stroma = sum(
        cv2.resize(random.random((size // 2**k, size // 2**k)), (size, size), interpolation=cv2.INTER_CUBIC) * 2**k
        for k in range(5, 9)
    )
    stroma = (stroma - stroma.min()) / np.ptp(stroma)
    nuclei = cv2.GaussianBlur((random.random((size, size)) > 0.9994).astype(np.float32), (0, 0), 6)
    nuclei = np.clip(nuclei * 260, 0, 1)[..., None]
    y, x = np.mgrid[0:size, 0:size] / size - 0.5
    inside = np.clip((0.44 - np.hypot(y * 1.1, x) + 0.12 * (stroma - 0.5)) * 40, 0, 1)[..., None]
    pink = np.array([236.0, 168, 200]) - stroma[..., None] * np.array([30, 90, 50])
    tissue = pink * (1 - nuclei) + np.array([88.0, 56, 140]) * nuclei
    pixels = (tissue * inside + 243 * (1 - inside)).astype(np.uint8)
    options: dict[str, Any] = {"tile": (256, 256), "compression": "jpeg", "photometric": "rgb"}
    with tifffile.TiffWriter(target) as writer:
        per_cm = 1e4 / 0.5
        writer.write(pixels, subifds=2, resolution=(per_cm, per_cm), resolutionunit="CENTIMETER", **options)
        for _ in range(2):
            pixels = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
            writer.write(pixels, subfiletype=1, **options)


def _head(target: Path) -> None:
    """Ellipsoids after Shepp and Logan, with an affine to the scanner."""
    import nibabel

    k, j, i = np.mgrid[-1:1:96j, -1:1:128j, -1:1:112j]
    ellipsoids = [
        # intensity, centre x y z, half axes x y z
        (900, 0, 0, 0, 0.72, 0.92, 0.85), (-650, 0, 0, 0, 0.66, 0.87, 0.80), (180, 0.22, -0.05, 0, 0.14, 0.34, 0.3),
        (180, -0.22, -0.05, 0, 0.18, 0.4, 0.34), (220, 0, 0.40, 0, 0.22, 0.26, 0.3),
        (260, 0, 0.1, -0.3, 0.05, 0.05, 0.06), (300, 0.1, -0.6, 0.1, 0.06, 0.05, 0.08),
    ]  # fmt: skip
    volume = np.zeros(k.shape)
    for value, x, y, z, a, b, c in ellipsoids:
        volume += value * (((i - x) / a) ** 2 + ((j - y) / b) ** 2 + ((k - z) / c) ** 2 <= 1)
    volume += np.random.default_rng(4).normal(0, 12, volume.shape) * (volume > 0)
    affine = np.diag([1.5, 1.5, 1.8, 1])
    affine[:3, 3] = [-84, -96, -86]
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_xyzt_units("mm")
    image = nibabel.Nifti1Image(volume.clip(0, 1000).astype(np.int16).transpose(2, 1, 0), affine, header)
    nibabel.save(image, target)


def _rainbow(target: Path) -> None:
    """Every hue from left to right, every lightness from top to bottom."""
    hue, light = np.meshgrid(np.linspace(0, 179, 720), np.linspace(235, 40, 405))
    hls = np.stack([hue, light, np.full_like(hue, 220)], axis=-1).astype(np.uint8)
    cv2.imwrite(str(target), cv2.cvtColor(hls, cv2.COLOR_HLS2BGR))


def _territories() -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Which of the cells each pixel is nearest to, and how far its centre is."""
    random = np.random.default_rng(0)
    centres = random.uniform(20, SIDE - 20, (CELLS, 2))
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    nearest = np.full((SIDE, SIDE), np.inf)
    ids = np.zeros((SIDE, SIDE), np.int32)
    for number, (cy, cx) in enumerate(centres, start=1):
        stretch = 0.7 + 0.6 * random.random()
        distance = np.hypot((y - cy) * stretch, (x - cx) / stretch)
        ids[distance < nearest] = number
        nearest = np.minimum(nearest, distance)
    return ids, nearest


def _write(tree: Tree, folder: Path) -> None:
    """All that a tree lists, below a folder."""
    for path in listed_files(tree, ""):
        file = tree.file(path)
        if file is not None:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(file.read(0, None))
