"""What is made for a view, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from diascope.arrangements.by_name import ByName
from diascope.catalogue.catalogue import catalogue
from diascope.errors import Unsupported
from diascope.image.image import Image
from diascope.registry import registry
from diascope.settings import RepositorySettings, Settings
from diascope.tree.file import Tree


class Counted:
    """A layout that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        dzi = registry("layouts")["dzi"]
        names = {"name": "counted", "suffix": ".counted", "companions": (".too",)}
        self.layout = replace(dzi, tree=self.tree, refuses=self.refuses, **names)
        self.inner = registry("layouts")["ome-zarr"]

    def refuses(self, image: Image) -> str | None:
        self.asked += 1
        return "it holds no tall image: take another layout" if image.size("y") > 50 else None

    def tree(self, image: Image) -> Tree:
        return self.inner.tree(image)


@pytest.fixture
def counted() -> Iterator[Counted]:
    made = Counted()
    with registry("layouts").including("counted", made.layout):
        yield made


@pytest.fixture
def root(tmp_path: Path) -> ByName:
    for name, height in (("low", 20), ("tall", 60)):
        Picture.fromarray(np.zeros((height, 30), np.uint8)).save(tmp_path / f"{name}.png")
    return ByName(catalogue(Settings(repositories={"r": RepositorySettings(path=tmp_path)})))


def test_a_layout_that_nobody_asks_for_is_not_made(counted: Counted, root: ByName) -> None:
    assert root.file("r/low.png/original/low.dzi")
    assert root.file("r/low.png/original/low.ome.zarr/zarr.json")
    assert root.file("r/low.png/original/nothing") is None
    assert counted.asked == 0


def test_a_layout_is_made_once_a_view_for_all_its_names(counted: Counted, root: ByName) -> None:
    for _ in range(2):
        root.file("r/low.png/original/low.counted")
        root.file("r/low.png/original/low.too")
        assert [entry.name for entry in root.entries("r/low.png/original") or ()].count("low.counted") == 1
    assert counted.asked == 1


def test_a_refusal_is_told_every_time_and_hides_no_other_layout(counted: Counted, root: ByName) -> None:
    for name in ("tall.counted", "tall.too/below", "tall.counted"):
        with pytest.raises(Unsupported, match="no tall image"):
            root.file(f"r/tall.png/original/{name}")
    names = [entry.name for entry in root.entries("r/tall.png/original") or ()]
    assert "tall.dzi" in names
    assert "tall.counted" not in names
    assert counted.asked == 1
