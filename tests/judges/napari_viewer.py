"""napari itself as a judge: shows what it is told to, and writes what it shows to a folder.

``napari_viewer.py OUT URL FOLDER SLOW_URL``: steps of one session on one screen; each writes ``name.json`` with
what the layers say, and ``name.npy`` with what is on the canvas. Run by the Python of its own environment.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import napari
import numpy as np
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtTest import QTest

PATIENCE = 30.0
PICTURE_SIZE = (1380, 900)

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Session:
    """One viewer, and the widget in its dock."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.viewer = napari.Viewer(show=True)
        self.camera = self.viewer.scene.camera
        self.window = self.viewer.window._qt_window
        self.window.resize(*PICTURE_SIZE)
        QTest.qWait(300)

    def shown(self, name: str, zoom: float, centre: tuple[float, ...], **more: Any) -> None:
        """Keep what is on the canvas, so many pixels of it being one of the world's units."""
        self.camera.zoom, self.camera.center = zoom, centre
        QTest.qWait(250)
        canvas = self.viewer.screenshot(canvas_only=True, flash=False)
        np.save(self.out / f"{name}.npy", canvas[..., :3])
        self.kept(name, zoom=zoom, centre=centre, **more)

    def kept(self, name: str, **more: Any) -> None:
        document = {"layers": [_facts(layer) for layer in self.viewer.layers], **more}
        (self.out / f"{name}.json").write_text(json.dumps(document, default=str), encoding="utf-8")

    def picture(self, name: str) -> None:
        """Keep the whole window."""
        QTest.qWait(300)
        self.viewer.window.screenshot(str(self.out / f"{name}.png"), canvas_only=False, flash=False)

    def cleared(self) -> None:
        self.viewer.layers.clear()
        self.viewer.dims.ndisplay = 2


def _facts(layer: Any) -> dict[str, Any]:
    return {
        "type": type(layer).__name__,
        "name": layer.name,
        "visible": layer.visible,
        "shapes": [list(level.shape) for level in (layer.data if layer.multiscale else [layer.data])],
        "level": layer.data_level,
        "scale": layer.scale.tolist(),
        "translate": layer.translate.tolist(),
        "units": [str(unit) for unit in layer.units],
        "axis_labels": list(layer.axis_labels),
        "affine": layer.affine.affine_matrix.tolist(),
        "contrast_limits": getattr(layer, "contrast_limits", None),
        "blending": str(layer.blending),
        "brightest": layer.colormap.map(np.array([1.0]))[0].tolist() if type(layer).__name__ == "Image" else None,
        "rgb": getattr(layer, "rgb", False),
        "editable": layer.editable,
    }


def wait(condition: Callable[[], Any], what: str) -> None:
    """Let the window live until something is so."""
    end = monotonic() + PATIENCE
    while not condition():
        if monotonic() > end:
            raise TimeoutError(f"waited in vain for {what}")
        QTest.qWait(20)


@contextmanager
def longest_pause() -> Iterator[list[float]]:
    """For how many seconds the window stood still at most while the block ran."""
    pauses, last = [0.0], [monotonic()]

    def tick() -> None:
        pauses[0] = max(pauses[0], monotonic() - last[0])
        last[0] = monotonic()

    timer = QTimer(interval=10)
    timer.timeout.connect(tick)
    timer.start()
    yield pauses
    timer.stop()


def files(session: Session, url: str, folder: str) -> None:
    """Layers of URLs and paths, on the canvas."""
    viewer = session.viewer
    viewer.open(f"{url}/data/{Path(folder).name}/mark.ome.tif/original", plugin=None)
    viewer.dims.set_current_step(0, 2)
    session.shown("channels", 16.0, (0, 10, 7))
    session.cleared()
    viewer.open(f"{folder}/mark.ome.tif", plugin="diascope")
    viewer.dims.set_current_step(0, 2)
    session.shown("channels-of-a-file", 16.0, (0, 10, 7))
    session.cleared()
    viewer.open(f"{url}/data/{Path(folder).name}/mark.ome.tif/project,axis=z", plugin=None)
    session.shown("view", 16.0, (10, 7))
    session.cleared()
    served = f"{url}/data/{Path(folder).name}/mark.ome.tif/original/mark.ome.zarr"
    for plugin in ("diascope", "napari-ome-zarr"):
        viewer.open(f"{served}/", plugin=plugin)
        viewer.dims.set_current_step(0, 2)
        session.shown(f"by-{plugin}", 16.0, (0, 10, 7))
        session.cleared()
    viewer.open(f"{folder}/palette.png", plugin="diascope")
    session.shown("palette", 8.0, (20, 25))
    session.cleared()
    viewer.open(f"{folder}/deep.tif", plugin="diascope")
    session.shown("deep", 8.0, (20, 25))
    session.cleared()
    viewer.open(f"{folder}/colours.tif", plugin="diascope")
    session.shown("colours", 4.0, (50, 60))
    session.shown("colours-far", 0.45, (1000.3, 1200.3))
    session.cleared()
    viewer.open(f"{folder}/labels.ome.zarr", plugin="diascope")
    viewer.layers[0].opacity = 1.0
    colours = {value: [float(part) for part in viewer.layers[0].get_color(value)] for value in (1, 2, 70_000)}
    session.shown("labels", 8.0, (20, 25), colours=colours)
    session.cleared()
    viewer.open(f"{folder}/series.tif", plugin="diascope")
    viewer.dims.set_current_step(0, 3)
    session.shown("series", 8.0, (0, 20, 25), dims=list(viewer.dims.axis_labels))
    session.cleared()


def volumes(session: Session, url: str, folder: str) -> None:
    """Volumes in the world, in three dimensions too."""
    viewer = session.viewer
    viewer.open(f"{folder}/volume.nii.gz", plugin="diascope")
    viewer.dims.set_point(0, 100.0 + 4 * 3)
    session.shown("volume", 4.0, (0, -50, 40))
    session.cleared()
    viewer.dims.ndisplay = 3
    viewer.open(f"{url}/data/{Path(folder).name}/volume.nii.gz/original", plugin=None)
    session.shown("volume-3d", 4.0, (110, -50, 40))
    session.cleared()
    viewer.dims.ndisplay = 3
    viewer.open(f"{folder}/blocks.ome.zarr", plugin="diascope")
    session.shown("labels-3d", 1.0, (0, 200, 200))
    session.cleared()
    viewer.open_sample("diascope", "dividing")
    session.kept("sample")
    session.cleared()


def dropped(session: Session, url: str) -> None:
    """A URL that is dragged onto the window."""
    mime = QMimeData()
    mime.setUrls([QUrl(url)])
    event = QDropEvent(QPointF(300, 300), Qt.DropAction.CopyAction, mime, LEFT, NONE)
    session.viewer.window._qt_viewer.dropEvent(event)
    session.kept("dropped")
    session.cleared()


class Widget:
    """The browser, used as a person does: with keys and the mouse."""

    def __init__(self, session: Session) -> None:
        _, self.browser = session.viewer.window.add_plugin_dock_widget("diascope", "Browse Diascope")
        self.tree = self.browser.listing.tree
        QTest.qWait(300)

    def typed(self, field: Any, text: str) -> None:
        field.selectAll()
        QTest.keyClicks(field, text)
        QTest.keyClick(field, Qt.Key.Key_Return)

    def line(self, name: str) -> Any:
        flags = Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchRecursive
        wait(lambda: self.tree.findItems(name, flags), f"{name} in the tree")
        return self.tree.findItems(name, flags)[0]

    def place(self, name: str) -> QPoint:
        item = self.line(name)
        self.tree.scrollToItem(item)
        return self.tree.visualItemRect(item).center()

    def click(self, name: str) -> None:
        QTest.mouseClick(self.tree.viewport(), LEFT, NONE, self.place(name))

    def double_click(self, name: str) -> None:
        self.click(name)
        QTest.mouseDClick(self.tree.viewport(), LEFT, NONE, self.place(name))

    def says(self, part: str) -> str:
        wait(lambda: part in self.browser.message.text(), f"{part!r}, not {self.browser.message.text()!r}")
        return str(self.browser.message.text())


def browsed(session: Session, url: str, folder: str, slow: str) -> None:
    """What the widget does."""
    widget = Widget(session)
    browser, viewer = widget.browser, session.viewer
    widget.typed(browser.address, url.removeprefix("http://"))
    widget.double_click("microscopy")
    widget.click("cells.ome.tif")
    wait(lambda: browser.facts.text() and not browser.picture.pixmap().isNull(), "facts and picture")
    colours = browser.picture.pixmap().toImage().pixelColor(50, 50).getRgb()
    facts = browser.facts.text()
    widget.double_click("cells.ome.tif")
    wait(lambda: len(viewer.layers) == 3, "three layers")
    viewer.reset_view()
    session.kept("double-click", facts=facts, picture=colours)
    session.picture("window")
    widget.typed(browser.view.lineEdit(), "project,axis=q")
    wrong = widget.says("axis")
    widget.typed(browser.view.lineEdit(), "project,method=max,axis=z")
    spelled = widget.says("View: project")
    widget.double_click("cells.ome.tif")
    wait(lambda: len(viewer.layers) == 6, "three layers more")
    session.kept("typed-view", wrong=wrong, spelled=spelled)
    session.cleared()
    widget.typed(browser.view.lineEdit(), "original")
    widget.double_click("broken.tif")
    broken = widget.says("broken.tif:")
    widget.click("two.ome.tif")
    wait(lambda: widget.line("two.ome.tif").childCount() == 2, "two scenes")
    widget.line("two.ome.tif").setExpanded(True)
    widget.double_click("scene 1")
    wait(lambda: len(viewer.layers) == 1, "the layer of a scene")
    session.kept("scene", broken=broken)
    session.cleared()
    widget.double_click("large")
    widget.click("more…")
    widget.line("0250.tif")
    large = widget.line("large").childCount()
    widget.typed(browser.search, "HEAD")
    found = widget.line(f"{Path(folder).name}/volumes/head.nii.gz").text(0)
    widget.typed(browser.address, "http://127.0.0.1:9")
    absent = widget.says("no Diascope server")
    with longest_pause() as pauses:
        widget.typed(browser.address, slow)
        widget.line("slow")
    widget.typed(browser.address, folder)
    widget.double_click("pictures")
    widget.double_click("rainbow.png")
    wait(lambda: len(viewer.layers) == 1, "the layer of a file")
    session.kept("more", large=large, found=found, absent=absent, pause=pauses[0])
    session.cleared()


def main(out: str, url: str, folder: str, slow: str) -> None:
    session = Session(Path(out))
    try:
        files(session, url, folder)
        volumes(session, url, folder)
        dropped(session, f"{url}/data/{Path(folder).name}/pictures/rainbow.png/original")
        browsed(session, url, folder, slow)
    finally:
        session.viewer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
