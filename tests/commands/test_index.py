"""``diascope index`` and ``diascope serve`` remember what lies in folders, and searches find it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from tests.commands.test_commands import run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    for number in range(30):
        (root / f"run {number}").mkdir(parents=True)
        (root / f"run {number}/cells {number}.tif").touch()
    return root


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The URL of a server that was started as a user starts it."""
    words = [sys.executable, "-m", "diascope", "serve", str(folder), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process.stdout.readline().split()[-1]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


def search(url: str, text: str) -> Any:
    return httpx.get(f"{url}api/search", params={"q": text}, timeout=60).json()


def test_the_command_says_what_it_knows_and_goes_on_from_there(folder: Path) -> None:
    assert run("index", str(folder)).stdout == "images: 60 names in 31 folders\n"
    (folder / "late.tif").touch()
    assert run("index", str(folder)).stdout == "images: 61 names in 31 folders\n"


def test_a_server_finds_what_came_while_it_served(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIASCOPE_INDEX_SECONDS", "0.1")
    with serving(folder) as url:
        awaited(lambda: search(url, "cells")["indexed"] == 1)
        found = search(url, "CELLS 1")
        assert found["complete"]
        assert sorted(each["path"] for each in found["results"])[:2] == [
            "images/run 1/cells 1.tif",
            "images/run 10/cells 10.tif",
        ]
        (folder / "run 3/late.tif").touch()
        awaited(lambda: search(url, "late")["results"])
        (folder / "run 3/late.tif").unlink()
        awaited(lambda: not search(url, "late")["results"])
    with serving(folder) as url:
        # What is on disk is known before anything was looked at again.
        assert search(url, "cells")["indexed"] > 0.9


def awaited(condition: Any) -> None:
    end = monotonic() + 90
    while not condition():
        assert monotonic() < end, "it did not come"
        sleep(0.05)
