"""One view in Python, a mounted OME-TIFF, OpenSeadragon and Neuroglancer: the pixels are those that scipy makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from playwright.sync_api import Browser

import diascope
from tests.judges import chromium as judge
from tests.judges.pixels import Rejected, near
from tests.judges.required import required
from tests.mounts import mounted, needed
from tests.web.blocks import Picture, screenshot
from tests.web.conftest import visit
from tests.web.moved_volume import FIRST, ORIGIN, PIXEL, SIZE, VIEW, Volume, stacked, stored, viewed, written
from tests.web.test_volume import COMPLETE, OME_ZARR, PANELS, PRECOMPUTED, SECTIONS, Section

pytestmark = pytest.mark.judge

MAGNIFIED = 6
"""Pixels of the screen for a voxel."""
LOOKED_AT = (41, 36, 27)
"""The voxel, along x, y and z, in which Neuroglancer's three sections meet."""

MARGIN = 25
"""Pixels at the border of a panel, where its frame and its buttons are."""

EXACT = 0.3
"""How many grey values a screenshot may be off on average."""


class Shown(NamedTuple):
    """An image, a view of it, and the pixels of that."""

    path: str
    """With the view behind it."""
    stem: str
    pixels: Volume
    """z, y and x."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("same") / "same"
    folder.mkdir()
    written(folder)
    return folder


@pytest.fixture(scope="module")
def url(folder: Path, server: Callable[[Path], str]) -> str:
    return server(folder)


@pytest.fixture(scope="module", params=["file", "recipe"])
def shown(request: pytest.FixtureRequest) -> Shown:
    if request.param == "file":
        return Shown(f"volume.ome.tif/{VIEW}~select,axis=c,index=1", "volume", viewed(stored()[1]))
    return Shown(f"stack.recipe.yaml/{VIEW}", "stack", viewed(stacked()))


def twins(pixels: Volume) -> Iterator[tuple[str, Volume]]:
    """What a wrong view would look like."""
    for axis, name in enumerate("zyx"):
        after = np.roll(pixels, 1, axis)
        yield f"flipped along {name}", np.flip(pixels, axis)
        yield f"shifted by a pixel along {name}", after
        yield f"shifted by half a pixel along {name}", ((pixels.astype(int) + after + 1) // 2).astype(np.uint8)
    yield "transposed", np.resize(pixels.transpose(0, 2, 1), pixels.shape)


def assert_only(shown: Shown, look: Callable[[Volume], object]) -> None:
    """What looks at the pixels accepts them and none of their twins."""
    look(shown.pixels)
    for name, twin in twins(shown.pixels):
        try:
            look(twin)
        except (AssertionError, Rejected):
            continue
        pytest.fail(f"what is {name} would be taken for right")


def assert_equal(seen: Volume, expected: Volume) -> None:
    """But where a value lies between two integers, to the last bit."""
    assert seen.shape == expected.shape
    away = np.abs(seen.astype(int) - expected)
    assert away.max() <= 1
    assert (away > 0).mean() < 1e-3


def test_in_python_it_is_what_scipy_makes_of_it(shown: Shown, folder: Path, url: str) -> None:
    image = diascope.open(folder / shown.path)
    assert image.axis_names == "zyx"
    assert image.dtype == np.uint8
    assert np.allclose(image.levels[0].scale, PIXEL)
    assert np.allclose(image.levels[0].translation, ORIGIN[::-1])
    assert ((shown.pixels > 0) & (shown.pixels < 255)).mean() > 0.2
    assert_only(shown, lambda pixels: assert_equal(image[...], pixels))
    np.testing.assert_array_equal(diascope.open(f"{url}/data/same/{shown.path}")[...], image[...])


def test_channels_are_all_there(folder: Path) -> None:
    image = diascope.open(folder / "volume.ome.tif" / VIEW)
    for seen, channel in zip(image[...], stored(), strict=True):
        assert_equal(seen, viewed(channel))


@pytest.fixture(scope="module")
def top(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    needed()
    with mounted(folder, tmp_path_factory.mktemp("mount") / "top", longest=120) as mount:
        yield mount.top


def test_in_a_mounted_ome_tiff_it_is_the_same(shown: Shown, folder: Path, top: Path) -> None:
    seen = tifffile.imread(top / shown.path / f"{shown.stem}.ome.tif")
    np.testing.assert_array_equal(seen, diascope.open(folder / shown.path)[...])
    assert_only(shown, lambda pixels: assert_equal(seen, pixels))


def test_openseadragon_shows_the_same(chromium: Browser, shown: Shown, url: str) -> None:
    required(judge.missing())
    z = LOOKED_AT[2]
    address = f"{url}/data/same/{shown.path}~render,z={z}/{shown.stem}.png.dzi"
    seen = judge.seen_by_openseadragon(address, shown.pixels.shape[1:], chromium)
    assert_only(shown, lambda pixels: near(seen, np.repeat(pixels[z, ..., None], 3, 2), "the screen", EXACT))


@pytest.mark.parametrize(
    "form",
    [("precomputed", "neuroglancer-precomputed", PRECOMPUTED), ("ome.zarr", "zarr3", OME_ZARR)],
    ids=["precomputed", "OME-Zarr"],
)
def test_neuroglancer_shows_the_same(chromium: Browser, shown: Shown, url: str, form: tuple[str, str, float]) -> None:
    ending, reader, edge = form
    source = f"{url}/data/same/{shown.path}/{shown.stem}.{ending}/|{reader}:"
    screen, panels = neuroglancer(chromium, url, source, edge)
    for section in SECTIONS:
        panel = panels[section.panel]
        assert_only(shown, lambda pixels: assert_seen(screen, panel, section, pixels))  # noqa: B023 — at once
        for beside in ((0.5, 0.0), (0.0, 0.5)):
            with pytest.raises(Rejected):
                assert_seen(screen, panel, section, shown.pixels, beside)


def neuroglancer(browser: Browser, url: str, source: str, edge: float) -> tuple[Picture, list[dict[str, float]]]:
    """The screen with the sections through the middle of a voxel, and where its panels are."""
    shader = "void main() { emitGrayscale(toNormalized(getDataValue())); }"
    layer = {"type": "image", "name": "volume", "source": source, "shader": shader, "opacity": 1}
    hidden = dict.fromkeys(("showAxisLines", "showScaleBar", "showDefaultAnnotations"), False)
    state = {
        "dimensions": {axis: [PIXEL * 1e-6, "m"] for axis in "xyz"},
        "position": [first + at + 0.5 + edge for first, at in zip(FIRST, LOOKED_AT, strict=True)],
        "crossSectionScale": 1 / MAGNIFIED,
        "layers": [layer],
        "layout": "4panel",
        **hidden,
    }
    with visit(browser, url) as visited:
        page = visited.go(f"/neuroglancer/#!{quote(json.dumps(state))}")
        page.wait_for_function(COMPLETE, polling=50)
        page.wait_for_timeout(500)
        return screenshot(page.screenshot()), page.evaluate(PANELS)


def assert_seen(
    screen: Picture, panel: dict[str, float], section: Section, pixels: Volume, beside: tuple[float, float] = (0, 0)
) -> None:
    """Every pixel of the screen in a panel, within the volume and not at the edge of a voxel, is that of its voxel."""
    columns = _voxels(panel["left"], panel["width"], section.across, leftwards=section.leftwards) + beside[0]
    rows = _voxels(panel["top"], panel["height"], section.down) + beside[1]
    x, y = (_within(places, SIZE[axis]) for places, axis in ((columns, section.across), (rows, section.down)))
    through = 3 - section.across - section.down
    plane = np.take(pixels.transpose(), LOOKED_AT[through], axis=through)
    plane = plane.T if section.across < section.down else plane
    expected = plane[np.ix_(rows[y].astype(int), columns[x].astype(int))]
    seen = screen[int(panel["top"]) :, int(panel["left"]) :][np.ix_(y, x)]
    # So much of each section is on the screen at the least.
    assert expected.size > 75_000
    near(seen, expected, f"section {section}", EXACT)


def _voxels(first: float, length: float, axis: int, *, leftwards: bool = False) -> NDArray[np.float64]:
    """Where the centres of a panel's pixels lie along an axis of the volume, in voxels from its first one's edge."""
    away = (np.arange(int(first), int(first + length)) + 0.5 - (first + length / 2)) / MAGNIFIED
    return LOOKED_AT[axis] + 0.5 + (-away if leftwards else away)


def _within(places: NDArray[np.float64], size: int) -> NDArray[np.intp]:
    inside = (places > 0) & (places < size)
    inside[:MARGIN] = inside[-MARGIN:] = False
    return np.flatnonzero(inside & (np.abs(places - np.round(places)) > 0.05))
