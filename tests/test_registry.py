"""Plug-ins that no package registers, for as long as a test wants them."""

from __future__ import annotations

import pytest

from diascope.registry import Registry


def test_a_plug_in_is_there_while_its_block_runs() -> None:
    found: Registry[str] = Registry("diascope.nothing")
    with found.including("b", "bee"), found.including("a", "ay"):
        assert dict(found) == {"a": "ay", "b": "bee"}
        assert list(found) == ["a", "b"]
        assert len(found) == 2
    assert "a" not in found
    assert not len(found)
    with pytest.raises(KeyError):
        found["a"]


def test_it_stands_in_for_an_installed_one_of_its_name() -> None:
    layouts: Registry[object] = Registry("diascope.layouts")
    before = len(layouts)
    with layouts.including("dzi", "mine"):
        assert layouts["dzi"] == "mine"
        assert len(layouts) == len(list(layouts)) == before
    assert layouts["dzi"] != "mine"
