"""Stacks of thousands of sections open without opening these, and a region opens no more than it shows."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import pytest
import tifffile
import zarr

from diascope.image.level import Level
from diascope.image.region import Region
from diascope.operations.view import view
from diascope.registry import registry
from diascope.stores.local import LocalStore
from diascope.stores.store import Blob
from diascope.testing.counting import CountingStore
from diascope.testing.sources import bound
from diascope.testing.synthetic_file import source as synthetic
from tests.sources.recipes import image, recipe
from tests.synthetic_server import started

SECTIONS = 5000
HUGE = 7000
FILES = 400
"""How many more files may be open after 600 sections were read."""
MEMORY = 192 << 20
"""By how many bytes the server may grow: its caches, open sections, and what threads have in hand."""


class Opens(CountingStore):
    """A store that tells which files were opened."""

    def __init__(self, folder: Path) -> None:
        super().__init__(LocalStore(folder))
        self.opened: set[str] = set()

    def open(self, path: str) -> Blob:
        self.opened.add(path)
        return super().open(path)


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Planes of 8 rows and 16 columns whose pixels are the number of the section."""
    folder = tmp_path_factory.mktemp("sections")
    tifffile.imwrite(folder / "0000.tif", np.full((8, 16), 0xABCD, np.uint16))
    data = (folder / "0000.tif").read_bytes()
    before = np.full((8, 16), 0xABCD, np.uint16).tobytes()
    for k in range(SECTIONS):
        (folder / f"{k:04}.tif").write_bytes(data.replace(before, np.full((8, 16), k, np.uint16).tobytes()))
    recipe(folder, "{recipe: stack, pattern: '{section:int}.tif', thickness: 40 um}")
    return folder


def test_a_stack_of_thousands_opens_the_first_section_alone(sections: Path) -> None:
    store, before = Opens(sections), open_files()
    (found,) = bound(registry("sources")["recipe"], store).open(store, "made.recipe.yaml").images.values()
    assert found.shape == (SECTIONS, 8, 16)
    assert store.opened == {"0000.tif"}
    assert np.array_equal(found[3000:3003, 2, 5], [3000, 3001, 3002])
    assert store.opened == {"0000.tif", "3000.tif", "3001.tif", "3002.tif"}
    column = found.levels[0].read(Region((4000, 3, 4), (4600, 4, 5)))
    assert np.array_equal(column.ravel(), np.arange(4000, 4600))
    assert open_files() - before < FILES


def test_a_missing_section_among_thousands_is_told(sections: Path) -> None:
    hidden = (sections / "1234.tif").rename(sections / "away")
    try:
        with pytest.raises(OSError, match=r"of 1 numbers there is no file, the first being 1234"):
            image(sections / "made.recipe.yaml")
    finally:
        hidden.rename(sections / "1234.tif")


@pytest.fixture(scope="module")
def huge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """7000 sections of 80,000 by 100,000 pixels, each turned and moved by itself."""
    folder = tmp_path_factory.mktemp("huge")
    said = {"axes": "yx", "shape": [80_000, 100_000], "levels": 9, "chunk_shape": [512, 512]}
    rows = ["section,xx,xy,x,yx,yy,y"]
    for k in range(HUGE):
        (folder / f"s{k}.synthetic.json").write_text(json.dumps(said), encoding="utf-8")
        turned = 0.2 * np.sin(k)
        c, s = np.cos(turned), np.sin(turned)
        rows.append(f"{k},{c!r},{-s!r},{k % 7},{s!r},{c!r},{k % 5}".replace("np.float64(", "").replace(")", ""))
    (folder / "moves.csv").write_text("\n".join(rows), encoding="utf-8")
    said_so = "{recipe: stack, pattern: 's{n:int}.synthetic.json', thickness: 20 um, transformations: moves.csv, "
    recipe(folder, said_so + "grid: {size: [100000, 80000], pixel: [0.25, 0.5]}, unit: um}")
    with registry("sources").including("synthetic", synthetic):
        yield folder


def test_a_huge_stack_opens_at_once_and_reads_what_it_shows(huge: Path) -> None:
    store = Opens(huge)
    source = bound(registry("sources")["recipe"], store)
    # Processor time: nothing is waited for, and other tests run beside this one.
    began = process_time()
    (found,) = source.open(store, "made.recipe.yaml").images.values()
    opening = process_time() - began
    assert opening < 2, f"opening took {opening:.2f} s"
    assert found.shape == (HUGE, 80_000, 100_000)
    assert len(store.opened) == 1
    cube = found.levels[0].read(Region((3000, 40_000, 50_000), (3064, 40_064, 50_064)))
    assert len(store.opened) == 65
    assert cube.any()
    spelled = (huge / "moves.csv").read_text(encoding="utf-8").splitlines()[1 + 3001].split(",")[1:]
    moved = f"affine,matrix={'+'.join(spelled)},unit=um,size=100000+80000,pixel=0.25+0.5"
    alone = view(moved).applied(image(huge / "s3001.synthetic.json"))
    assert np.array_equal(cube[1], alone[40_000:40_064, 50_000:50_064])


def test_a_huge_stack_is_served_in_bounded_memory(huge: Path) -> None:
    with started(huge, chunk_cache=32 << 20, file_cache=8 << 20, refresh_seconds=60) as server:
        base = f"{server.url}/data/{huge.name}"
        began = perf_counter()
        array = zarr.open_array(f"{base}/made.recipe.yaml/original/made.ome.zarr/0", mode="r")
        assert perf_counter() - began < 10
        assert array.shape == (HUGE, 80_000, 100_000)
        array[0, 0, 0]
        before = server.peak
        cube = array[3000:3020, 40_000:40_064, 50_000:50_064]
        coronal = array[3000:3040, 40_001, 50_000:50_064]
        assert server.peak - before < MEMORY
        assert np.array_equal(cube[:, 1], coronal[:20])
        for k in (0, 19):
            row = (huge / "moves.csv").read_text(encoding="utf-8").splitlines()[3001 + k].split(",")[1:]
            moved = view(f"affine,matrix={'+'.join(row)},unit=um,size=100000+80000,pixel=0.25+0.5")
            name = f"s{3000 + k}"
            alone = zarr.open_array(f"{base}/{name}.synthetic.json/{moved}/{name}.ome.zarr/0", mode="r")
            assert np.array_equal(cube[k], alone[40_000:40_064, 50_000:50_064])


def test_a_coarse_level_of_a_huge_stack_is_made_of_coarse_levels(huge: Path) -> None:
    found = image(huge / "made.recipe.yaml")
    coarse: Level = found.levels[-1]
    assert coarse.shape[1:] == (157, 196)
    began = perf_counter()
    coarse.read(Region((100, 0, 0), (101, 157, 196)))
    assert perf_counter() - began < 2


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Objects that refer to each other in a circle are not looked for."""
    gc.disable()
    yield
    gc.enable()


def test_files_are_closed_as_soon_as_nobody_holds_them(uncollected: None, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "s.tif", np.zeros((300, 300), np.uint16))
    before = open_files()
    for _ in range(3):
        level = image(tmp_path / "s.tif").levels[-1]
        level.read(Region((0, 0), (1, 1)))
        del level
    assert open_files() == before


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
