"""Tiny datasets of BigDataViewer: XML by npy2bdv, and one in partitions as BigDataServer's exporters make them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import h5py
import npy2bdv
import numpy as np

RANDOM = np.random.default_rng(3)
PIXELS = RANDOM.integers(0, 65536, (2, 2, 5, 30, 40), dtype=np.uint16)
"""Along time, channel, z, y and x; more than half of them are negative where they are stored."""

LEVELS = ((1, 1, 1), (1, 2, 2))
CHUNKS = ((4, 16, 16), (4, 8, 8))
MOVED = np.array([[1, 0, 0, 5.0], [0, 1, 0.5, 0], [0, 0, 1, -3]])
VOXEL = (0.5, 0.5, 2.0)


def stack(path: Path) -> None:
    """With registrations in pixels of equal sides, as BigStitcher has them."""
    name = str(path.with_suffix(".h5"))
    writer = npy2bdv.BdvWriter(name, nchannels=2, subsamp=LEVELS, blockdim=CHUNKS, compression="gzip", overwrite=True)
    for t, channels in enumerate(PIXELS):
        for c, volume in enumerate(channels):
            place = {"m_affine": MOVED, "name_affine": "moved", "calibration": (1, 1, 4)} if c == 0 else {}
            writer.append_view(volume, time=t, channel=c, voxel_size_xyz=VOXEL, voxel_units="um", **place)
    writer.write_xml()
    writer.close()


def one(path: Path) -> None:
    name = str(path.with_suffix(".h5"))
    writer = npy2bdv.BdvWriter(name, overwrite=True)
    writer.append_view(PIXELS[0, 0], voxel_size_xyz=VOXEL, voxel_units="um", calibration=VOXEL)
    writer.write_xml()
    writer.close()


def partitions(path: Path) -> None:
    """The same with the second time in a file of its own, of which one view is missing."""
    stack(path)
    main, part = path.with_suffix(".h5"), path.with_name(f"{path.stem}-01-00.h5")
    with h5py.File(main, "a") as file, h5py.File(part, "w") as other:
        file.copy("t00001/s00", other, "t00001/s00")
        del file["t00001/s00"], file["t00001/s01"]
        file["t00001/s00"] = h5py.ExternalLink(part.name, "t00001/s00")
    told = f'<partition><path type="relative">{part.name}</path><timepoints>1</timepoints></partition>'
    path.write_text(re.sub("(</hdf5>)", rf"\1{told}", path.read_text(encoding="utf-8")), encoding="utf-8")


SAMPLES: dict[str, Any] = {"stack.xml": stack, "partitions.xml": partitions}
"""The two that every layout and door is tried with."""

FILES: dict[str, Any] = {"one.xml": one}
