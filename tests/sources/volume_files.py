"""Tiny volumes, each written by the library of its format."""

from __future__ import annotations

import bz2
import gzip
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mrcfile
import nibabel
import nrrd
import numpy as np
import SimpleITK

RANDOM = np.random.default_rng(3)
VOLUME = RANDOM.integers(-1000, 1000, (9, 23, 31), dtype=np.int16)
COLOURS = RANDOM.integers(0, 256, (6, 17, 13, 3), dtype=np.uint8)
TURNED = np.array([[0.0, -0.6, 0.8], [1.0, 0.0, 0.0], [0.0, 0.8, 0.6]])
"""Directions of x, y and z in its columns."""
MAP = np.array([[-2.0, 0.1, 0, 30], [0, 1.5, 0.3, -20], [0.2, 0, 4, 7], [0, 0, 0, 1]])


def mrc(path: Path, pixels: Any = VOLUME, **header: Any) -> None:
    """Header fields by mrcfile's names."""
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(pixels)
        for name, value in header.items():
            file.header[name] = value


def packed(write: Callable[[Path], None], pack: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def written(path: Path) -> None:
        plain = path.with_suffix("")
        write(plain)
        path.write_bytes(pack(plain.read_bytes()))
        plain.unlink()

    return written


def gz(write: Callable[[Path], None]) -> Callable[[Path], None]:
    return packed(write, lambda data: gzip.compress(data, mtime=0))


def bzip2(write: Callable[[Path], None]) -> Callable[[Path], None]:
    return packed(write, bz2.compress)


def nrrd_file(path: Path, pixels: Any = VOLUME, **header: Any) -> None:
    """In the order of our axes; header fields by NRRD's names, an underscore for a space, two for one."""
    fields = {name.replace("__", "\0").replace("_", " ").replace("\0", "_"): value for name, value in header.items()}
    with warnings.catch_warnings():
        # Its comment with the date is made in a way that Python 3.13 deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        nrrd.write(str(path), np.ascontiguousarray(pixels), fields, index_order="C")


def nrrd_encoded(encoding: str) -> Callable[[Path], None]:
    return lambda path: nrrd_file(path, encoding=encoding, space="left-posterior-superior", space_directions=TURNED * 2)


def nrrd_colours(path: Path) -> None:
    nrrd_file(path, COLOURS, kinds=["RGB-color", "domain", "domain", "domain"])


def sitk_image(pixels: Any = VOLUME, *, is_vector: bool = False) -> Any:
    image = SimpleITK.GetImageFromArray(pixels, isVector=is_vector)
    image.SetSpacing((0.5, 0.75, 2.5))
    image.SetOrigin((10.0, -20.0, 30.0))
    image.SetDirection(TURNED.ravel().tolist())
    return image


def mha(path: Path) -> None:
    SimpleITK.WriteImage(sitk_image(), str(path))


def mha_packed(path: Path) -> None:
    SimpleITK.WriteImage(sitk_image(), str(path), useCompression=True)


def mha_colours(path: Path) -> None:
    SimpleITK.WriteImage(sitk_image(COLOURS, is_vector=True), str(path))


def mgh(path: Path) -> None:
    nibabel.MGHImage(VOLUME.T.astype(np.int32), MAP).to_filename(path)


def mgh_frames(path: Path) -> None:
    nibabel.MGHImage(RANDOM.random((5, 6, 7, 3)).astype(np.float32), MAP).to_filename(path)


def analyze(path: Path) -> None:
    nibabel.Spm2AnalyzeImage(VOLUME.T, np.diag([2.0, 3.0, 4.0, 1.0])).to_filename(path)


def analyze_frames(path: Path) -> None:
    frames = VOLUME.T.reshape(31, 23, 3, 3)
    nibabel.AnalyzeImage(frames, np.diag([2.0, 3.0, 4.0, 1.0])).to_filename(path)


SAMPLES: dict[str, dict[str, Callable[[Path], None]]] = {
    "analyze": {"pair.hdr": analyze, "frames.hdr": analyze_frames},
    "metaimage": {"volume.mha": mha, "packed.mha": mha_packed, "apart.mhd": mha, "colours.mha": mha_colours},
    "mgh": {"volume.mgh": mgh, "volume.mgz": mgh, "frames.mgz": mgh_frames},
    "mrc": {"volume.mrc": mrc, "volume.map.gz": gz(mrc), "volume.rec.bz2": bzip2(mrc)},
    "nrrd": {
        "raw.nrrd": nrrd_encoded("raw"),
        "gzip.nrrd": nrrd_encoded("gzip"),
        "bzip2.nrrd": nrrd_encoded("bzip2"),
        "text.nrrd": nrrd_encoded("ascii"),
        "apart.nhdr": nrrd_encoded("raw"),
        "colours.nrrd": nrrd_colours,
    },
}
