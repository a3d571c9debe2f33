"""What every test may ask for."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from diascope.tree.file import Tree
from tests.servers import LiveServer, of_folder, of_tree

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images made by others; tests that need it are reported as not run where it is missing."""
    folder = shared_data_folder()
    if folder is None:
        pytest.skip("no shared images: set DIASCOPE_TEST_DATA to their folder")
    return folder


def shared_data_folder() -> Path | None:
    """Where the shared images lie, None where they are not here."""
    named = os.environ.get("DIASCOPE_TEST_DATA")
    candidates = [Path(named)] if named else [HERE.parents[1] / "shared" / "data"]
    return next((folder for folder in candidates if (folder / "manifest.tsv").is_file()), None)


@pytest.fixture(scope="session", autouse=True)
def _caches_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is kept between runs of a server lies in a folder of the tests, for programs that they start too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DIASCOPE_INDEX_FOLDER", str(tmp_path_factory.mktemp("index")))
        yield


@pytest.fixture(scope="module")
def server() -> Iterator[Callable[[Path], str]]:
    """``server(folder)`` serves a folder as the repository of its name; gives the URL, without a slash at its end."""
    running: dict[Path, LiveServer] = {}

    def url(folder: Path) -> str:
        if folder not in running:
            running[folder] = of_folder(folder)
        return running[folder].url

    yield url
    for each in running.values():
        each.stop()


@pytest.fixture(scope="module")
def tree_server() -> Iterator[Callable[[Tree], str]]:
    """``tree_server(tree)`` serves a tree below ``{url}/data/``; gives the URL, without a slash at its end."""
    running: list[LiveServer] = []

    def url(tree: Tree) -> str:
        running.append(of_tree(tree))
        return running[-1].url

    yield url
    for each in running:
        each.stop()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every row of the shared images' manifest for a test that takes ``shared_row``.

    Where its module has a function ``wanted``, only the rows for which that says so.
    """
    if "shared_row" not in metafunc.fixturenames:
        return
    folder = shared_data_folder()
    rows = manifest(folder) if folder else []
    wanted = getattr(metafunc.module, "wanted", lambda _: True)
    rows = [row for row in rows if wanted(row)]
    missing = pytest.param({}, marks=pytest.mark.skip(reason="no shared images: set DIASCOPE_TEST_DATA"), id="none")
    cases = [pytest.param(row, id=row["path"]) for row in rows]
    metafunc.parametrize("shared_row", cases if folder else [missing])


def manifest(folder: Path) -> list[dict[str, str]]:
    """What the folder of shared images says of each: column by column as its README has them."""
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
