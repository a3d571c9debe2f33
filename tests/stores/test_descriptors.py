"""However many files are held, few are open, and what is read of them is right."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from diascope.errors import Changed
from diascope.stores import local
from diascope.stores.descriptors import Holders
from diascope.stores.local import LocalStore

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="open files are counted by /proc")

FILES, MOST = 300, 20


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Holders:
    holders = Holders(MOST)
    monkeypatch.setattr(local, "holders", holders)
    return holders


def files_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_few_are_open_and_many_threads_read_them(tmp_path: Path, few: Holders) -> None:
    for k in range(FILES):
        (tmp_path / f"{k}").write_bytes(k.to_bytes(2, "big") * 100)
    before = files_open()
    blobs = [LocalStore(tmp_path).open(f"{k}") for k in range(FILES)]
    assert len(few) <= MOST
    assert files_open() <= before + MOST
    wrong: list[int] = []

    def read(seed: int) -> None:
        place = random.Random(seed)  # noqa: S311
        for _ in range(2000):
            k = place.randrange(FILES)
            if blobs[k].read(10, 20) != k.to_bytes(2, "big") * 5:
                wrong.append(k)

    threads = [Thread(target=read, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert files_open() <= before + MOST + 1
    blobs.clear()
    assert len(few) == 0


def test_one_that_has_rested_is_the_same_or_told_as_changed(tmp_path: Path, few: Holders) -> None:
    assert few.most == MOST
    for k in range(FILES):
        (tmp_path / f"{k}").write_bytes(b"before")
    first, gone, *others = [LocalStore(tmp_path).open(f"{k}") for k in range(FILES)]
    (tmp_path / "new").write_bytes(b"behind")
    os.replace(tmp_path / "new", tmp_path / "0")  # noqa: PTH105
    (tmp_path / "1").unlink()
    for blob in (first, gone):
        with pytest.raises(Changed):
            blob.read(0, 6)
    assert all(blob.read(0, 6) == b"before" for blob in others)


SERVED = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
from tests.sources import dicom_files, micro_files, plate_files
from tests.sources.test_growing import images, opened, repository
root = Path(sys.argv[1])
kinds = {"dicom": dicom_files.ct_series, "plate": plate_files.imagexpress_flat, "run": micro_files.new}
names = []
for kind, write in kinds.items():
    for k in range(40):
        write(root / f"{kind}{k}")
        names.append(f"{kind}{k}")
place = repository(root, 0)
for name in names:
    for image in images(opened(place, name).dataset).values():
        assert image[...].any()
print(len(place.datasets))
"""


def test_hundreds_of_datasets_of_many_files_need_few_open_files(tmp_path: Path) -> None:
    words = [sys.executable, "-W", "ignore", "-c", SERVED, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["120"]
