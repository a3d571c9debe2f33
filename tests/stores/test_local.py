"""A local folder as a store."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diascope.errors import BadRequest, Forbidden, NotFound, Unreadable
from diascope.stores.local import LocalStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "file").write_bytes(b"0123456789")
    (root / ".hidden").write_bytes(b"")
    (root / "in").symlink_to("folder/file")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "out-file").symlink_to(tmp_path / "outside" / "secret")
    (root / "dangling").symlink_to("nowhere")
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "fifo")
    return root


def test_it_reads_any_part_of_a_file(root: Path) -> None:
    blob = LocalStore(root).open("folder/file")
    assert blob.read(2, 5) == b"234"
    assert blob.read(8, 50) == b"89"
    assert blob.read(50, 60) == b""
    assert blob.read(5, 2) == b""
    assert blob.stat.size == 10


def test_a_link_inside_is_followed_and_one_that_leaves_is_refused(root: Path) -> None:
    store = LocalStore(root)
    assert store.read("in") == b"0123456789"
    for path in ("out", "out/secret", "out-file"):
        for look in (store.stat, store.open, store.read):
            with pytest.raises(Forbidden, match="leads out"):
                look(path)
    assert LocalStore(root, follow_links=True).read("out/secret") == b"secret"


@pytest.mark.parametrize(
    "path", ["..", "../outside/secret", "folder/../../outside", "/etc/passwd", "a//b", "./x", "x\0y"]
)
def test_paths_that_climb_are_refused(root: Path, path: str) -> None:
    for look in (LocalStore(root).stat, LocalStore(root).open, LocalStore(root).read):
        with pytest.raises(BadRequest):
            look(path)


def test_listing_hides_what_is_hidden_broken_or_leads_out(root: Path) -> None:
    assert sorted(LocalStore(root).names("")) == [("fifo", False), ("folder", True), ("in", False)]


def test_absent_is_none_and_a_folder_is_no_file(root: Path) -> None:
    store = LocalStore(root)
    assert store.stat("nothing") is None
    assert store.stat("folder/file/below") is None
    assert store.read("nothing") is None
    for path in ("nothing", "folder"):
        with pytest.raises(NotFound):
            store.open(path)


def test_trouble_names_the_path_and_the_reason(root: Path) -> None:
    for look in (LocalStore(root, follow_links=True).stat, LocalStore(root, follow_links=True).open):
        with pytest.raises(Unreadable, match=r"loop: Too many levels of symbolic links"):
            look("loop")


def test_a_pipe_does_not_block(root: Path) -> None:
    with pytest.raises(NotFound):
        LocalStore(root).open("fifo")


def test_what_lies_outside_is_refused_whether_it_is_there_or_not(root: Path) -> None:
    (root / "missing").symlink_to(root.parent / "outside" / "nothing")
    (root / "cousin").symlink_to(f"{root}2")
    root.with_name(f"{root.name}2").mkdir()
    (root.with_name(f"{root.name}2") / "file").write_bytes(b"not yours")
    for path in ("out-file", "out", "out/secret", "missing", "out/nothing", "cousin/file"):
        for look in (LocalStore(root).read, LocalStore(root).open):
            with pytest.raises(Forbidden):
                look(path)
    assert LocalStore(root, follow_links=True).read("cousin/file") == b"not yours"
    assert LocalStore(root).read("fifo") is None


def test_the_version_changes_when_the_file_does(root: Path) -> None:
    store = LocalStore(root)
    before = store.stat("folder/file")
    (root / "folder" / "file").write_bytes(b"0123456780")
    after = store.stat("folder/file")
    assert before
    assert after
    assert before.version != after.version


def test_descriptors_are_closed_when_nobody_holds_the_file(root: Path) -> None:
    store = LocalStore(root)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(50):
        store.open("folder/file").read(0, 1)
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # noqa: PTH208
