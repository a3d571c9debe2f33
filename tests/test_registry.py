"""Plug-ins that no package registers, for as long as a test wants them."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from diascope.catalogue.opening import image_suffixes
from diascope.registry import Registry, registry


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


def test_one_that_cannot_be_imported_takes_no_other_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    layouts: Registry[object] = Registry("diascope.layouts")
    broken = EntryPoint("broken", "tests.no_such_module:layout", "diascope.layouts")
    monkeypatch.setattr(layouts, "_entry_points", layouts._entry_points | {"broken": broken})
    assert "broken" not in dict(layouts.items())
    assert len(layouts.values()) == len(layouts) - 1 > 10
    assert [record.message for record in caplog.records] == [
        "the plug-in broken of diascope.layouts cannot be imported and is left out"
    ]
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        layouts["broken"]


def test_images_are_listed_beside_a_broken_source(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = registry("sources")
    broken = EntryPoint("a-broken-one", "tests.no_such_module:source", "diascope.sources")
    monkeypatch.setattr(sources, "_entry_points", sources._entry_points | {"a-broken-one": broken})
    assert ".tif" in image_suffixes()
