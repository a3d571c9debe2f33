"""The mount as programs see it: the same bytes as through every other door, true sizes, clear errors, a clean end."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice
from pathlib import Path
from threading import Barrier
from time import sleep

import httpx
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from diascope.access import mountpoint
from diascope.access.ahead import BLOCK, NEAR, Ahead
from diascope.access.fuse import FRESH, REASON, Mounted
from diascope.commands.tree_at import tree_at
from diascope.errors import Unavailable, Unreadable
from diascope.tree.branch import Below
from diascope.tree.file import Entry, File, Tree, in_memory
from diascope.tree.walk import listed_files
from tests.mounts import Mount, mounted, needed

RANDOM = np.random.default_rng(5)
STACK = RANDOM.integers(0, 60_000, (2, 300, 400), dtype=np.uint16)
LARGE = RANDOM.integers(0, 60_000, (1200, 1100), dtype=np.uint16)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images") / "mounted"
    (folder / "deep").mkdir(parents=True)
    tifffile.imwrite(folder / "stack.tif", STACK, imagej=True, metadata={"axes": "ZYX"})
    tifffile.imwrite(folder / "large.tif", LARGE, tile=(256, 256), compression="zlib")
    colours = RANDOM.integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Pillow.fromarray(colours).save(folder / "deep" / "ä {x} #1.png")
    (folder / "broken.tif").write_bytes(b"II*\0")
    (folder / "notes.txt").write_text("nothing to see\n")
    return folder


@pytest.fixture(scope="module", params=["local", "remote"])
def mount(
    request: pytest.FixtureRequest,
    folder: Path,
    server: Callable[[Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mount]:
    needed()
    address = f"{server(folder)}/data/{folder.name}" if request.param == "remote" else folder
    with mounted(address, tmp_path_factory.mktemp("mount") / "top") as found:
        yield found
        assert "Traceback" not in found.log.read_text()


def tree_of(folder: Path) -> Tree:
    return Below(*tree_at(str(folder)))


def test_every_file_has_the_bytes_and_sizes_that_other_doors_give(
    mount: Mount, folder: Path, server: Callable[[Path], str]
) -> None:
    found = subprocess.run(["find", mount.top, "-type", "f"], capture_output=True, text=True, check=True, timeout=60)
    paths = {os.path.relpath(line, mount.top) for line in found.stdout.splitlines()}
    assert paths == set(listed_files(tree_of(folder), ""))
    assert len(paths) > 100
    with httpx.Client(base_url=f"{server(folder)}/data/{folder.name}/") as http:
        for path in sorted(paths):
            data = (mount.top / path).read_bytes()
            assert (mount.top / path).stat().st_size == len(data), path
            if not path.endswith("info.json"):  # it says by which URL it was asked for
                assert data == http.get(path.replace("#", "%23")).content, path


def test_cp_cmp_and_grep_work(mount: Mount, folder: Path, tmp_path: Path) -> None:
    def ran(*words: str | Path) -> str:
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout

    ran("cp", "-r", mount.top / "stack.tif" / "original", tmp_path / "copy")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "copy" / "stack.ome.tif"), STACK)
    ran("cmp", mount.top / "stack.tif" / "stored" / "stack.tif", folder / "stack.tif")
    assert "multiscales" in ran("grep", "-r", "multiscales", mount.top / "stack.tif" / "original" / "stack.ome.zarr")
    assert "notes.txt" in ran("ls", "-la", mount.top)


def test_random_places_are_read_by_many_threads(mount: Mount, folder: Path) -> None:
    path = "large.tif/original/large.ome.tif"
    file = tree_of(folder).file(path)
    assert file
    truth = file.read(0, None)
    with (mount.top / path).open("rb", buffering=0) as opened:
        descriptor = opened.fileno()

        def read(seed: int) -> None:
            place = random.Random(seed)  # noqa: S311
            for _ in range(40):
                start, length = place.randrange(len(truth)), place.choice([1, 100, 5000, 300_000])
                assert os.pread(descriptor, length, start) == truth[start : start + length], (start, length)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(read, range(8)))
        size = len(truth)
        assert os.fstat(descriptor).st_size == size
        assert os.pread(descriptor, 10, size) == b""
        assert os.pread(descriptor, 10, size + 1_000_000) == b""
        assert os.pread(descriptor, 10, size - 3) == truth[-3:]


def test_nothing_can_be_written(mount: Mount) -> None:
    top, file = mount.top, mount.top / "notes.txt"
    attempts: list[Callable[[], object]] = [
        lambda: file.open("a"),
        (top / "new").touch,
        (top / "new").mkdir,
        file.unlink,
        lambda: file.rename(top / "other"),
        lambda: file.chmod(0o777),
        lambda: os.truncate(file, 3),
        lambda: os.utime(file),
        lambda: (top / "link").symlink_to(file),
        lambda: os.setxattr(file, "user.mine", b""),
    ]
    for attempt in attempts:
        with pytest.raises(OSError) as caught:  # noqa: PT011
            attempt()
        assert caught.value.errno == errno.EROFS


def test_absent_is_absent_and_trouble_is_not(mount: Mount) -> None:
    for absent in ("nothing", "stack.tif/original/stack.ome.zarr/0/c/9/9/9", "stack.tif/no,such=view", "notes.txt/x"):
        with pytest.raises((FileNotFoundError, NotADirectoryError)):
            (mount.top / absent).stat()
    with pytest.raises(OSError, match="Input/output error") as caught:
        (mount.top / "broken.tif" / "original" / "broken.ome.tif").read_bytes()
    assert caught.value.errno == errno.EIO
    assert b"broken.tif" in os.getxattr(mount.top / "broken.tif", REASON)
    assert "broken.tif" in mount.log.read_text()
    with pytest.raises(OSError, match="not supported") as caught:
        (mount.top / "stack.tif" / "original" / "stack.dzi").read_bytes()
    assert b"render" in os.getxattr(mount.top / "stack.tif" / "original", REASON)
    with pytest.raises(OSError, match="No data"):
        os.getxattr(mount.top / "notes.txt", REASON)
    assert os.listxattr(mount.top / "notes.txt") == []


def test_attributes_are_the_same_on_every_mount(mount: Mount, tmp_path: Path) -> None:
    path = "stack.tif/original/stack.ome.tif"
    with mounted(mount.address, tmp_path / "second") as second:
        first, other = (mount.top / path).stat(), (second.top / path).stat()
    assert first.st_nlink == 1
    assert first.st_mode == 0o100444
    assert first.st_ino == other.st_ino
    assert (first.st_size, first.st_uid) == (other.st_size, os.getuid())
    assert first.st_mtime_ns == other.st_mtime_ns
    listed = {entry.name: entry.inode() for entry in os.scandir((mount.top / path).parent)}
    assert listed["stack.ome.tif"] == first.st_ino


def test_a_file_that_was_replaced_is_read_anew_and_never_mixed(tmp_path: Path) -> None:
    needed()
    folder = tmp_path / "changing"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", STACK[0])
    with mounted(folder, tmp_path / "top", DIASCOPE_REFRESH_SECONDS="0") as mount:
        path = mount.top / "a.tif" / "original" / "a.nii"
        before, time = path.read_bytes(), path.stat().st_mtime_ns
        with path.open("rb", buffering=0) as old:
            tifffile.imwrite(folder / "new", STACK[1])
            (folder / "new").rename(folder / "a.tif")
            sleep(FRESH + 0.3)
            assert path.read_bytes()[352:] == STACK[1].tobytes()
            assert before[352:] == STACK[0].tobytes()
            assert path.stat().st_mtime_ns != time
            os.posix_fadvise(old.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            with pytest.raises(OSError, match="Stale"):
                os.pread(old.fileno(), 100, 200_000)
        assert path.read_bytes()[352:] == STACK[1].tobytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_unmounts(folder: Path, tmp_path: Path, number: signal.Signals) -> None:
    needed()
    with mounted(folder, tmp_path / "top") as mount:
        assert mount.top.is_mount()
        mount.process.send_signal(number)
        assert mount.process.wait(20) == 0, mount.log.read_text()
        assert not mount.top.is_mount()
        assert list(mount.top.iterdir()) == []
        assert mount.log.read_text() == ""


def test_what_a_killed_process_leaves_is_freed_by_the_next(folder: Path, tmp_path: Path) -> None:
    needed()
    top = tmp_path / "top"
    with mounted(folder, top) as first:
        first.process.kill()
        first.process.wait(20)
        with pytest.raises(OSError, match="not connected"):
            top.stat()
        with mounted(folder, top) as second:
            assert (second.top / "notes.txt").read_text() == "nothing to see\n"
            again = refused("mount", str(folder), str(top))
            assert "mounted" in again


def refused(*words: str, **environment: str) -> str:
    """What the command line says where it refuses."""
    done = subprocess.run(
        [sys.executable, "-m", "diascope", *words],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    return done.stderr


def test_what_cannot_be_mounted_is_said(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed()
    assert "not empty" in refused("mount", str(folder), str(folder))
    assert "no folder" in refused("mount", str(folder / "notes.txt"), str(tmp_path / "top"))
    assert "nothing to mount" in refused("mount", str(tmp_path / "top"))
    without = refused("mount", str(folder), str(tmp_path / "top"), FUSE_LIBRARY_PATH="/nowhere/libfuse.so")
    assert "apt-get install fuse3" in without
    monkeypatch.setattr(mountpoint, "DEVICE", tmp_path / "fuse")
    with pytest.raises(Unavailable, match="modprobe fuse"):
        mountpoint.library()


class Endless:
    """A folder of more files than anybody lists, counting how many were made."""

    def __init__(self) -> None:
        self.made = 0

    def file(self, path: str) -> File | None:
        return in_memory(b"", "text/plain") if path else None

    def entries(self, path: str) -> Iterator[Entry] | None:
        return None if path else self._entries()

    def _entries(self) -> Iterator[Entry]:
        for k in count():
            self.made += 1
            yield Entry(f"file {k}", is_folder=False)
            yield Entry("no/name", is_folder=False)


def test_a_folder_is_listed_as_far_as_there_is_room() -> None:
    tree = Endless()
    mounted_tree = Mounted(tree, threads=1)
    number, offset, names = mounted_tree.opendir("/"), 0, []
    for room in (3, 1, 20):
        items = list(islice(mounted_tree.readdir_with_offset("/", offset, number), room + 1))
        names += [name for name, _, _ in items[:room]]  # the kernel had no room for the last
        offset = items[room - 1][2]
    assert names == [".", "..", *(f"file {k}" for k in range(22))]
    assert tree.made < 30
    assert next(mounted_tree.readdir_with_offset("/", 0, number))[0] == "."
    assert next(mounted_tree.readdir_with_offset("/", 7, number))[0] == "file 5"
    assert mounted_tree.releasedir("/", number) == 0


class Failing(Endless):
    def _entries(self) -> Iterator[Entry]:
        yield Entry("first", is_folder=False)
        raise Unreadable("the rest is gone")


def test_trouble_within_a_folder_is_not_its_end() -> None:
    tree = Mounted(Failing(), threads=1)
    number = tree.opendir("/")
    for offset in (0, 3, 3):
        with pytest.raises(OSError, match="the rest is gone") as caught:
            list(tree.readdir_with_offset("/", offset, number))
        assert caught.value.errno == errno.EIO
    assert tree.getxattr("/", REASON) == b"the rest is gone"


def test_a_file_that_is_shorter_than_it_said_is_trouble() -> None:
    short = File(media_type="x", size=3 * BLOCK, read=lambda start, stop: b"x")
    reader = Ahead(1).reader(short, 3 * BLOCK)
    for start in (0, 2 * BLOCK):
        with pytest.raises(Unreadable, match="1 bytes came"):
            reader.read(start, start + 100)


def test_the_next_blocks_are_made_while_one_is() -> None:
    """Making takes longer than reading: who waits for a block has others to come made by other threads."""
    together = Barrier(3, timeout=20)

    def read(start: int, stop: int | None) -> bytes:
        if start < 3 * BLOCK:
            together.wait()
        return bytes((stop or 0) - start)

    reader = Ahead(2).reader(File(media_type="x", size=6 * BLOCK, read=read), 6 * BLOCK)
    assert all(len(reader.read(k * BLOCK, (k + 1) * BLOCK)) == BLOCK for k in range(6))


def test_reading_ahead_gives_the_bytes_in_any_order() -> None:
    data = RANDOM.integers(0, 256, 5 * BLOCK + 77, dtype=np.uint8).tobytes()
    reads: list[tuple[int, int | None]] = []

    def read(start: int, stop: int | None) -> bytes:
        reads.append((start, stop))
        return data[start:stop]

    reader = Ahead(2).reader(File(media_type="x", size=len(data), read=read), len(data))
    assert b"".join(reader.read(start, start + 100_000) for start in range(0, len(data) + 1, 100_000)) == data
    assert len(reads) == len(set(reads)) == 6, "every block is made once"
    place = random.Random(1)  # noqa: S311
    for _ in range(200):
        start, length = place.randrange(len(data) + 10), place.choice([1, 1000, NEAR, 2 * BLOCK])
        assert reader.read(start, start + length) == data[start : start + length]
