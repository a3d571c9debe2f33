"""What views of one image share: nothing is decoded or projected twice because it is shown in another style."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from diascope.arrangements.by_name import ByName
from diascope.catalogue.catalogue import catalogue
from diascope.settings import RepositorySettings, Settings

SIDE = 1024
PIXELS = np.random.default_rng(1).integers(0, 4096, (6, SIDE, SIDE), np.uint16)
STYLES = ("channels,low=0,high=4095,blend=true", "channels,low=50,high=900,blend=true", "window,low=7,high=1000~render")
TILES = [f"{x}_{y}" for x in range(2) for y in range(2)]


@pytest.fixture
def tree(tmp_path: Path) -> ByName:
    tifffile.imwrite(tmp_path / "stack.tif", PIXELS, tile=(256, 256), imagej=False, metadata={"axes": "ZYX"})
    return ByName(catalogue(Settings(repositories={"lab": RepositorySettings(path=tmp_path)})))


def shown(tree: ByName, view: str, depth: int) -> int:
    """How many chunks had to be made for some tiles of a level, which has 2**depth rows at the most."""
    before = tree.catalogue.chunks.misses
    for tile in TILES:
        path = tree.canonical(f"lab/stack.tif/{view}/stack_files/{depth}/{tile}.jpeg")
        file = tree.file(path)
        assert file, path
        assert file.read(0, 2) == b"\xff\xd8"
    return tree.catalogue.chunks.misses - before


@pytest.mark.parametrize("depth", [10, 9])
def test_another_style_decodes_nothing_anew_neither_stored_nor_made_levels(tree: ByName, depth: int) -> None:
    made = [shown(tree, f"select,axis=z,index=2~{style}", depth) for style in STYLES]
    assert made[0] > 0
    assert made[1:] == [0, 0]


def test_another_layout_decodes_nothing_anew(tree: ByName) -> None:
    shown(tree, f"select,axis=z,index=2~{STYLES[0]}", 10)
    before = tree.catalogue.chunks.misses
    for path in ("stack.precomputed/1000_1000_1000/0-64_0-64_2-3", "stack.ome.zarr/0/c/2/0/0", "stack.png"):
        file = tree.file(f"lab/stack.tif/select,axis=z,index=2/{path}")
        if file:
            file.read(0, None)
    assert tree.catalogue.chunks.misses == before


def test_a_projection_is_made_once_for_all_the_styles_it_is_shown_in(tmp_path: Path) -> None:
    deep = PIXELS[np.arange(32) % 6, :512, :512]
    tifffile.imwrite(tmp_path / "stack.tif", deep, tile=(256, 256), metadata={"axes": "ZYX"})
    tree = ByName(catalogue(Settings(repositories={"lab": RepositorySettings(path=tmp_path)})))
    first = shown(tree, f"project,axis=z,method=max~{STYLES[0]}", 9)
    assert first > 32
    before = tree.catalogue.chunks.hits
    assert shown(tree, f"project,axis=z,method=max~{STYLES[1]}", 9) == 0
    assert tree.catalogue.chunks.hits - before < 32, "the planes were looked at again"
