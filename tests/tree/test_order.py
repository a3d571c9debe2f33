"""The order of keys: that of sorting every path, and from anywhere on without what comes before."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from time import perf_counter
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diascope.errors import BadRequest, Unreadable
from diascope.tree import order
from diascope.tree.file import Entry, File, Tree, in_memory
from diascope.tree.order import entries_from, keys
from diascope.tree.table import Choices, Table
from diascope.tree.walk import listed_files

CHOICES: dict[str, Choices] = {
    "numbers": lambda **_: range(112),
    "steps": lambda **_: range(7, 1200, 13),
    "downwards": lambda **_: range(20, 0, -3),
    "spans": lambda **_: ["-64-0", "0-64", "64-128", "128-130"],
    "texts": lambda **_: ["a", "ä", "a_", "a_1", "😀", "\uffff"],
}
FORMS = ["{a}", "{a}.png", "{a}_{b}.jpeg", "{a}{b}", "{a}9{b}", "q{a}-{b}", "{a}/{b}", "{a}/{b}.x", "{a}/zarr.json"]


class Listing(NamedTuple):
    """A folder of files in the order given, which knows no other."""

    names: list[str]

    def file(self, path: str) -> File | None:
        return in_memory(b"", "text/plain") if path in self.names else None

    def entries(self, path: str) -> Iterator[Entry] | None:
        return None if path else (Entry(name, is_folder=False) for name in self.names)


def table(*rows: tuple[str, str, str]) -> Table:
    tree = Table()
    for pattern, a, b in rows:
        fields = {name: CHOICES[choice] for name, choice in (("a", a), ("b", b)) if f"{{{name}}}" in pattern}
        tree.add(f"top/{pattern}", lambda **_: in_memory(b"", "text/plain"), **fields)
    return tree


def all_sorted(tree: Tree) -> list[str]:
    paths = (path.removeprefix("top/") for path in listed_files(tree, "top"))
    return sorted(set(paths), key=str.encode)


ROW = st.tuples(st.sampled_from(FORMS), st.sampled_from(sorted(CHOICES)), st.sampled_from(sorted(CHOICES)))


@settings(max_examples=40, deadline=None)
@given(row=ROW, data=st.data())
def test_a_table_walks_its_keys_in_the_order_of_their_bytes(row: tuple[str, str, str], data: st.DataObject) -> None:
    tree = table(row)
    expected = all_sorted(tree)
    assert list(keys(tree, "top", "", "", deep=True)) == expected
    near = data.draw(st.sampled_from(expected))
    start = near[: data.draw(st.integers(0, len(near)))] + data.draw(st.sampled_from(["", "\0", "0", "/", "z"]))
    assert list(keys(tree, "top", "", start, deep=True)) == [key for key in expected if key >= start]
    prefix = near[: data.draw(st.integers(0, len(near)))]
    assert list(keys(tree, "top", prefix, start, deep=True)) == [
        key for key in expected if key.startswith(prefix) and key >= start
    ]


def test_rows_that_share_a_folder_list_it_once_and_in_place() -> None:
    tree = table(("{a}/zarr.json", "numbers", ""), ("{a}/c/{b}", "numbers", "steps"), ("{a}.txt", "numbers", ""))
    assert list(keys(tree, "top", "", "", deep=True)) == all_sorted(tree)
    shallow = list(keys(tree, "top", "", "", deep=False))
    assert shallow == sorted([f"{k}/" for k in range(112)] + [f"{k}.txt" for k in range(112)])
    assert list(keys(tree, "top", "10/", "", deep=False)) == ["10/c/", "10/zarr.json"]


def test_a_folder_stands_for_its_keys_only_where_some_are_left() -> None:
    tree = table(("{a}/zarr.json", "numbers", ""))
    assert next(keys(tree, "top", "", "5/z", deep=False)) == "5/"
    assert next(keys(tree, "top", "", "5/zz", deep=False)) == "50/"


def test_a_folder_of_a_million_million_million_files_is_listed_from_anywhere_at_once() -> None:
    tree = Table()
    for pattern in ("top/{a}_{b}.png", "top/{a}/{b}"):
        tree.add(pattern, lambda **_: None, a=lambda: range(10**9), b=lambda **_: range(10**9))
    begun = perf_counter()
    assert list(islice(keys(tree, "top", "", "", deep=True), 3)) == ["0/0", "0/1", "0/10"]
    assert list(islice(keys(tree, "top", "", "73/99999999", deep=True), 3)) == [
        "73/99999999",
        "73/999999990",
        "73/999999991",
    ]
    assert list(islice(keys(tree, "top", "99_", "99_9999", deep=True), 2)) == ["99_9999.png", "99_99990.png"]
    assert list(islice(keys(tree, "top", "", "99_9999", deep=False), 2)) == ["99_9999.png", "99_99990.png"]
    assert perf_counter() - begun < 5


def test_a_tree_that_knows_no_order_is_read_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "BLOCK", 7)
    names = [str(k * 7919 % 100) for k in range(100)]
    for start in ("", "5", "55", "99", "z"):
        found = entries_from(Listing(names), "", start)
        assert found is not None
        assert [entry.name for entry in found] == [name for name in sorted(names) if name >= start]
    assert entries_from(Listing(names), "5", "") is None


def test_names_that_no_text_can_spell_have_no_key() -> None:
    assert list(keys(Listing(["a", "b\udcff", "c"]), "", "", "", deep=True)) == ["a", "c"]


class Broken(NamedTuple):
    """Four folders, two of which cannot be looked into, one at once and one when it is read."""

    def file(self, path: str) -> File | None:
        return in_memory(b"", "text/plain") if path.endswith("/file") else None

    def entries(self, path: str) -> Iterator[Entry] | None:
        if path == "b":
            raise BadRequest("b: of this image there is none")
        return self._listed(path)

    def _listed(self, path: str) -> Iterator[Entry]:
        if path == "c":
            raise Unreadable("c: broken")
        yield from [Entry("file", is_folder=False)] if path else [Entry(name, is_folder=True) for name in "abcd"]


def test_a_folder_that_cannot_be_looked_into_hides_no_other_and_says_why_when_it_is_asked_for() -> None:
    tree = Broken()
    assert list(keys(tree, "", "", "", deep=True)) == ["a/file", "d/file"]
    for folder, told in (("b/", BadRequest), ("c/", Unreadable)):
        with pytest.raises(told):
            list(keys(tree, "", folder, "", deep=True))
