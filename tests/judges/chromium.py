"""Viewers in a real Chromium as judges: what is seen on the screen is compared with the pixels."""

from __future__ import annotations

import json
import shutil
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from playwright.sync_api import TimeoutError  # noqa: A004

from diascope.access.pages import web_folder
from tests.judges.node import PACKAGES
from tests.judges.pixels import Rejected
from tests.web.conftest import FLAGS, NAMES
from tests.web.test_volume import COMPLETE

OPENSEADRAGON = PACKAGES / "node_modules" / "openseadragon" / "build" / "openseadragon" / "openseadragon.min.js"
PATIENCE = 15_000
"""Milliseconds for all that is visible to come; a broken chunk never does."""
SIZE = {"width": 1400, "height": 1200}

VIEWER = """(source) => new Promise((resolve) => {
  const viewer = OpenSeadragon({
    element: document.body, tileSources: source, showNavigationControl: false, immediateRender: true,
    animationTime: 0, blendTime: 0, minZoomImageRatio: 0, imageSmoothingEnabled: false, drawer: "canvas",
  });
  viewer.addHandler("open-failed", (event) => resolve(event.message));
  viewer.addHandler("tile-load-failed", (event) => resolve(`the tile ${event.tile.cacheKey} did not load`));
  viewer.addHandler("open", () => {
    const item = viewer.world.getItemAt(0);
    const { x, y } = item.getContentSize();
    viewer.viewport.fitBounds(new OpenSeadragon.Rect(0, 0, innerWidth / x, innerHeight / x), true);
    const done = () => item.getFullyLoaded() && setTimeout(() => resolve([x, y]), 300);
    item.addHandler("fully-loaded-change", done);
    done();
  });
  setTimeout(() => resolve("not all tiles came"), PATIENCE);
})""".replace("PATIENCE", str(PATIENCE))
"""Shows an image pixel for pixel from the upper left corner; gives its size, or what went wrong."""


PIXEL_FOR_PIXEL = """(rows) => {
  for (const each of document.querySelectorAll(".neuroglancer-display-dimensions-widget")) each.remove();
  const panel = document.querySelector(".neuroglancer-rendered-data-panel").getBoundingClientRect();
  const [left, top] = [Math.ceil(panel.left) + 100, Math.ceil(panel.top) + 100];
  const middle = [panel.left + panel.width / 2 - left, (panel.top + panel.height / 2 - top) / rows, 0.5];
  middle.forEach((at, k) => { viewer.position.value[k] = at; });
  viewer.position.changed.dispatch();
  viewer.navigationState.zoomFactor.value = 1;
  return [left, top];
}"""
"""Shows a voxel a pixel, voxel 0 where nothing lies above it, at whole pixels from the corner of the screen."""


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    if not any(map(shutil.which, NAMES)):
        return "no Chromium here: apt-get install chromium"
    if not (web_folder() / "index.html").is_file():
        return "the web application is not built: make web"
    return None if OPENSEADRAGON.is_file() else "openseadragon is not here: make judges"


@cache
def browser() -> Any:
    """Debian's Chromium without a window, until this program ends."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, NAMES)))
    return sync_playwright().start().chromium.launch(executable_path=program, args=FLAGS)


def seen_by_openseadragon(
    source: str | dict[str, Any], shape: tuple[int, ...], running: Any = None
) -> NDArray[np.uint8]:
    """What is on the screen of the image described at a URL or in words, pixel for pixel: y, x and colour.

    A browser that is already running must be the one, as a program can only start one.
    """
    context = (running or browser()).new_context(viewport=SIZE)
    try:
        page = context.new_page()
        page.set_content("<body style='margin: 0; width: 100vw; height: 100vh; background: black'></body>")
        page.add_script_tag(path=str(OPENSEADRAGON))
        told = page.evaluate(VIEWER, source)
        if isinstance(told, str):
            raise Rejected(told)
        return _screen(page, (0, 0), shape)
    finally:
        context.close()


def seen_by_neuroglancer(
    url: str, shape: tuple[int, ...], shader: str, form: str = "neuroglancer-precomputed", rows: int = 1
) -> NDArray[np.uint8]:
    """The same of the first plane of a volume in a form of Neuroglancer's, in that of the server it lies on.

    A row takes so many rows of the screen.
    """
    host, source = url.partition("/data/")[0], f"{url}/|{form}:"
    layer = {"type": "image", "name": "volume", "source": source, "shader": shader, "opacity": 1}
    hidden = dict.fromkeys(("showAxisLines", "showScaleBar", "showDefaultAnnotations"), False)
    state = {"layers": [layer], "layout": "xy", **hidden}
    context = browser().new_context(viewport=SIZE)
    try:
        page = context.new_page()
        page.goto(f"{host}/neuroglancer/#!{quote(json.dumps(state))}")
        try:
            page.wait_for_function(COMPLETE, polling=50, timeout=PATIENCE)
            corner = page.evaluate(PIXEL_FOR_PIXEL, rows)
            page.wait_for_timeout(600)
            page.wait_for_function(COMPLETE, polling=50, timeout=PATIENCE)
        except TimeoutError as error:
            raise Rejected("not every chunk that is visible came") from error
        page.wait_for_timeout(300)
        return _screen(page, corner, shape)
    finally:
        context.close()


def _screen(page: Any, corner: tuple[int, int], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    (left, top), (height, width) = corner, shape
    clip = {"x": left, "y": top, "width": width, "height": height}
    return np.asarray(Pillow.open(BytesIO(page.screenshot(clip=clip))).convert("RGB"))
