"""The files that are spoilt: the samples of each source, and small shared images of its format."""

from __future__ import annotations

import random
import shutil
import warnings
from pathlib import Path

import numpy as np
import tifffile

from diascope.catalogue.opening import source_of
from diascope.errors import DiascopeError
from diascope.stores.local import LocalStore
from tests.conftest import shared_data_folder
from tests.fuzz.mutations import spoilt
from tests.sources.test_contract import SAMPLES

LARGEST = 300_000
"""Bytes of a shared image that is spoilt, with all its files."""


def seeds(source: str, folder: Path) -> list[Path]:
    """Files and folders of a source, written into a folder or lying among the shared images."""
    made = []
    for name, write in SAMPLES[source].items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            write(folder / name)
        made.append(folder / name)
    return made + distrusted(source, folder) + shared(source)


def distrusted(source: str, folder: Path) -> list[Path]:
    """Files of which workers decode the pixels, though the rest is read in the process that asks."""
    if source != "tiff":
        return []
    pixels = np.random.default_rng(0).integers(0, 255, (40, 52, 3), np.uint8)
    made = [folder / f"distrusted-{compression}.tif" for compression in ("jpegxr", "png", "lerc", "webp", "jpegxl")]
    for path in made:
        tifffile.imwrite(path, pixels, photometric="rgb", compression=path.stem.partition("-")[2])
    return made


def shared(source: str) -> list[Path]:
    """Those small shared images that a source opens."""
    top = shared_data_folder()
    if top is None:
        return []
    rows = [line.split("\t") for line in (top / "manifest.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    paths = [top / row[0] for row in rows if int(row[5]) <= LARGEST and row[3] != "malformed"]
    return [path for path in paths if _opens(source, path)]


def _opens(source: str, path: Path) -> bool:
    store = LocalStore(path.parent)
    stat = store.stat(path.name)
    try:
        found = source_of(store, path.name, stat) if stat else None
    except DiascopeError:
        return False
    return found is not None and found.name == source


def case(seed: Path, folder: Path, chance: random.Random) -> Path:
    """A spoilt copy of a file in a folder, with what lies beside it; of several files one or two are spoilt."""
    target = folder / seed.name
    if seed.is_dir():
        shutil.copytree(seed, target)
    else:
        for beside in seed.parent.iterdir() if len(list(seed.parent.iterdir())) <= 3 else [seed]:
            copy = shutil.copytree if beside.is_dir() else shutil.copyfile
            copy(beside, folder / beside.name)
    for victim in victims(target, folder, chance):
        victim.write_bytes(spoilt(victim.read_bytes(), chance))
    return target


def victims(target: Path, folder: Path, chance: random.Random) -> list[Path]:
    """The file itself, or now and then what lies beside it; of a folder the small ones, which describe the others."""
    files = sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: (path.stat().st_size, path))
    small = files[: max(len(files) // 2, 5)]
    found = [chance.choice(small)] if target.is_dir() or chance.random() < 0.2 else [target]
    return found + [chance.choice(files)] * (chance.random() < 0.2)
