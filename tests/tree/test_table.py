"""Trees written as tables."""

from __future__ import annotations

from itertools import islice

import pytest

from diascope.tree.file import File, in_memory
from diascope.tree.table import Table, literal


def text(value: str) -> File:
    return in_memory(value.encode(), "text/plain")


def pyramid() -> Table:
    table = Table()
    table.add("a.dzi", lambda: text("dzi"))
    table.add(
        "a_files/{depth}/{x}_{y}.png",
        lambda depth, x, y: text(f"{depth} {x} {y}"),
        depth=lambda: range(3),
        x=lambda depth: range(2**depth),
        y=lambda depth, x: range(2**depth),
    )
    table.add("a_files/readme", lambda: text("read me"))
    table.add("any/{thing}", lambda thing: text(thing) if thing != "no" else None)
    return table


def read(table: Table, path: str) -> str | None:
    file = table.file(path)
    return file.read(0, None).decode() if file else None


def test_a_path_that_fits_a_row_is_its_file() -> None:
    assert read(pyramid(), "a.dzi") == "dzi"
    assert read(pyramid(), "a_files/2/3_1.png") == "2 3 1"
    assert read(pyramid(), "any/thing at all") == "thing at all"


@pytest.mark.parametrize(
    "path",
    ["", "a", "a.dzi/", "a_files/2", "a_files/2/4_0.png", "a_files/02/0_0.png", "a_files/2/0_0.pngx",
     "a_files/2/-0_0.png", "a_files/2/+1_0.png", "a_files/2/1_0.png/x", "a_files/٢/0_0.png", "any/no",
     "a_files/2/1_0.png\n"],
)  # fmt: skip
def test_anything_but_the_canonical_spelling_is_absent(path: str) -> None:
    assert pyramid().file(path) is None


def test_folders_list_what_may_be_looked_up() -> None:
    table = pyramid()
    assert [tuple(e) for e in table.entries("") or ()] == [("a.dzi", False), ("a_files", True), ("any", True)]
    assert [e.name for e in table.entries("a_files") or ()] == ["0", "1", "2", "readme"]
    assert [e.name for e in table.entries("a_files/1") or ()] == ["0_0.png", "0_1.png", "1_0.png", "1_1.png"]
    assert list(table.entries("any") or ()) == []
    assert table.entries("a.dzi") is None
    assert table.entries("a_files/3") is None


def test_a_folder_of_a_billion_is_listed_lazily_and_looked_up_at_once() -> None:
    table = Table()
    table.add("{x}/{y}", lambda x, y: text(f"{x} {y}"), x=lambda: range(10**12), y=lambda x: range(10**12))
    assert [e.name for e in islice(table.entries("") or (), 3)] == ["0", "1", "2"]
    assert read(table, "999999999999/5") == "999999999999 5"
    assert table.file("1000000000000/5") is None


def test_a_folder_named_by_several_rows_is_listed_once() -> None:
    table = Table()
    table.add("{level}/zarr.json", lambda level: text("json"), level=lambda: range(2))
    table.add("{level}/c/{i}", lambda level, i: text("chunk"), level=lambda: range(2), i=lambda level: range(2))
    assert [e.name for e in table.entries("") or ()] == ["0", "1"]
    assert [e.name for e in table.entries("0") or ()] == ["zarr.json", "c"]


def test_names_with_braces_stand_for_themselves() -> None:
    table = Table()
    table.add(f"{literal('we{ir}d')}.dzi", lambda: text("found"))
    assert read(table, "we{ir}d.dzi") == "found"
    assert [e.name for e in table.entries("") or ()] == ["we{ir}d.dzi"]
