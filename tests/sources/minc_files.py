"""Tiny volumes of MINC 1, written with nibabel's netCDF, and of MINC 2."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from nibabel.externals.netcdf import netcdf_file
from numpy.typing import NDArray

RANDOM = np.random.default_rng(7)
PIXELS = RANDOM.integers(-3000, 3000, (6, 17, 21), dtype=np.int16)
STARTS = {"xspace": -10.5, "yspace": 4.0, "zspace": 30.0, "time": 2.0}
STEPS = {"xspace": 1.5, "yspace": -2.0, "zspace": 3.0, "time": 0.5}
ANGLE = np.deg2rad(20)
COSINES = {
    "xspace": (np.cos(ANGLE), np.sin(ANGLE), 0.0),
    "yspace": (-np.sin(ANGLE), np.cos(ANGLE), 0.0),
    "zspace": (0.0, 0.0, 1.0),
}


def told(name: str) -> dict[str, Any]:
    words = {"spacing": "regular__", "start": STARTS[name], "step": STEPS[name]}
    space = {"units": "mm", "spacetype": "talairach_", "direction_cosines": np.array(COSINES.get(name, (0.0,)))}
    return {**words, **(space if name.endswith("space") else {"units": "s"})}


def minc1(path: Path, pixels: NDArray[Any], names: tuple[str, ...], scales: int, **words: Any) -> None:
    with netcdf_file(str(path), "w") as file:
        for name, size in zip(names, pixels.shape, strict=True):
            file.createDimension(name, size)
            variable = file.createVariable(name, "i", ())
            variable.data[...] = 0
            for key, value in told(name).items():
                setattr(variable, key, value)
        for name, low in (("image-min", 0.5), ("image-max", 7.25)):
            variable = file.createVariable(name, "d", names[:scales])
            variable.data[...] = low + RANDOM.random(pixels.shape[:scales])
        code = {"i1": "b", "i2": "h", "i4": "i", "f4": "f", "f8": "d"}[pixels.dtype.str[1:].replace("u", "i")]
        image = file.createVariable("image", code, names)
        image.data[...] = pixels.view(pixels.dtype.str.replace("u", "i"))
        for key, value in words.items():
            setattr(image, key, value)
        file.history = "made for a test"


def minc2(path: Path, pixels: NDArray[Any], names: tuple[str, ...], scales: int, **words: Any) -> None:
    with h5py.File(path, "w") as file:
        group = file.create_group("minc-2.0")
        group.attrs["history"] = np.bytes_("made for a test")
        for name in names:
            variable = group.create_dataset(f"dimensions/{name}", data=np.int32(0))
            for key, value in told(name).items():
                variable.attrs[key] = np.bytes_(value) if isinstance(value, str) else value
        for name, low in (("image-min", 0.5), ("image-max", 7.25)):
            values = low + RANDOM.random(pixels.shape[:scales])
            variable = group.create_dataset(f"image/0/{name}", data=values if scales else float(values))
            if scales:
                variable.attrs["dimorder"] = np.bytes_(",".join(names[:scales]))
        image = group.create_dataset("image/0/image", data=pixels, chunks=True, compression="gzip")
        image.attrs["dimorder"] = np.bytes_(",".join(names))
        for key, value in words.items():
            image.attrs[key] = value
        group.create_dataset("info/study", data=np.int32(0)).attrs["modality"] = np.bytes_("MRI__")


ZYX = ("zspace", "yspace", "xspace")
SAGITTAL = ("xspace", "zspace", "yspace")
SERIES = np.stack([PIXELS, PIXELS[::-1]])
RANGE = np.array([-2500.0, 2800.0])


def packed(path: Path) -> None:
    plain = path.with_suffix("")
    signed(plain)
    path.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))


def signed(path: Path) -> None:
    minc1(path, PIXELS, ZYX, 1, signtype="signed__", valid_range=RANGE)


SAMPLES: dict[str, Any] = {
    "signed.mnc": signed,
    "two.mnc": lambda path: minc2(path, PIXELS, ZYX, 1, valid_range=RANGE),
}
"""The two that every layout and door is tried with."""

FILES: dict[str, Any] = {
    "unsigned.mnc": lambda path: minc1(path, (PIXELS % 256).astype("u1"), ZYX, 0, signtype="unsigned"),
    "float.mnc": lambda path: minc1(path, PIXELS.astype("f4"), ZYX, 1),
    "series.mnc": lambda path: minc1(path, SERIES, ("time", *SAGITTAL), 2, signtype="signed__", valid_range=RANGE),
    "packed.mnc.gz": packed,
    "two_float.mnc": lambda path: minc2(path, PIXELS.astype("f8"), ZYX, 0),
    "two_series.mnc": lambda path: minc2(path, SERIES.astype("u2"), ("time", *SAGITTAL), 2),
    "two_one.mnc": lambda path: minc2(path, (PIXELS % 256).astype("u1"), SAGITTAL, 0),
}
