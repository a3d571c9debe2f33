"""Files that are identified and kept."""

from __future__ import annotations

from diascope.tree.cache import Identified, file_cache
from diascope.tree.file import File, whole
from diascope.tree.table import Table


def counted(made: list[str]) -> Table:
    def file(name: str) -> File:
        def make() -> bytes:
            made.append(name)
            return name.encode()

        return whole(make, "text/plain")

    table = Table()
    table.add("{name}", file)
    return table


def test_a_file_is_made_once_for_all_who_ask() -> None:
    made: list[str] = []
    tree = Identified(counted(made), "v1", file_cache(10_000))
    for _ in range(3):
        file = tree.file("abc")
        assert file
        assert file.read(1, 3) == b"bc"
    assert made == ["abc"]


def test_the_etag_is_of_identity_and_path_and_makes_no_byte() -> None:
    made: list[str] = []
    tags = [
        file.etag
        for identity in ("v1", "v2")
        for path in ("a", "b")
        if (file := Identified(counted(made), identity, file_cache(10_000)).file(path))
    ]
    assert len(set(tags)) == 4
    assert made == []


def test_what_has_another_identity_is_made_anew() -> None:
    made: list[str] = []
    files = file_cache(10_000)
    for identity in ("v1", "v2"):
        file = Identified(counted(made), identity, files).file("a")
        assert file
        file.read(0, None)
    assert made == ["a", "a"]
