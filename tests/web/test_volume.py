"""The Neuroglancer view in a real browser: each of its sections is the one that the file holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
import pytest
import tifffile
from playwright.sync_api import Browser, Frame, Page

from tests.web.blocks import Picture, assert_shows, blocks, grey, screenshot
from tests.web.conftest import visit

pytestmark = pytest.mark.judge

SHAPE = (72, 60, 48)
"""x, y, z."""
BLOCK = 12

PRECOMPUTED, OME_ZARR = 0.0, -0.5
"""Where voxel 0 begins: in precomputed whole numbers are the corners of voxels, in OME-Zarr their centres."""

COMPLETE = """() => {
  const layers = window.viewer?.layerManager.managedLayers ?? [];
  const progress = layers.flatMap(({layer}) => layer?.renderLayers ?? []).map((each) => each.layerChunkProgressInfo);
  const sum = (key) => progress.reduce((total, each) => total + each[key], 0);
  const needed = sum("numVisibleChunksNeeded");
  return needed > 0 && needed === sum("numVisibleChunksAvailable");
}"""
"""A failed chunk is filled from a coarser level without an error: only the counts tell."""

UNADORNED = """() => {
  for (const name of ["showAxisLines", "showScaleBar", "showDefaultAnnotations"]) viewer[name].value = false;
  return viewer.state.toJSON();
}"""

PANELS = """() => [...document.querySelectorAll(".neuroglancer-rendered-data-panel")].map((each) => {
  const {left, top, width, height} = each.getBoundingClientRect();
  return {left, top, width, height};
})"""


class Section(NamedTuple):
    """A panel and the axes that run across and down in it, by their places in x, y, z."""

    panel: int
    across: int
    down: int
    leftwards: bool = False
    """Whether the axis across runs to the left: the third panel is the first one turned about y."""


SECTIONS = (Section(0, 0, 1), Section(1, 0, 2), Section(3, 2, 1, leftwards=True))


def volume() -> np.ndarray[Any, Any]:
    return blocks(SHAPE, BLOCK, seed=5)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, server: Callable[[Path], str]) -> str:
    folder = tmp_path_factory.mktemp("volumes") / "volumes"
    folder.mkdir()
    voxels = np.round(volume() * 3000).astype(np.int16)
    image = nibabel.Nifti1Image(voxels, np.diag([2.0, 2.0, 2.0, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, folder / "brain.nii")
    stack = np.stack([voxels.T, voxels.T[::-1]]).astype(np.uint16)
    tifffile.imwrite(
        folder / "film.ome.tif",
        stack,
        metadata={"axes": "TZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 0.5},
        ome=True,
    )
    return server(folder)


def viewer_in(page: Page) -> Frame:
    """The viewer's frame, once every chunk that is visible has come."""
    element = page.wait_for_selector("iframe")
    frame = element.content_frame() if element else None
    assert frame is not None
    frame.wait_for_function(COMPLETE, polling=100)
    return frame


def sections(page: Page, frame: Frame, edge: float) -> list[tuple[Section, Picture, Picture]]:
    """What each panel shows of the volume, and what it should; ``edge`` is where voxel 0 begins."""
    state = frame.evaluate(UNADORNED)
    page.wait_for_timeout(500)
    # What the changed state needs is known only when it was drawn once.
    frame.wait_for_function(COMPLETE, polling=100)
    page.wait_for_timeout(300)
    shown = screenshot(page.screenshot())
    corner = page.locator("iframe").bounding_box()
    assert corner is not None
    panels = frame.evaluate(PANELS)
    position, scale = [at - edge for at in state["position"][:3]], state["crossSectionScale"]
    found = []
    for section in SECTIONS:
        panel = panels[section.panel]
        middle = (corner["x"] + panel["left"] + panel["width"] / 2, corner["y"] + panel["top"] + panel["height"] / 2)
        rows = _span(middle[1], position, scale, section.down)
        columns = _span(middle[0], position, scale, section.across, leftwards=section.leftwards)
        found.append((section, shown[rows, columns], _expected(section, position)))
    return found


def _expected(section: Section, position: list[float]) -> Picture:
    through = 3 - section.across - section.down
    plane = np.take(volume(), int(position[through]), axis=through)
    upright = plane.T if section.across < section.down else plane
    return grey(upright[:, ::-1] if section.leftwards else upright)


def _span(middle: float, position: list[float], scale: float, axis: int, *, leftwards: bool = False) -> slice:
    """The pixels of the screen from the volume's one end to the other along an axis."""
    before = SHAPE[axis] - position[axis] if leftwards else position[axis]
    first = middle - before / scale
    return slice(round(first), round(first + SHAPE[axis] / scale))


def test_every_section_of_a_volume_is_right(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/volumes/brain.nii")
        page.get_by_role("tab", name="Plane").press("ArrowRight")
        for _, seen, expected in sections(page, viewer_in(page), PRECOMPUTED):
            assert_shows(seen, expected, BLOCK // 2)


def test_a_film_of_volumes_is_shown_from_ome_zarr(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/volumes/film.ome.tif?show=volume")
        frame = viewer_in(page)
        assert "zarr" in frame.evaluate("viewer.state.toJSON().layers[0].source")
        frame.evaluate("() => { viewer.position.value[3] = 0; viewer.position.changed.dispatch(); }")
        frame.wait_for_function(COMPLETE, polling=100)
        for _, seen, expected in sections(page, frame, OME_ZARR):
            assert_shows(seen, expected, BLOCK // 2)


def test_the_viewer_has_a_window_of_its_own(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/volumes/brain.nii?show=volume")
        address = page.get_by_role("link", name="Neuroglancer in its own window").get_attribute("href")
        assert address is not None
        page.goto(host + address)
        page.wait_for_function(COMPLETE, polling=100)
