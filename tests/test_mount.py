"""What programs make of a mount: those that know nothing but files, each judging the pixels that it reads."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import nibabel
import numpy as np
import openslide
import pytest
import tifffile

from diascope.tree.branch import Below
from diascope.tree.walk import listed_files
from tests.judges import bioformats, libtiff, tensor_store, zarr_python
from tests.judges.required import required
from tests.mounts import Mount, mounted, needed

SOAK = float(os.environ.get("DIASCOPE_SOAK_SECONDS", "12"))
READERS = 12
RANDOM = np.random.default_rng(6)
CELLS = RANDOM.integers(0, 60_000, (3, 2, 200, 300), dtype=np.uint16)  # z, c, y, x
SLIDE = RANDOM.integers(0, 256, (1100, 900, 3), dtype=np.uint8)
HEAD = RANDOM.integers(-1000, 1000, (9, 30, 40), dtype=np.int16)  # z, y, x

pytestmark = pytest.mark.judge


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images") / "judged"
    folder.mkdir()
    tifffile.imwrite(folder / "cells.tif", CELLS, imagej=True, metadata={"axes": "ZCYX"})
    tifffile.imwrite(folder / "slide.tif", SLIDE, tile=(256, 256), photometric="rgb")
    nibabel.Nifti1Image(HEAD.T, np.diag([1.0, 2.0, 3.0, 1.0])).to_filename(folder / "head.nii.gz")
    return folder


@pytest.fixture(scope="module")
def mount(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mount]:
    needed()
    with mounted(folder, tmp_path_factory.mktemp("mount") / "top") as found:
        yield found
        assert found.log.read_text() == ""


@pytest.fixture(scope="module")
def cells(mount: Mount) -> Path:
    """The views of the cells."""
    return mount.top / "cells.tif" / "original"


def test_tifffile_reads_through_memory_that_is_mapped(cells: Path) -> None:
    np.testing.assert_array_equal(tifffile.imread(cells / "cells.ome.tif"), CELLS.transpose(1, 0, 2, 3))
    with (cells / "cells.nii").open("rb") as file:
        mapped = np.memmap(file, "u1", mode="r")
        assert mapped.tobytes() == (cells / "cells.nii").read_bytes()


def test_nibabel_reads_the_volume(mount: Mount) -> None:
    image = nibabel.load(mount.top / "head.nii.gz" / "original" / "head.nii")
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, HEAD)
    np.testing.assert_array_equal(np.diag(image.affine), [1, 2, 3, 1])


@pytest.mark.parametrize("name", ["cells.ome.zarr", "cells.zarr2.ome.zarr"])
def test_zarr_python_reads_every_version(cells: Path, name: str) -> None:
    found = zarr_python.group(str(cells / name))["0"][...]
    np.testing.assert_array_equal(found.squeeze(), CELLS.transpose(1, 0, 2, 3))


def test_tensorstore_reads_zarr_and_precomputed_by_its_file_driver(cells: Path) -> None:
    found = tensor_store.array("zarr3", str(cells / "cells.ome.zarr" / "0"))
    np.testing.assert_array_equal(found.squeeze(), CELLS.transpose(1, 0, 2, 3))
    np.testing.assert_array_equal(tensor_store.volume(str(cells / "cells.precomputed")), CELLS.transpose(3, 2, 0, 1))


def test_openslide_reads_the_slide(mount: Mount) -> None:
    with openslide.OpenSlide(mount.top / "slide.tif" / "original" / "slide.ome.tif") as slide:
        assert slide.dimensions == (900, 1100)
        seen = np.asarray(slide.read_region((100, 200), 0, (500, 600)))[..., :3]
    np.testing.assert_array_equal(seen, SLIDE[200:800, 100:600])


def test_libtiff_tells_of_and_copies_the_image(mount: Mount, tmp_path: Path) -> None:
    required(libtiff.missing())
    path = mount.top / "slide.tif" / "original" / "slide.ome.tif"
    told = subprocess.run(["tiffinfo", path], capture_output=True, text=True, check=True, timeout=60)
    assert "Image Width: 900 Image Length: 1100" in told.stdout
    copy = libtiff.copied(path, tmp_path / "copy.tif")
    assert isinstance(copy, Path), copy
    np.testing.assert_array_equal(tifffile.imread(copy, key=0), SLIDE)


def test_bioformats_reads_every_plane(cells: Path, tmp_path: Path) -> None:
    required(bioformats.missing())
    copy = bioformats.converted(cells / "cells.ome.tif", tmp_path / "copy.ome.tif")
    assert isinstance(copy, Path), copy
    with tifffile.TiffFile(copy) as tiff:
        assert sorted(tiff.series[0].axes) == sorted("ZCYX")
        order = [tiff.series[0].axes.index(name) for name in "ZCYX"]
        np.testing.assert_array_equal(tiff.series[0].asarray().transpose(order), CELLS)


READER = """
import json, os, random, sys, zlib
top, truth, progress = sys.argv[1:4]
place = random.Random(int(sys.argv[4]))
files = json.load(open(os.path.join(truth, "index.json")))
out = os.open(progress, os.O_WRONLY | os.O_APPEND)
while True:
    path, number, size = place.choice(files)
    start = place.randrange(size)
    length = place.choice([1, 4096, 70_000, 2_000_000])
    file = os.open(os.path.join(top, path), os.O_RDONLY)
    data = b""
    while len(data) < min(length, size - start):
        data += os.pread(file, length - len(data), start + len(data)) or sys.exit(f"{path} ends at {start + len(data)}")
    with open(os.path.join(truth, number), "rb") as right:
        right.seek(start)
        if right.read(length) != data:
            os.write(out, f"WRONG {path} {start} {length}\\n".encode())
            sys.exit(1)
    if place.random() < 0.3:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)
    os.write(out, b".")
"""


def test_readers_that_are_killed_and_restarted_never_see_a_wrong_byte(
    mount: Mount, folder: Path, tmp_path: Path
) -> None:
    """Twelve at a time, for ``DIASCOPE_SOAK_SECONDS``; what was read before is dropped by the kernel now and then."""
    soak(mount.top, folder, tmp_path, SOAK * 2 / 3)


def test_nor_do_they_on_a_server(folder: Path, server: Callable[[Path], str], tmp_path: Path) -> None:
    needed()
    with mounted(f"{server(folder)}/data/{folder.name}", tmp_path / "top") as found:
        soak(found.top, folder, tmp_path, SOAK / 3)
        assert found.log.read_text() == ""


def soak(top: Path, folder: Path, scratch: Path, seconds: float) -> None:
    """Read what is mounted, and compare it with what was made without any mount."""
    truth, progress = scratch / "truth", scratch / "progress"
    write_truth(folder, truth)
    progress.touch()
    place = random.Random(8)  # noqa: S311
    readers: list[subprocess.Popen[bytes]] = []
    killed, end = 0, monotonic() + seconds
    try:
        while monotonic() < end:
            while len(readers) < READERS:
                seed = str(place.randrange(10**9))
                words = [sys.executable, "-S", "-c", READER, str(top), str(truth), str(progress), seed]
                readers.append(subprocess.Popen(words, stderr=subprocess.PIPE))
            sleep(place.uniform(0.05, 0.4))
            one = readers.pop(place.randrange(READERS))
            assert one.poll() is None, (one.communicate(timeout=20), progress.read_text()[-300:].strip("."))
            one.kill()
            one.communicate(timeout=20)
            killed += 1
        assert all(one.poll() is None for one in readers)
    finally:
        for one in readers:
            one.kill()
            one.communicate(timeout=20)
    said = progress.read_text()
    assert "WRONG" not in said, said.replace(".", "")
    assert said.count(".") > 5 * seconds, "they hardly read"
    assert killed > seconds / 2


def write_truth(folder: Path, target: Path) -> None:
    """The bytes of the representations without any mount, in files with numbers for names."""
    from diascope.commands.tree_at import tree_at

    target.mkdir()
    tree = Below(*tree_at(str(folder)))
    index = []
    # What a IIIF image says of itself has its URL, and is another on a server.
    paths = [path for path in listed_files(tree, "") if "/original/" in path and not path.endswith("info.json")]
    for number, path in enumerate(paths):
        file = tree.file(path)
        assert file
        data = file.read(0, None)
        (target / str(number)).write_bytes(data)
        index.append((path, str(number), len(data)))
    # As many reads of the few large files as of the many small ones.
    large = [each for each in index if each[2] > 300_000]
    (target / "index.json").write_text(json.dumps(index + large * (len(index) // len(large))))
