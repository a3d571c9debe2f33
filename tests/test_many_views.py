"""Many images and many views of them: a server keeps its memory within its settings, however many anybody thinks of.

``python -m pytest tests/test_many_views.py`` takes a fifth of what ``DIASCOPE_LONG=1`` has it take: 1,000 images of
several formats and 10,000 views.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import nibabel
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pictures

LONG = bool(os.environ.get("DIASCOPE_LONG"))
IMAGES = 1000 if LONG else 200
VIEWS = 10_000 if LONG else 2000
SIDE = 96
MEBIBYTE = 1 << 20
CACHES = {
    "CHUNK_CACHE": 16 * MEBIBYTE,
    "FILE_CACHE": 8 * MEBIBYTE,
    "READER_CACHE": 16 * MEBIBYTE,
    "OPEN_DATASETS": 64,
    "READER_PROCESSES": 1,
    "THREADS": 2,
}
SLACK = 40 * MEBIBYTE
"""What may come beyond what the settings' caches could still take: records of views, and what the allocator holds."""

Pixels = NDArray[Any]


def as_tiff(path: Path, pixels: Pixels) -> Path:
    tifffile.imwrite(path.with_suffix(".tif"), pixels, tile=(32, 32), compression="zlib")
    return path.with_suffix(".tif")


def as_png(path: Path, pixels: Pixels) -> Path:
    Pictures.fromarray(pixels).save(path.with_suffix(".png"))
    return path.with_suffix(".png")


def as_nifti(path: Path, pixels: Pixels) -> Path:
    whole = path.with_suffix(".nii.gz")
    whole.write_bytes(gzip.compress(nibabel.Nifti1Image(pixels.T[..., None], np.eye(4)).to_bytes(), 1))
    return whole


def as_nrrd(path: Path, pixels: Pixels) -> Path:
    head = f"NRRD0004\ntype: uint16\ndimension: 2\nsizes: {SIDE} {SIDE}\nendian: little\nencoding: raw\n\n"
    path.with_suffix(".nrrd").write_bytes(head.encode() + pixels.astype("<u2").tobytes())
    return path.with_suffix(".nrrd")


WRITERS: tuple[Callable[[Path, Pixels], Path], ...] = (as_tiff, as_png, as_nifti, as_nrrd)


def written(folder: Path) -> list[Path]:
    """So many images, no two of which are the same."""
    folder.mkdir()
    base = np.add.outer(np.arange(SIDE, dtype=np.uint16) * 300, np.arange(SIDE, dtype=np.uint16) * 200)
    return [WRITERS[k % len(WRITERS)](folder / f"image{k}", base + np.uint16(k)) for k in range(IMAGES)]


def stem(path: Path) -> str:
    return path.name.partition(".")[0]


def addresses(images: list[Path]) -> Iterator[str]:
    """A picture and a chunk of each view; no view is that of another address."""
    for k in range(VIEWS):
        image = images[k * 7919 % len(images)]
        limits = f"low={k % 500},high={20_000 + k}"
        if k % 3:
            yield f"/data/lab/{image.name}/window,{limits}~render/{stem(image)}_files/7/0_0.jpeg"
        else:
            yield f"/data/lab/{image.name}/window,{limits}/{stem(image)}.ome.zarr/zarr.json"


def resident(process: subprocess.Popen[str]) -> int:
    """Bytes of memory that belong to a process alone."""
    told = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    return 1024 * int(re.search(r"^Anonymous:\s+(\d+)", told, re.MULTILINE)[1])  # type: ignore[index]


def handles(process: subprocess.Popen[str]) -> int:
    return len(list(Path(f"/proc/{process.pid}/fd").iterdir()))


@pytest.mark.timeout(1800 if LONG else 300)
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is read as Linux tells it")
def test_many_images_and_views_stay_within_the_settings(tmp_path: Path) -> None:
    images = written(tmp_path / "lab")
    environment = os.environ | {f"DIASCOPE_{name}": str(value) for name, value in CACHES.items()}
    words = [sys.executable, "-m", "diascope", "serve", str(tmp_path / "lab"), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path) as server:
        try:
            assert server.stdout
            address = urlsplit(server.stdout.readline().split()[-1])
            connection = HTTPConnection(address.hostname or "", address.port, timeout=60)
            memory, files = [], []
            for k, path in enumerate(addresses(images)):
                connection.request("GET", path)
                answer = connection.getresponse()
                data = answer.read()
                assert answer.status == 200, (path, answer.status, data[:500])
                if k % (VIEWS // 10) == VIEWS // 10 - 1:
                    memory.append(resident(server))
                    files.append(handles(server))
            connection.close()
        finally:
            server.terminate()
            server.wait(30)
    told = f"MiB of memory: {[each // MEBIBYTE for each in memory]}, open files: {files}"
    caches = CACHES["CHUNK_CACHE"] + CACHES["FILE_CACHE"] + CACHES["READER_CACHE"]
    assert memory[-1] < 300 * MEBIBYTE + caches, told
    assert memory[-1] - memory[4] < SLACK, told
    # Those of the datasets that may stay open, and of what was opened beside.
    assert max(files) < 100 + 2 * CACHES["OPEN_DATASETS"], told
