"""Mounting from Python: in the background, for as long as it is wanted, and with errors of the right kind."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import numpy as np
import pytest
import tifffile

import diascope
from diascope.errors import BadRequest, NotFound, Unavailable, Unreadable
from diascope.python import mounting
from tests.mounts import needed

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(autouse=True)
def _possible() -> None:
    needed()


def test_a_folder_is_mounted_until_the_block_ends(folder: Path, cells: str) -> None:
    with diascope.mount(folder) as top:
        assert sorted(each.name for each in top.iterdir()) == sorted(each.name for each in folder.iterdir())
        image = tifffile.imread(top / "microscopy" / "cells.ome.tif" / "original" / "cells.ome.tif")
        np.testing.assert_array_equal(image, diascope.open(cells)[...])
        with pytest.raises(OSError, match="Read-only"):
            (top / "new").touch()
    assert not top.exists()


def test_memory_that_is_mapped_by_this_very_process_is_read(folder: Path, cells: str) -> None:
    """Numpy holds the interpreter while the kernel waits for the page: it would wait for itself for ever."""
    with diascope.mount(f"{cells}/original") as top:
        mapped = np.memmap(top / "cells.nii", np.uint16, "r", offset=352)
        assert int(mapped.sum(dtype=np.int64)) == int(diascope.open(cells)[...].sum(dtype=np.int64))
        del mapped


def test_a_server_is_mounted_on_a_folder_of_choice(folder: Path, tmp_path: Path, server: Callable[[Path], str]) -> None:
    mounted = diascope.mount(f"{server(folder)}/data/{folder.name}/microscopy", tmp_path / "top" / "below")
    assert Path(mounted, "cells.ome.tif").is_dir()
    assert "mounted" in repr(mounted)
    mounted.unmount()
    mounted.unmount()
    assert "unmounted" in repr(mounted)
    assert (tmp_path / "top" / "below").is_dir()
    assert not list(mounted.path.iterdir())
    with diascope.mount(folder, tmp_path / "top" / "below") as again:
        assert (again / "microscopy").is_dir()


def test_with_the_last_reference_it_is_gone(folder: Path) -> None:
    mounted = diascope.mount(folder)
    path = mounted.path
    assert path.is_mount()
    del mounted
    assert not path.exists()


WRONG = {
    "nothing": (NotFound, "no folder at 'nothing'"),
    "sample/microscopy/cells.ome.tif/nonsense": (BadRequest, "nonsense"),
    "http://127.0.0.1:9/data/": (Unreadable, "does not answer"),
    "--help": (NotFound, "--help"),
}


@pytest.mark.parametrize("address", WRONG)
def test_what_is_wrong_is_raised(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, address: str) -> None:
    monkeypatch.chdir(folder.parent)
    kind, told = WRONG[address]
    with pytest.raises(kind, match=told):
        diascope.mount(address, tmp_path / "top")
    assert not list((tmp_path / "top").iterdir())


def test_a_folder_that_was_made_for_nothing_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mounting, "mkdtemp", lambda prefix: str((tmp_path / prefix).mkdir() or tmp_path / prefix))
    with pytest.raises(NotFound):
        diascope.mount(tmp_path / "nothing")
    assert not list(tmp_path.iterdir())


def test_where_it_may_not_mount_it_says_so(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadRequest, match="not empty"):
        diascope.mount(folder, tmp_path)
    with diascope.mount(folder, tmp_path / "top"), pytest.raises(BadRequest, match="already"):
        diascope.mount(folder, tmp_path / "top")

    def missing() -> None:
        raise Unavailable("mounting needs libfuse")

    monkeypatch.setattr(mounting, "library", missing)
    with pytest.raises(Unavailable, match="libfuse"):
        diascope.mount(folder)


@pytest.mark.parametrize("end", [signal.SIGKILL, None], ids=["killed", "done"])
def test_it_ends_with_the_process_that_asked_for_it(folder: Path, tmp_path: Path, end: int | None) -> None:
    top = tmp_path / "top"
    program = (
        f"import diascope\nmounted = diascope.mount({str(folder)!r}, {str(top)!r})\nprint('there', flush=True)\ninput()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "there\n"
        assert top.is_mount()
        if end is None:
            process.communicate("\n", timeout=30)
        else:
            process.send_signal(end)
            process.wait(30)
        begun = monotonic()
        while monotonic() - begun < 30 and top.is_mount():
            sleep(0.05)
        assert not top.is_mount()
        assert not list(top.iterdir())
    finally:
        process.kill()
        process.communicate()
