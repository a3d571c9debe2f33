"""The soak: readers that are killed and restarted at random on a mount never see a wrong byte.

``DIASCOPE_SOAK_SECONDS`` says how long it takes in all: a minute with CI=true, less on a developer's machine, a night
on demand.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import nibabel
import numpy as np
import pytest
import tifffile

from diascope.tree.branch import Below
from diascope.tree.walk import listed_files
from tests.judges.required import in_ci
from tests.mounts import mounted, needed

SOAK = float(os.environ.get("DIASCOPE_SOAK_SECONDS", "60" if in_ci() else "18"))
READERS = 12
RANDOM = np.random.default_rng(6)

pytestmark = pytest.mark.timeout(SOAK + 240)

READER = """
import json, os, random, sys, time
top, truth, progress = sys.argv[1:4]
place, patient = random.Random(int(sys.argv[4])), sys.argv[5] == "patient"
files = json.load(open(os.path.join(truth, "index.json")))
out = os.open(progress, os.O_WRONLY | os.O_APPEND)

def look(path, number, size):
    start = place.randrange(size)
    length = place.choice([1, 4096, 70_000, 2_000_000])
    file = os.open(os.path.join(top, path), os.O_RDONLY)
    try:
        data = b""
        while len(data) < min(length, size - start):
            more = os.pread(file, length - len(data), start + len(data))
            if not more:
                os.write(out, f"WRONG {path} ends at {start + len(data)}\\n".encode())
                sys.exit(1)
            data += more
        with open(os.path.join(truth, number), "rb") as right:
            right.seek(start)
            if right.read(length) != data:
                os.write(out, f"WRONG {path} {start} {length}\\n".encode())
                sys.exit(1)
        if place.random() < 0.3:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(file)
    os.write(out, b".")

while True:
    try:
        look(*place.choice(files))
    except OSError:
        if not patient:
            raise
        time.sleep(0.02)
"""
"""Reads at random and compares; a patient one goes on where there is no mount for a while, but for no wrong byte."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images") / "soaked"
    folder.mkdir()
    cells = RANDOM.integers(0, 60_000, (3, 2, 200, 300), dtype=np.uint16)
    tifffile.imwrite(folder / "cells.tif", cells, imagej=True, metadata={"axes": "ZCYX"})
    slide = RANDOM.integers(0, 256, (1100, 900, 3), dtype=np.uint8)
    tifffile.imwrite(folder / "slide.tif", slide, tile=(256, 256), photometric="rgb")
    head = RANDOM.integers(-1000, 1000, (40, 30, 9), dtype=np.int16)
    nibabel.Nifti1Image(head, np.diag([1.0, 2.0, 3.0, 1.0])).to_filename(folder / "head.nii.gz")
    return folder


@pytest.fixture(scope="module")
def truth(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the files of the representations are, made without any mount."""
    target = tmp_path_factory.mktemp("truth") / "truth"
    write_truth(folder, target)
    return target


def test_readers_that_are_killed_and_restarted_never_see_a_wrong_byte(
    folder: Path, truth: Path, tmp_path: Path
) -> None:
    """Twelve at a time; what was read before is dropped by the kernel now and then."""
    needed()
    with mounted(folder, tmp_path / "top", longest=SOAK + 120) as found:
        soak(found.top, truth, tmp_path / "progress", SOAK / 2)
        assert found.log.read_text() == ""


def test_nor_do_they_on_a_server(folder: Path, truth: Path, server: Callable[[Path], str], tmp_path: Path) -> None:
    needed()
    with mounted(f"{server(folder)}/data/{folder.name}", tmp_path / "top", longest=SOAK + 120) as found:
        soak(found.top, truth, tmp_path / "progress", SOAK / 4)
        assert found.log.read_text() == ""


def test_nor_do_they_where_the_mounting_process_is_killed_and_restarted(
    folder: Path, truth: Path, tmp_path: Path
) -> None:
    """Without a mount there are errors, never other bytes, nor an end of file."""
    needed()
    with remounted(folder, tmp_path / "top") as restarts:
        soak(tmp_path / "top", truth, tmp_path / "progress", SOAK / 4, patient=True)
    assert len(restarts) > 1


def test_a_wrong_byte_is_noticed(folder: Path, truth: Path, tmp_path: Path) -> None:
    """The truth with one byte flipped stands for a mount that flips it."""
    needed()
    index = json.loads((truth / "index.json").read_text())
    path, number, size = max(index, key=lambda each: each[2])
    other = tmp_path / "other"
    other.mkdir()
    data = bytearray((truth / number).read_bytes())
    for place in range(0, size, 4096):
        data[place] ^= 1
    (other / number).write_bytes(data)
    (other / "index.json").write_text(json.dumps([[path, number, size]]))
    with mounted(folder, tmp_path / "top") as found, pytest.raises(AssertionError, match="WRONG"):
        soak(found.top, other, tmp_path / "progress", 3)


@contextmanager
def remounted(folder: Path, top: Path) -> Iterator[list[int]]:
    """A mount whose process is killed at random and started again; gives the processes that there were."""
    processes: list[int] = []
    ready, over, place = Event(), Event(), random.Random(5)  # noqa: S311

    def again() -> None:
        while not over.is_set():
            with mounted(folder, top) as found:
                processes.append(found.process.pid)
                ready.set()
                over.wait(place.uniform(0.5, 2))
                found.process.kill()

    thread = Thread(target=again)
    thread.start()
    try:
        assert ready.wait(60)
        yield processes
    finally:
        over.set()
        thread.join(60)


def soak(top: Path, truth: Path, progress: Path, seconds: float, *, patient: bool = False) -> None:
    """Read what is mounted, and compare it with the truth."""
    progress.touch()
    place = random.Random(8)  # noqa: S311
    readers: list[subprocess.Popen[bytes]] = []
    killed, end = 0, monotonic() + seconds
    try:
        while monotonic() < end:
            while len(readers) < READERS:
                words = [str(top), str(truth), str(progress), str(place.randrange(10**9)), "patient" if patient else ""]
                readers.append(subprocess.Popen([sys.executable, "-S", "-c", READER, *words], stderr=subprocess.PIPE))
            sleep(place.uniform(0.05, 0.4))
            one = readers.pop(place.randrange(READERS))
            assert one.poll() is None, (one.communicate(timeout=20), progress.read_text()[-300:].strip("."))
            one.kill()
            one.communicate(timeout=20)
            killed += 1
        assert all(one.poll() is None for one in readers), progress.read_text()[-300:].strip(".")
    finally:
        for one in readers:
            one.kill()
            one.communicate(timeout=20)
    said = progress.read_text()
    assert "WRONG" not in said, said.replace(".", "")
    assert said.count(".") > seconds * (1 if patient else 5), "they hardly read"
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
