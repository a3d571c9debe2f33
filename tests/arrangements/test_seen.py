"""What an arrangement does not see while a folder cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from diascope.arrangements.arranged import problems
from diascope.errors import Unreadable
from diascope.stores.local import LocalStore
from tests.arrangements.studies import arranged, picture

MAPPING = 'arrangement: template\nrules: [{files: "**/{a}.tif", target: "x/{a}.tif"}]\n'


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The folders that cannot be read."""
    folders = set[str]()
    names = LocalStore.names

    def read(self: LocalStore, path: str) -> Iterator[tuple[str, bool]]:
        if path in folders:
            raise Unreadable(f"{path}: Stale file handle")
        return names(self, path)

    monkeypatch.setattr(LocalStore, "names", read)
    return folders


def test_a_folder_that_cannot_be_read_for_a_while_takes_nothing_away(tmp_path: Path, broken: set[str]) -> None:
    picture(tmp_path / "lab" / "one" / "a.tif")
    picture(tmp_path / "lab" / "two" / "b.tif")
    (tmp_path / "study.yaml").write_text(MAPPING)
    tree = arranged(tmp_path / "lab", tmp_path / "study.yaml")
    assert tree.file("study/x/b.tif")
    for folder in ("two", ""):
        broken |= {folder}
        assert tree.file("study/x/a.tif")
        # Whether the folder is an image by what is in it cannot be told: that is trouble, and nothing is absent.
        with pytest.raises(Unreadable, match="Stale"):
            tree.file("study/x/b.tif")
    broken.clear()
    (tmp_path / "lab" / "two" / "b.tif").unlink()
    assert tree.file("study/x/b.tif") is None


def test_a_folder_that_cannot_be_read_hides_no_other_and_is_told_of(tmp_path: Path, broken: set[str]) -> None:
    picture(tmp_path / "lab" / "one" / "a.tif")
    picture(tmp_path / "lab" / "two" / "b.tif")
    (tmp_path / "study.yaml").write_text(MAPPING)
    broken |= {"two"}
    tree = arranged(tmp_path / "lab", tmp_path / "study.yaml")
    assert tree.file("study/x/a.tif")
    assert list(problems(tree.arrangements["study"])) == ["two: Stale file handle"]
    broken.clear()
    assert tree.file("study/x/b.tif")
    assert list(problems(tree.arrangements["study"])) == []
