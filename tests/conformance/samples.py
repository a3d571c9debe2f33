"""The images that are served: sides that no tile divides, pixels that no flip, transposition or shift leaves alike."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import tifffile
import zarr
from numpy.typing import NDArray
from PIL import Image as Pillow

from diascope.testing.synthetic import ramp
from tests.conformance.records import Sample
from tests.conftest import shared_data_folder
from tests.judges import iiif_validator

TURN = np.array([[-0.96, 0.28, 0, 30], [0.28, 0.96, 0, -20], [0, 0, 1, 10], [0, 0, 0, 1]])
AFFINE = TURN @ np.diag([0.9, 1.8, 2.5, 1])
"""Turned and mirrored, in millimetres."""


def film(path: Path) -> NDArray[Any]:
    """Five axes, without a pyramid."""
    pixels = ramp("tczyx", (2, 2, 3, 300, 517))[...]
    metadata = {"axes": "TCZYX", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2.0}
    tifffile.imwrite(path, pixels, ome=True, metadata=metadata)
    return pixels


def stack(path: Path) -> NDArray[Any]:
    """Channels of a volume in tiles, with a level of its own that is no mean of the first."""
    finest = ramp("czyx", (2, 5, 270, 333), np.uint16)[...]
    with tifffile.TiffWriter(path, ome=True) as tiff:
        tiff.write(finest, subifds=1, tile=(64, 80), metadata={"axes": "CZYX"}, compression="deflate")
        tiff.write(finest[..., ::2, ::2], subfiletype=1, tile=(64, 80), compression="deflate")
    return finest


def volume(path: Path) -> NDArray[Any]:
    """Signed voxels with a world."""
    pixels = ramp("zyx", (19, 137, 153), np.int16)[...] - np.int16(3000)
    nibabel.Nifti1Image(pixels.T, AFFINE).to_filename(path)
    return pixels


def labels(path: Path) -> NDArray[Any]:
    """Labels beyond 16 bits, in an OME-Zarr of their own."""
    pixels = ramp("zyx", (5, 70, 91))[...].astype(np.uint32) * 100_003
    scale = [{"type": "scale", "scale": [2.0, 0.5, 0.25]}]
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    multiscales = [{"version": "0.4", "axes": axes, "datasets": [{"path": "0", "coordinateTransformations": scale}]}]
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("0", data=pixels, chunks=(2, 32, 32), chunk_key_encoding={"name": "v2", "separator": "/"})
    group.attrs.update({"multiscales": multiscales, "image-label": {"version": "0.4"}})
    return pixels


def slide(path: Path) -> NDArray[Any]:
    """Colours in tiles."""
    pixels = smooth(517, 789)
    tifffile.imwrite(path, pixels, tile=(256, 256), photometric="rgb", compression="deflate")
    return pixels.transpose(2, 0, 1)


def plane(path: Path) -> NDArray[Any]:
    """Grey values."""
    pixels = smooth(301, 467)[..., 1]
    Pillow.fromarray(pixels).save(path)
    return pixels


def squares(path: Path) -> NDArray[Any]:
    """The picture that the IIIF validator knows."""
    pixels = iiif_validator.squares()
    Pillow.fromarray(pixels).save(path)
    return pixels.transpose(2, 0, 1)


def smooth(height: int, width: int) -> NDArray[np.uint8]:
    """A picture of slopes and hills that JPEG keeps nearly as it is: y, x and colour."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    hill = np.exp(-(((x - width * 0.7) / width * 6) ** 2) - ((y - height * 0.2) / height * 5) ** 2)
    red = 40 + 150 * x / width + 60 * hill
    green = 220 - 170 * y / height
    blue = 30 + 90 * (x / width + y / height) * (1 - hill / 2)
    return np.round(np.stack([red, green, blue], axis=-1)).astype(np.uint8)


def real(path: Path, *, source: str) -> None:
    """A file made by others, which the suite on the shared data compares with its reference reader."""
    folder = shared_data_folder()
    assert folder is not None
    shutil.copyfile(folder / source, path)


def _real(source: str) -> Sample:
    make: Callable[[Path], None] = partial(real, source=source)
    return Sample(name=source.rpartition("/")[2], make=make, slow=True)


WRITTEN = (
    Sample(name="film.ome.tif", make=film),
    Sample(name="stack.ome.tif", make=stack),
    Sample(name="volume.nii", make=volume),
    Sample(name="labels.ome.zarr", make=labels),
    Sample(name="slide.tif", make=slide),
    Sample(name="plane.png", make=plane),
)

REAL = tuple(
    map(
        _real,
        (
            "svs/CMU-1-Small-Region.svs",
            "ome-tiff/multi-channel-z-series.ome.tif",
            "imagej-tiff/xyzct-mitosis.tif",
            "nifti/anatomical.nii",
        ),
    )
)

SQUARES = (Sample(name=f"{iiif_validator.IDENTIFIER}.png", make=squares),) if iiif_validator.missing() is None else ()

SAMPLES = {sample.name: sample for sample in (*WRITTEN, *SQUARES, *(REAL if shared_data_folder() else ()))}
