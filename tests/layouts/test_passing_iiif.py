"""Requests of IIIF that mean just the pixels of a chunk pass it on unopened, in all their spellings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from diascope.catalogue.opening import opened_file
from diascope.image.image import Image
from diascope.registry import registry
from tests.layouts.passing_files import counted, opener, read, stripped
from tests.tiff_tiles import decoded, halves, jpeg_tiff, smooth, stored_of


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Image]:
    return opener(tmp_path_factory.mktemp("tiles"))


SAME = {
    "256,256,256,256": ("max", "256,", ",256", "256,256", "pct:100", "!256,256", "^256,256"),
    "0,0,512,512": ("256,", ",256", "256,256", "pct:50", "!256,256", "!256,1000"),
    "pct:0,0,50,50": (),
}
"""Requests of whole chunks, of the first and the second level."""


def requests(suffix: str) -> Iterator[tuple[str, str]]:
    for region, sizes in SAME.items():
        for size in sizes:
            if suffix == "iiif" or "^" not in size:
                yield region, size


@pytest.mark.parametrize("suffix", ["iiif", "iiif2"])
@pytest.mark.parametrize("quality", ["default", "color"])
def test_every_form_of_a_request_of_a_chunk_passes_it_on(
    opened: Callable[[str], Image], suffix: str, quality: str
) -> None:
    image = opened("ycbcr")
    tree = registry("layouts")["iiif" if suffix == "iiif" else "iiif-2"].tree(image)
    for region, size in requests(suffix):
        level, index = (0, (0, 1, 1)) if region.startswith("256") else (1, (0, 0, 0))
        for rotation in ("0", "360"):
            path = f"ycbcr.{suffix}/{region}/{size}/{rotation}/{quality}.jpg"
            assert read(tree, path) == stored_of(image.levels[level]).chunk(index), path
            exact = decoded(read(tree, path.replace(".jpg", ".png")))
            np.testing.assert_array_equal(decoded(read(tree, path)), exact)


def test_a_percentage_of_a_chunk_passes_it_on(tmp_path: Path) -> None:
    path = jpeg_tiff(tmp_path / "it.tif", halves(smooth(1024, 1024)), "ycbcr")
    image = opened_file(path).images["it"]
    tree = registry("layouts")["iiif"].tree(image)
    assert read(tree, "it.iiif/pct:25,50,25,25/max/0/default.jpg") == stored_of(image.levels[0]).chunk((0, 2, 1))
    assert read(tree, "it.iiif/pct:50,0,50,50/pct:50/0/default.jpg") == stored_of(image.levels[1]).chunk((0, 0, 1))
    # All of it, as small as its last level.
    assert read(tree, "it.iiif/full/256,/0/default.jpg") == stored_of(image.levels[2]).chunk((0, 0, 0))


@pytest.mark.parametrize("name", ["ycbcr", "rounded-down", "strip", "grey", "said-rgb"])
def test_whatever_a_request_passes_on_shows_what_it_would_make(opened: Callable[[str], Image], name: str) -> None:
    count: Counter[str] = Counter()
    image, layout = opened(name), registry("layouts")["iiif"]
    with_it, without = layout.tree(counted(image, count)), layout.tree(stripped(image))
    random = np.random.default_rng(1)
    height, width = image.shape[-2:]
    sides = [1, 2, 128, 255, 256, 256, 256, 256, 512]
    for _ in range(80):
        factor = int(random.choice([1, 1, 2, 4]))
        x, y = (int(k) * 128 * factor for k in random.choice([0, 1, 2, 2], 2))
        w, h = (int(k) for k in random.choice(sides, 2))
        if x >= width or y >= height:
            continue
        path = f"{name}.iiif/{x},{y},{w * factor},{h * factor}/^{w},{h}/0/default.jpg"
        before = count["passed"]
        data = read(with_it, path)
        if count["passed"] > before:
            np.testing.assert_array_equal(decoded(data), decoded(read(without, path.replace(".jpg", ".png"))))
        else:
            assert data == read(without, path)
    full = f"{name}.iiif/full/max/0/default.jpg"
    assert (read(with_it, full) == read(without, full)) == (name != "strip")
    assert count["passed"] > 0


@pytest.mark.parametrize(
    "address",
    [
        "256,256,256,256/max/0/default.png",
        "256,256,256,256/max/0/default.webp",
        "256,256,256,256/max/0/gray.jpg",
        "256,256,256,256/max/0/bitonal.jpg",
        "256,256,256,256/max/90/default.jpg",
        "256,256,256,256/max/!0/default.jpg",
        "256,256,256,256/255,/0/default.jpg",
        "256,256,256,256/^512,/0/default.jpg",
        "256,256,256,255/max/0/default.jpg",
        "255,256,256,256/max/0/default.jpg",
        "256,256,512,256/max/0/default.jpg",
        "512,512,256,256/max/0/default.jpg",
        "0,0,512,512/128,/0/default.jpg",
        "2,0,512,512/256,/0/default.jpg",
        "full/max/0/default.jpg",
    ],
)
def test_other_requests_are_made(opened: Callable[[str], Image], address: str) -> None:
    count: Counter[str] = Counter()
    image = opened("ycbcr")
    layout = registry("layouts")["iiif"]
    path = f"ycbcr.iiif/{address}"
    assert read(layout.tree(counted(image, count)), path) == read(layout.tree(stripped(image)), path)
    assert not count


def test_grey_in_colour_is_made(opened: Callable[[str], Image]) -> None:
    layout = registry("layouts")["iiif"]
    for quality, shape in (("default", (256, 256)), ("color", (256, 256, 3))):
        data = read(layout.tree(opened("grey")), f"grey.iiif/0,0,256,256/max/0/{quality}.jpg")
        assert decoded(data).shape == shape
