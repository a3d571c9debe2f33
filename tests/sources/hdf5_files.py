"""Tiny files of HDF5, as h5py and those who use it write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

RANDOM = np.random.default_rng(5)
VOLUME = RANDOM.integers(0, 1000, (7, 40, 50), dtype=np.uint16)
COLOURS = RANDOM.integers(0, 256, (30, 40, 3), dtype=np.uint8)


def plain(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "volumes/raw", data=VOLUME.astype(">i4"), chunks=(3, 16, 30), compression="gzip", shuffle=True
        )
        file.create_dataset("mask", data=VOLUME[0] > 500)
        file.create_dataset("words", data=["some", "text"])


def changed(path: Path) -> None:
    """Other pixels in the same places."""
    with h5py.File(path, "w") as file:
        file.create_dataset("volumes/raw", data=VOLUME[::-1], chunks=(2, 32, 32), compression="lzf")
        file.create_dataset("mask", data=VOLUME[1] > 300)


def latest(path: Path) -> None:
    """With the superblock and the trees of the newest library, large chunks and none for a part."""
    with h5py.File(path, "w", libver="latest", userblock_size=1024) as file:
        made = file.create_dataset("t", (5, 300, 200), "u2", chunks=(2, 100, 100), compression="lzf", fillvalue=7)
        made[1:3, 50:170, 20:] = RANDOM.integers(0, 60000, (2, 120, 180))
        file.create_dataset("grow", data=VOLUME, chunks=(2, 20, 20), maxshape=(None, 40, 50), fletcher32=True)


def ilastik(path: Path) -> None:
    axes = [{"key": key, "typeFlags": 2, "resolution": 0, "description": ""} for key in "tzyxc"]
    with h5py.File(path, "w") as file:
        made = file.create_dataset("exported_data", data=RANDOM.random((2, 3, 20, 30, 2), np.float32), chunks=True)
        made.attrs["axistags"] = json.dumps({"axes": axes})


def colours(path: Path) -> None:
    with h5py.File(path, "w") as file:
        made = file.create_dataset("picture", data=COLOURS, chunks=(10, 10, 1), compression="gzip")
        words = {"CLASS": "IMAGE", "IMAGE_VERSION": "1.2", "IMAGE_SUBCLASS": "IMAGE_TRUECOLOR"}
        for name, word in {**words, "INTERLACE_MODE": "INTERLACE_PIXEL"}.items():
            made.attrs[name] = np.bytes_(word)


def scaled(path: Path) -> None:
    """With dimension scales, as netCDF 4 has them."""
    with h5py.File(path, "w") as file:
        made = file.create_dataset("intensity", data=VOLUME)
        positions = {"depth": 5 + 2.0 * np.arange(7), "height": 0.5 * np.arange(40), "width": 0.5 * np.arange(50)}
        for d, (name, values) in enumerate(positions.items()):
            file[name] = values
            file[name].make_scale(name)
            file[name].attrs["units"] = "um"
            made.dims[d].attach_scale(file[name])


def pyramid(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for k in range(3):
            level = VOLUME[:, :: 2**k, :: 2**k]
            file.create_dataset(f"volumes/image/s{k}", data=level, chunks=(4, 8, 8), compression="gzip")


def berkeley(path: Path) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("data/stack")
        group.attrs["emd_group_type"] = 1
        group["data"] = VOLUME[:4].astype("f4")
        for d, (name, step) in enumerate({"z": 2.0, "y": 0.5, "x": 0.25}.items()):
            vector = group.create_dataset(f"dim{d + 1}", data=step * np.arange(group["data"].shape[d]))
            vector.attrs["name"], vector.attrs["units"] = name, "[n_m]"


SAMPLES: dict[str, Any] = {"plain.h5": plain, "changed.h5": changed}
"""The two that every layout and door is tried with."""

FILES: dict[str, Any] = {
    "latest.hdf5": latest,
    "ilastik.h5": ilastik,
    "colours.h5": colours,
    "scaled.h5": scaled,
    "pyramid.h5": pyramid,
    "berkeley.emd": berkeley,
}
