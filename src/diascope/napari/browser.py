"""The widget that browses a server or a folder, and adds layers with a double click."""

from __future__ import annotations

from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Layer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from diascope.napari.background import Background
from diascope.napari.choice import choice
from diascope.napari.facts import facts
from diascope.napari.folder import folder
from diascope.napari.listing import Listing
from diascope.napari.place import Description, Entry, Found, Place, image_path, scenes
from diascope.napari.reading import Opened
from diascope.napari.server import server_of
from diascope.operations.view import ORIGINAL

if TYPE_CHECKING:
    from napari.components import ViewerModel

PICTURE = 112
"""Of the longer side of a thumbnail."""

WIDTH = 290
"""In which an address, and facts beside a thumbnail, are read without breaks."""

PAUSE = 400
"""Milliseconds without a key after which a search or a view is looked at."""

EXAMPLE = "http://localhost:8400"


class Browser(QWidget):  # type: ignore[misc] # Qt has no types here
    """Address and search above, the tree in the middle, the chosen image and its view below."""

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._place: Place | None = None
        self._chosen: Entry | None = None
        background = Background(self._tell_error)
        self._background = background
        self.destroyed.connect(background.stop)
        self.listing = Listing(background, self._choose, self.add)
        self._make_fields()
        self._lay_out()
        self._connect_fields()

    def _make_fields(self) -> None:
        self.address = QLineEdit(placeholderText=f"{EXAMPLE} or a folder")
        self.browse = QPushButton("Folder…")
        self.search = QLineEdit(placeholderText="Search by name", clearButtonEnabled=True)
        self.picture = QLabel(alignment=Qt.AlignmentFlag.AlignTop)
        self.picture.setFixedSize(PICTURE, PICTURE)
        self.facts = QLabel(wordWrap=True, textFormat=Qt.TextFormat.RichText)
        self.facts.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.view = QComboBox(editable=True)
        self.view.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.view.setToolTip("original, render, a view that the server has saved, or operations: project,axis=z")
        self.plus = QPushButton("Add layers")
        self.message = QLabel(wordWrap=True, textFormat=Qt.TextFormat.RichText)
        self._search_pause = QTimer(self, singleShot=True, interval=PAUSE)
        self._view_pause = QTimer(self, singleShot=True, interval=PAUSE)
        self._offer([ORIGINAL])

    def _lay_out(self) -> None:
        self.setMinimumWidth(WIDTH)
        rows = QVBoxLayout(self)
        rows.addLayout(_row(self.address, self.browse, wide=0))
        rows.addWidget(self.search)
        rows.addWidget(self.listing.tree, 1)
        told = _row(self.picture, self.facts, wide=1)
        told.setAlignment(self.picture, Qt.AlignmentFlag.AlignTop)
        rows.addLayout(told)
        rows.addLayout(_row(QLabel("View"), self.view, self.plus, wide=1))
        rows.addWidget(self.message)

    def _connect_fields(self) -> None:
        self.address.returnPressed.connect(lambda: self.go(self.address.text()))
        self.browse.clicked.connect(self._ask_for_folder)
        self.search.textEdited.connect(lambda _: self._search_pause.start())
        self.search.returnPressed.connect(self._search)
        self._search_pause.timeout.connect(self._search)
        self.view.editTextChanged.connect(lambda _: self._view_pause.start())
        self._view_pause.timeout.connect(self._check_view)
        self.plus.clicked.connect(lambda: self.add(self._chosen) if self._chosen else None)

    def go(self, address: str) -> None:
        """Show the repositories of a server, or a folder."""
        self._tell(f"Asking {address} …")
        self._background.ask("place", partial(_place, address), self._arrive)

    def add(self, entry: Entry) -> None:
        """Add the layers of an image under the view that is chosen."""
        if self._place is None:
            return
        self._tell(f"Opening {entry.name} …")
        self._view_pause.stop()
        self._background.ask(f"add {entry.path}", partial(choice, self._place, entry.path, self._view()), self._added)

    def _arrive(self, place: Place) -> None:
        self._place = place
        self._tell("")
        self._choose(None)
        self.search.clear()
        self.listing.show(place)

    def _added(self, chosen: Opened) -> None:
        self._tell(chosen.left_out)
        for data, arguments, kind in chosen.layers:
            self._viewer.add_layer(Layer.create(data, arguments, kind))
        if not chosen.left_out:
            self._tell(f"Added {len(chosen.layers)} layer{'s' * (len(chosen.layers) != 1)}.")

    def _choose(self, entry: Entry | None) -> None:
        """Show what an image is; nothing else is."""
        self._chosen = entry if entry and entry.what == "image" else None
        for topic in ("facts", "picture", "views", "view"):
            self._background.forget(topic)
        self.picture.clear()
        self.facts.setText("")
        self._tell("")
        if self._chosen is None or self._place is None:
            return
        path, place = self._chosen.path, self._place
        self._background.ask("facts", lambda: place.described(path), partial(self._describe, self._chosen))
        self._background.ask("picture", lambda: place.picture(path, 2 * PICTURE), self._show_picture)
        self._background.ask("views", lambda: place.views(path), self._offer)

    def _describe(self, entry: Entry, told: Description) -> None:
        self.facts.setText(facts(told))
        if len(others := scenes(told)) > 1:
            self.listing.show_scenes(entry, others)

    def _show_picture(self, jpeg: bytes) -> None:
        pixels = QPixmap()
        pixels.loadFromData(jpeg)
        kept, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        self.picture.setPixmap(pixels.scaled(PICTURE, PICTURE, kept, smooth))

    def _offer(self, views: list[str]) -> None:
        """The view that is chosen stays, so that one can be given to many images."""
        text = self.view.currentText()
        self.view.blockSignals(True)
        self.view.clear()
        self.view.addItems(views)
        self.view.setEditText(text or ORIGINAL)
        self.view.blockSignals(False)

    def _view(self) -> str:
        return self.view.currentText().strip() or ORIGINAL

    def _check_view(self) -> None:
        if self._chosen is None or self._place is None:
            return
        place, path, view = self._place, self._chosen.path, self._view()
        ask = lambda: place.checked(image_path(place, path), view)  # noqa: E731
        self._background.ask("view", ask, lambda spelled: self._tell(f"View: {spelled}"))

    def _search(self) -> None:
        self._search_pause.stop()
        place, text = self._place, self.search.text().strip()
        if place is None:
            return
        if not text:
            self._background.forget("search")
            self.listing.show(place)
            return
        self._background.ask("search", lambda: place.found(text), partial(self._show_found, place))

    def _show_found(self, place: Place, found: Found) -> None:
        self.listing.show_found(place, found.entries)
        names = f"{len(found.entries)} found"
        self._tell(names if found.complete else f"{names}; there may be more: give a longer part of the name")

    def _ask_for_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "A folder of images")
        if chosen:
            self.address.setText(chosen)
            self.go(chosen)

    def _tell(self, text: str) -> None:
        self.message.setText(escape(text))

    def _tell_error(self, text: str) -> None:
        self.message.setText(f"<span style='color: #e05a4f'>{escape(text)}</span>")


def _place(text: str) -> Place:
    """A folder where there is one, else a server, which is asked whether it is there."""
    if Path(text.strip()).expanduser().is_dir():
        return folder(text.strip())
    return server_of(text).reached()


def _row(*widgets: Any, wide: int) -> QHBoxLayout:
    row = QHBoxLayout()
    for k, widget in enumerate(widgets):
        row.addWidget(widget, int(k == wide))
    return row
