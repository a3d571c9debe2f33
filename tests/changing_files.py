"""Files that are replaced, written to, cut, deleted and appended to, and what may be seen of them when."""

from __future__ import annotations

import json
import os
import random
import struct
from abc import ABC, abstractmethod
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, ClassVar

import h5py
import nibabel
import numpy as np
import PIL.Image
import tifffile
import zarr

from tests.sources.dicom_files import ct_slice, written

SIDE = 160
TILE = 64
ABSENT, BROKEN = -1, -2
"""States besides the versions that a file has."""


def pattern(version: int, shape: tuple[int, ...] = (SIDE, SIDE)) -> Any:
    """Pixels of which any few tell the version."""
    y, x = np.indices(shape[-2:], dtype=np.uint32)
    return np.broadcast_to((version * 577 + y * 31 + x * 7) % 60_000 + 1, shape).astype(np.uint16)


class Changing(ABC):
    """A file in a folder; ``change`` changes it, and ``told`` says what a cutout shows."""

    name: ClassVar[str]
    axes: ClassVar[str] = "yx"
    calm: ClassVar[float] = 1
    """So much longer it stays what it is than others do, for those that are opened slowly."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / self.name
        self.version = 0
        self._lock = Lock()
        self._states: list[tuple[float, float, int]] = []
        """Begin and end of the change to each state."""
        self.turn(0)

    def turn(self, state: int) -> None:
        """Bring the file into a state, which is known to have been on its way meanwhile."""
        begun = monotonic()
        with self._lock:
            self._states.append((begun, float("inf"), state))
        self.change(state)
        with self._lock:
            self._states[-1] = (begun, monotonic(), state)

    def possible(self, start: float, stop: float) -> set[int]:
        """The states that may be seen of the file from one moment to another."""
        with self._lock:
            states = list(self._states)
        gone = [end for _, end, _ in states[1:]] + [float("inf")]
        return {
            state for (begun, _, state), until in zip(states, gone, strict=True) if begun <= stop and until >= start
        }

    def next(self, place: random.Random) -> None:
        """Change it once more."""
        del place
        self.version += 1
        self.turn(self.version)

    @abstractmethod
    def change(self, state: int) -> None: ...

    def query(self, place: random.Random) -> dict[str, str]:
        """A cutout of it."""
        ranges = {}
        for axis in self.axes[-2:]:
            first = place.randrange(SIDE - 8)
            ranges[axis] = f"{first}..{place.randint(first + 1, SIDE)}"
        return ranges

    def wrong(self, pixels: Any, ranges: dict[str, str], possible: set[int]) -> str | None:
        """What is wrong with the pixels of a cutout, which may be those of some states."""
        cut = tuple(slice(*map(int, ranges[axis].split(".."))) for axis in "yx")
        versions = sorted(state for state in possible if state >= 0)
        for version in versions:
            if np.array_equal(np.squeeze(pixels), np.squeeze(pattern(version)[cut])):
                return None
        return f"pixels like {pixels.ravel()[:4]} are of none of the versions {versions}"


class Replaced(Changing):
    """Another file comes in its place."""

    name = "replaced.tif"

    def change(self, state: int) -> None:
        other = self.path.with_name(f".{self.name}")
        self.write(other, state)
        os.replace(other, self.path)  # noqa: PTH105

    def write(self, path: Path, version: int) -> None:
        tifffile.imwrite(path, pattern(version), tile=(TILE, TILE), compression="zlib")


class ReplacedVolume(Replaced):
    name = "replaced.nii.gz"
    axes = "zyx"

    def write(self, path: Path, version: int) -> None:
        nibabel.Nifti1Image(pattern(version, (1, SIDE, SIDE)).T, np.eye(4)).to_filename(f"{path}.nii.gz")
        os.replace(f"{path}.nii.gz", path)  # noqa: PTH105


class ReplacedInIsolation(Replaced):
    """Read in a process of its own."""

    name = "replaced.h5"
    calm = 10

    def write(self, path: Path, version: int) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("pixels", data=pattern(version), chunks=(TILE, TILE), compression="gzip")


class Vanishing(Replaced):
    """It is deleted, and comes again."""

    name = "vanishing.png"

    def change(self, state: int) -> None:
        if state == ABSENT:
            self.path.unlink()
        else:
            super().change(state)

    def write(self, path: Path, version: int) -> None:
        PIL.Image.fromarray(pattern(version)).save(path, format="png")

    def next(self, place: random.Random) -> None:
        if place.random() < 0.5:
            self.turn(ABSENT)
        super().next(place)


class Cut(Replaced):
    """It loses its end where it lies, and comes again."""

    name = "cut.tif"

    def change(self, state: int) -> None:
        if state == BROKEN:
            os.truncate(self.path, self.path.stat().st_size // 3)
        else:
            super().change(state)

    def next(self, place: random.Random) -> None:
        if place.random() < 0.5:
            self.turn(BROKEN)
        super().next(place)


class Overwritten(Changing):
    """Its first tile is written to where it lies; of the others nothing is read."""

    name = "overwritten.tif"

    def change(self, state: int) -> None:
        if not self.path.exists():
            tifffile.imwrite(self.path, pattern(state), tile=(TILE, TILE))
            with tifffile.TiffFile(self.path) as tiff:
                self.at = tiff.pages.first.dataoffsets[0]
        tile = pattern(state)[:TILE, :TILE].astype("<u2").tobytes()
        file = os.open(self.path, os.O_WRONLY)
        os.pwrite(file, tile, self.at)
        os.close(file)

    def query(self, place: random.Random) -> dict[str, str]:
        del place
        return {"y": f"0..{TILE}", "x": f"0..{TILE}"}


class Lengthening(Changing):
    """It gains planes, each of which tells which one it is."""

    axes = "zyx"

    def query(self, place: random.Random) -> dict[str, str]:
        first = place.randrange(TILE - 8)
        return {"y": f"{first}..{first + 8}"}

    def wrong(self, pixels: Any, ranges: dict[str, str], possible: set[int]) -> str | None:
        del ranges
        if len(pixels) - 1 not in possible:
            return f"{len(pixels)} planes, not those of {sorted(possible)}"
        right = np.arange(1, len(pixels) + 1)[:, None, None]
        return None if (pixels == right).all() else f"planes are {pixels[:, 0, 0]}"


class Growing(Lengthening):
    """A Zarr that gains planes; each is written before the shape tells of it."""

    name = "growing.zarr"

    def change(self, state: int) -> None:
        if not self.path.exists():
            zarr.create_array(self.path, shape=(1, TILE, TILE), chunks=(1, 32, 32), dtype="u2")[0] = 1
            return
        self._write(state)
        zarr.open_array(self.path).resize((state + 1, TILE, TILE))

    def _write(self, z: int) -> None:
        """The chunks of a plane, by way of an array that is long enough, beside it."""
        other = zarr.create_array(
            self.path.with_name(".longer.zarr"),
            shape=(z + 1, TILE, TILE),
            chunks=(1, 32, 32),
            dtype="u2",
            overwrite=True,
        )
        other[z] = z + 1
        os.replace(self.path.with_name(".longer.zarr") / "c" / str(z), self.path / "c" / str(z))  # noqa: PTH105


class FilledIn(Changing):
    """A Zarr that is as long as it will be from the beginning, and whose chunks come one after another."""

    name = "filled.zarr"
    axes = "zyx"
    LENGTH = 4000

    def change(self, state: int) -> None:
        if not self.path.exists():
            shape = (self.LENGTH, TILE, TILE)
            self.array = zarr.create_array(self.path, shape=shape, chunks=(1, TILE, TILE), dtype="u2")
        self.array[state] = state + 1

    def query(self, place: random.Random) -> dict[str, str]:
        last = max(self.version + place.randint(-3, 3), 1)
        return {"z": f"{max(last - 4, 0)}..{last}", "y": "5..6"}

    def wrong(self, pixels: Any, ranges: dict[str, str], possible: set[int]) -> str | None:
        first, last = map(int, ranges["z"].split(".."))
        right = np.arange(first + 1, last + 1)[:, None, None]
        there = (pixels == right).all(axis=(1, 2))
        absent = (pixels == 0).all(axis=(1, 2))
        may_be_absent = np.arange(first, last) > min(possible)
        may_be_there = np.arange(first, last) <= max(possible)
        well = (there & may_be_there) | (absent & may_be_absent)
        return None if well.all() else f"planes {ranges['z']} are {pixels[:, 0, 0]}, written are {possible}"


class Stacked(Lengthening):
    """A recipe whose folder gains sections."""

    name = "stacked.recipe.yaml"

    def change(self, state: int) -> None:
        sections = self.path.parent / "sections"
        if not sections.exists():
            sections.mkdir()
        tifffile.imwrite(sections / f".s{state:04}.tif", np.full((TILE, TILE), state + 1, np.uint16))
        os.replace(sections / f".s{state:04}.tif", sections / f"s{state:04}.tif")  # noqa: PTH105
        if not self.path.exists():
            self.path.write_text('recipe: stack\nthickness: 1 um\npattern: "sections/s{z:int}.tif"\n', encoding="utf-8")


class Series(Changing):
    """A DICOM folder that gains slices."""

    name = "series"
    calm = 20
    axes = "zyx"
    LEAST = 2

    def change(self, state: int) -> None:
        self.path.mkdir(exist_ok=True)
        for k in range(self.LEAST) if state == 0 else [state + self.LEAST - 1]:
            pixels = np.full((TILE, TILE), k + 1, np.int16)
            written(self.path / f".{k}", ct_slice(pixels, (0, 0, 2.5 * k), k + 1))
            os.replace(self.path / f".{k}", self.path / f"s{k:05}.dcm")  # noqa: PTH105

    def query(self, place: random.Random) -> dict[str, str]:
        first = place.randrange(TILE - 8)
        return {"y": f"{first}..{first + 8}"}

    def wrong(self, pixels: Any, ranges: dict[str, str], possible: set[int]) -> str | None:
        del ranges
        if len(pixels) - self.LEAST not in possible:
            return f"{len(pixels)} slices, not those of {sorted(possible)}"
        shown = pixels.reshape(len(pixels), -1)
        right = shown[0] + np.arange(len(pixels))[:, None]
        return None if (shown == right).all() else f"slices are {shown[:, 0]}"


class Plate(Changing):
    """A folder of a well's site, of which moments come, each of whose planes says which it is."""

    name = "plate"
    calm = 20
    axes = "tyx"
    LEAST = 2

    def change(self, state: int) -> None:
        for k in range(self.LEAST) if state == 0 else [state + self.LEAST - 1]:
            folder = self.path / f"TimePoint_{k + 1}"
            folder.mkdir(parents=True)
            tifffile.imwrite(folder / ".part", np.full((TILE, TILE), k + 1, np.uint16), metadata=None)
            os.replace(folder / ".part", folder / "rats_A01_s1_w1.tif")  # noqa: PTH105
        if state == 0:
            (self.path / "rats.HTD").write_text('"HTSInfoFile", Version 1.0\n"EndFile"\n', encoding="latin-1")

    query = Series.query

    def wrong(self, pixels: Any, ranges: dict[str, str], possible: set[int]) -> str | None:
        del ranges
        if len(pixels) - self.LEAST not in possible:
            return f"{len(pixels)} moments, not those of {sorted(possible)}"
        right = np.arange(1, len(pixels) + 1)[:, None, None]
        return None if (pixels == right).all() else f"moments are {pixels[:, 0, 0]}"


class GrowingN5(Changing):
    """A dataset in a container of N5 that gains planes; each is written before the attributes tell of it."""

    name = "growing.n5"
    axes = "zyx"

    def change(self, state: int) -> None:
        inside = self.path / "run" / "a"
        (inside / "0" / "0").mkdir(parents=True, exist_ok=True)
        if state == 0:
            (self.path / "attributes.json").write_text('{"n5": "2.5.1"}', encoding="utf-8")
        head = struct.pack(">HHIII", 0, 3, TILE, TILE, 1)
        block = head + np.full((TILE, TILE), state + 1, ">u2").tobytes()
        told = {"dimensions": [TILE, TILE, state + 1], "blockSize": [TILE, TILE, 1], "dataType": "uint16"}
        text = json.dumps({**told, "compression": {"type": "raw"}, "axes": ["x", "y", "z"]})
        for data, name in ((block, f"0/0/{state}"), (text.encode(), "attributes.json")):
            (inside / ".part").write_bytes(data)
            os.replace(inside / ".part", inside / name)  # noqa: PTH105

    query = Series.query
    wrong = Growing.wrong


class Appended(Changing):
    """HDF5 that is opened again and again, and gains planes where it lies."""

    name = "appended.h5"
    calm = 10
    axes = "zyx"

    def change(self, state: int) -> None:
        with h5py.File(self.path, "a") as file:
            if state == 0:
                file.create_dataset("run", (1, TILE, TILE), "u2", chunks=(1, TILE, TILE), maxshape=(None, TILE, TILE))
            file["run"].resize(state + 1, axis=0)
            file["run"][state] = state + 1

    query = Series.query

    def wrong(self, pixels: Any, ranges: dict[str, str], possible: set[int]) -> str | None:
        return Growing.wrong(self, pixels, ranges, possible)  # type: ignore[arg-type]


class Sharded(Changing):
    """A Zarr in one shard, which is replaced as a whole.

    Its metadata stay, so that pixels may be old for as long as somebody keeps them, yet never two in one chunk.
    """

    name = "sharded.zarr"

    def change(self, state: int) -> None:
        other = self.path.with_name(".sharded.zarr")
        size = SIDE // TILE * TILE
        made = zarr.create_array(
            other, shape=(size, size), chunks=(32, 32), shards=(size, size), dtype="u2", overwrite=True
        )
        made[...] = state + 1
        if self.path.exists():
            os.replace(other / "c" / "0" / "0", self.path / "c" / "0" / "0")  # noqa: PTH105
        else:
            os.replace(other, self.path)  # noqa: PTH105

    def query(self, place: random.Random) -> dict[str, str]:
        y, x = (place.randrange(4) * 32 for _ in "yx")
        return {"y": f"{y}..{y + 32}", "x": f"{x}..{x + 32}"}

    def wrong(self, pixels: Any, ranges: dict[str, str], possible: set[int]) -> str | None:
        del ranges
        value = int(pixels.flat[0])
        return (
            None if (pixels == value).all() and 1 <= value <= max(possible) + 1 else f"a chunk of {np.unique(pixels)}"
        )


ALL = (
    Replaced,
    ReplacedVolume,
    ReplacedInIsolation,
    Vanishing,
    Cut,
    Overwritten,
    Growing,
    FilledIn,
    Stacked,
    Series,
    Plate,
    GrowingN5,
    Appended,
    Sharded,
)
