"""What the documentation says works: its commands and programs run, its written pages are those of the code."""

from __future__ import annotations

import os
import random
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import which

import pytest

from diascope.commands.reference import PAGES
from diascope.commands.sample import sample
from tests.judges.required import required
from tests.mounts import needed
from tests.servers import of_folder

TOP = Path(__file__).parents[1]
DOCUMENTS = [TOP / "README.md", TOP / "ARCHITECTURE.md", *sorted((TOP / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SELF = ("make ",)
"""What a test cannot run, because it runs the test: CI does."""


def blocks(language: str) -> Iterator[object]:
    for document in DOCUMENTS:
        for number, (kind, text) in enumerate(BLOCK.findall(document.read_text(encoding="utf-8"))):
            if kind == language:
                yield pytest.param(text, id=f"{document.name}-{number}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documentation")
    sample(folder / "sample")
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[str]:
    server = of_folder(folder / "sample")
    yield server.url
    server.stop()


@pytest.mark.parametrize("text", list(blocks("sh")))
def test_a_block_of_commands_runs(folder: Path, text: str) -> None:
    if "diascope mount" in text:
        needed()
    for program in ("rclone", "cadaver"):
        required(
            f"{program} is not installed: tests/judges/install.sh"
            if f"{program} " in text and not which(program)
            else None
        )
    port = str(_free_port())
    lines = [line for line in text.splitlines() if not line.startswith(SELF)]
    script = "\n".join(["set -e", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT", *map(_line, lines)])
    env = dict(os.environ, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}", DIASCOPE_PORT=port)
    for name in ("cells.ome.tif", "head.nii", "head.nrrd", "projection.ome.tif"):
        (folder / name).unlink(missing_ok=True)
    done = subprocess.run(
        ["bash", "-c", script.replace("8400", port)],
        cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    # The documentation is tested where nothing is wrong: `doctor` may still miss the pages, which are built later.
    assert done.returncode == 0, done.stdout + done.stderr


def _free_port() -> int:
    """A port below those that the system gives away by itself, so that no other test takes it in the meantime."""
    for port in random.sample(range(10_000, 30_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("a hundred ports are taken")


def _line(line: str) -> str:
    if line.startswith("diascope serve"):
        wait = "for i in $(seq 300); do curl -s -o /dev/null localhost:8400/api/repositories && break; sleep 0.1; done"
        return f"{line} &\n{wait}"
    if line.startswith("diascope mount"):
        mountpoint = line.rpartition(" ")[2]
        return f"{line} &\nfor i in $(seq 300); do mountpoint -q {mountpoint} && break; sleep 0.1; done"
    return line.replace("diascope doctor", "diascope doctor || test $? = 1")


@pytest.mark.parametrize("text", list(blocks("python")))
def test_a_program_runs(folder: Path, served: str, text: str) -> None:
    if "diascope.mount" in text:
        needed()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text.replace("http://localhost:8400", served)],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", list(PAGES))
def test_a_written_page_is_that_of_the_code(name: str) -> None:
    assert (TOP / "docs" / name).read_text(encoding="utf-8") == PAGES[name](), (
        "python -m diascope.commands.reference docs"
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_are_there(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_no_page_mentions_a_path_of_a_machine() -> None:
    for document in DOCUMENTS:
        assert not re.search(r"/(root|home|work|Users)/", document.read_text(encoding="utf-8")), document.name
