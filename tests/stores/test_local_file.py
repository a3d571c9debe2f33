"""Copies for libraries that read local files only: bounded, shared, and gone when nobody wants them."""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pytest

from diascope.errors import NotFound, Overloaded, Unavailable, Unreadable
from diascope.stores import copies as copies_module
from diascope.stores.copies import Copies, _leave, _own_folder, sweep
from diascope.stores.local import LocalStore
from diascope.stores.local_file import LocalFile, local_file
from diascope.stores.store import Blob, Stat


@dataclass
class Distant:
    """Files that have no place on this machine."""

    files: dict[str, bytes]
    copies: Copies
    reads: list[str] = field(default_factory=list, repr=False)
    version: str = "1"
    breaks: bool = False

    def stat(self, path: str) -> Stat | None:
        return Stat(is_folder=False, size=len(self.files[path]), version=self.version)

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
        return iter(())

    def open(self, path: str) -> Blob:
        if path not in self.files:
            raise NotFound(path)
        stat = self.stat(path)
        assert stat
        return DistantBlob(self, path, stat)

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def local_path(self, path: str) -> str | None:
        return None

    def __repr__(self) -> str:
        return "the same everywhere"


@dataclass
class DistantBlob:
    store: Distant
    path: str
    stat: Stat

    def read(self, start: int, stop: int) -> bytes:
        self.store.reads.append(self.path)
        if self.store.breaks:
            raise Unreadable(f"{self.path} has changed")
        return self.store.files[self.path][start:stop]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _own_folder.cache_clear()
    return tmp_path / "copies"


def whole(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir() if each.is_dir())


def test_a_local_file_is_itself(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"here")
    assert local_file(LocalStore(tmp_path), "a").path == tmp_path / "a"


def test_two_that_want_one_version_have_one_copy(folder: Path) -> None:
    store = Distant({"x/a.czi": b"pixels"}, Copies(folder))
    first = local_file(store, "x/a.czi")
    other = local_file(Distant({"x/a.czi": b"pixels"}, Copies(folder)), "x/a.czi")
    assert first.path == other.path
    assert first.path.read_bytes() == b"pixels"
    assert store.reads == ["x/a.czi"]
    store.version, store.files["x/a.czi"] = "2", b"others"
    assert local_file(store, "x/a.czi").path.read_bytes() == b"others"
    assert first.path.read_bytes() == b"pixels", "who reads the old version goes on"


def test_many_threads_make_one_copy(folder: Path) -> None:
    store = Distant({"a": bytes(1 << 20)}, Copies(folder))
    together = threading.Barrier(8)

    def made() -> LocalFile:
        together.wait(10)
        return local_file(store, "a")

    with ThreadPoolExecutor(8) as pool:
        files = [future.result(20) for future in [pool.submit(made) for _ in range(8)]]
    assert len({file.path for file in files}) == 1
    assert store.reads == ["a"]
    assert not list(folder.glob("*.queue"))


def test_who_comes_late_to_make_a_copy_does_not_wait_for_those_who_use_it(folder: Path) -> None:
    copies, key = Copies(folder), "0" * 40
    _path, lock = copies.held(key, 1, lambda _: None)
    late = threading.Thread(target=copies._fill, args=(folder, key, 1, pytest.fail), daemon=True)
    late.start()
    late.join(10)
    assert not late.is_alive()
    lock.close()


def test_a_folder_of_copies_that_somebody_removed_is_no_trouble(folder: Path) -> None:
    file = local_file(Distant({"a": b"pixels"}, Copies(folder)), "a")
    shutil.rmtree(folder)
    _leave(folder, os.getpid())
    assert not file.path.exists()


def test_a_copy_that_was_made_while_a_sweep_looked_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies, key, told = Copies(folder), "0" * 40, copies_module._told
    lock = folder / f"{key}.lock"

    def meanwhile(lock: Path, what: str) -> int:
        before = told(lock, what)
        if what == "process" and not before:
            monkeypatch.setattr(copies_module, "_told", told)
            copies.held(key, 1, lambda _: None)[1].close()
        return before

    _own_folder(folder)
    lock.touch()
    monkeypatch.setattr(copies_module, "_told", meanwhile)
    sweep(folder)
    assert whole(folder) == [key]


def test_files_lie_beside_each_other_as_they_do_there(folder: Path) -> None:
    names = ["lab/a.vsi", "lab/_a_/stack1/frame.ets"]
    store = Distant({name: name.encode() for name in names}, Copies(folder))
    file = local_file(store, *names)
    assert (file.path.parent / "_a_" / "stack1" / "frame.ets").read_bytes() == names[1].encode()
    with pytest.raises(NotFound):
        local_file(store, "lab/a.vsi", "lab/missing")
    assert len(whole(folder)) == 1


@pytest.mark.parametrize(
    "name", ["..", "a/../../b", "x" * 300 + ".czi", "ä" * 150, "new\nline.czi", "\ud800.czi", "-rf", " ", "a\\b.czi"]
)
def test_no_name_leads_out_or_is_too_long(folder: Path, name: str) -> None:
    store = Distant({f"f/{name}": b"x", "f/beside": b"y"}, Copies(folder))
    file = local_file(store, f"f/{name}", "f/beside")
    assert file.path.resolve().is_relative_to(folder.resolve())
    assert file.path.read_bytes() == b"x"
    assert file.path.name.endswith(Path(name).suffix)


def test_the_one_used_longest_ago_goes_first_and_none_in_use(folder: Path) -> None:
    store = Distant({name: bytes(40) for name in "abcd"}, Copies(folder, 100))
    a, b = local_file(store, "a"), local_file(store, "b")
    os.utime(a.path.parent.with_suffix(".lock"), (1, 1))
    with pytest.raises(Overloaded, match="in use"):
        local_file(store, "c")
    gone, kept = a.path, b.path
    del a, b
    gc.collect()
    c = local_file(store, "c")
    assert not gone.exists()
    assert kept.exists()
    del c
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and "lock" not in file.name) <= 100


def test_what_is_larger_than_all_copies_is_refused_clearly(folder: Path) -> None:
    store = Distant({"big.czi": bytes(101)}, Copies(folder, 100))
    with pytest.raises(Unreadable, match=r"big\.czi: .* 101 bytes is over the limit of 100 .*local_copies"):
        local_file(store, "big.czi")
    assert store.reads == []


def test_a_copy_that_fails_is_never_seen(folder: Path) -> None:
    store = Distant({"a": b"pixels"}, Copies(folder), breaks=True)
    with pytest.raises(Unreadable, match="changed"):
        local_file(store, "a")
    assert whole(folder) == []
    store.breaks = False
    assert local_file(store, "a").path.read_bytes() == b"pixels"


def test_what_dead_processes_left_is_removed(folder: Path) -> None:
    alive = local_file(Distant({"a": b"alive"}, Copies(folder)), "a")
    dead = sha256(b"dead").hexdigest()[:40]
    for name in (dead, f"{dead}.part"):
        (folder / name).mkdir()
        (folder / name / "file").write_bytes(b"left")
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    (folder / f"{dead}.lock").write_text(json.dumps({"bytes": 4, "process": process.pid}))
    (folder / "poetry.lock").write_text("not ours")
    (folder / "poetry").mkdir()
    sweep(folder)
    assert whole(folder) == sorted([alive.path.parent.name, "poetry"])
    assert (folder / "poetry.lock").exists()


def test_a_process_leaves_nothing_behind_and_takes_nothing_from_others(folder: Path, tmp_path: Path) -> None:
    mine = local_file(Distant({"a": b"mine"}, Copies(folder)), "a")
    program = (
        "import sys; from pathlib import Path; from tests.stores.test_local_file import Distant, Copies, local_file\n"
        "store = Distant({'a': b'mine', 'b': b'other'}, Copies(Path(sys.argv[1])))\n"
        "print(local_file(store, 'a').path); held = local_file(store, 'b'); print(held.path.read_bytes())"
    )
    top = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, timeout=60, check=True, cwd=top
    )
    assert done.stdout.split() == [str(mine.path), "b'other'"]
    assert whole(folder) == [mine.path.parent.name]


def test_a_folder_that_others_write_to_is_refused(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(Unavailable, match="only its owner"):
        local_file(Distant({"a": b""}, Copies(folder)), "a")
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    with pytest.raises(Unavailable, match="only its owner"):
        local_file(Distant({"a": b""}, Copies(link)), "a")
