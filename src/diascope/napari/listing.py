"""The tree of folders and images, each folder listed when it is opened, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QStyle, QTreeWidget, QTreeWidgetItem

from diascope.napari.background import Background
from diascope.napari.place import Entry, Page, Place

ENTRY = Qt.ItemDataRole.UserRole
AFTER = Qt.ItemDataRole.UserRole + 1
"""What the next page comes after, on the line that stands for it."""

MORE = "more…"
WAIT = "…"

MOST_SCENES = 1000
"""How many images of a file are listed."""


class Listing:
    """What a place has, in a tree widget; ``chosen`` and ``opened`` are called with an image's entry."""

    def __init__(
        self, background: Background, chosen: Callable[[Entry | None], None], opened: Callable[[Entry], None]
    ) -> None:
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setExpandsOnDoubleClick(False)
        self._background = background
        self._place: Place | None = None
        self._opened = opened
        self._generation = 0
        self.tree.itemExpanded.connect(self._expand)
        self.tree.itemClicked.connect(self._click)
        self.tree.itemDoubleClicked.connect(self._double_click)
        self.tree.currentItemChanged.connect(lambda now, _: chosen(entry_of(now)))

    def show(self, place: Place) -> None:
        """List the repositories of a place from now on, opening the only one."""
        self._clear(place)

        def listed(page: Page) -> None:
            self._add(self.tree.invisibleRootItem(), page)
            if len(page.entries) == 1:
                self.tree.topLevelItem(0).setExpanded(True)

        self._background.ask(self._topic(""), partial(place.listed, ""), listed)

    def show_found(self, place: Place, entries: Iterable[Entry]) -> None:
        """List the results of a search by their paths."""
        self._clear(place)
        for entry in entries:
            self._add(self.tree.invisibleRootItem(), Page((replace(entry, name=entry.path),), None))

    def show_scenes(self, file: Entry, scenes: list[Entry]) -> None:
        """List the images of a file below it, once; hidden until somebody opens it."""
        item = self.tree.currentItem()
        if entry_of(item) == file and not item.childCount():
            self._add(item, Page(tuple(scenes[:MOST_SCENES]), None))

    def _clear(self, place: Place) -> None:
        # What was asked before is answered into items that are gone.
        self._generation += 1
        self._place = place
        self.tree.clear()

    def _topic(self, path: str) -> str:
        return f"list {self._generation} {path}"

    def _add(self, parent: QTreeWidgetItem, page: Page) -> None:
        for entry in page.entries:
            item = QTreeWidgetItem(parent, [entry.name])
            item.setData(0, ENTRY, entry)
            item.setToolTip(0, entry.path)
            item.setIcon(0, self._icon(entry))
            if entry.what == "folder":
                item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
            item.setDisabled(entry.what == "file")
        if page.after is not None:
            QTreeWidgetItem(parent, [MORE]).setData(0, AFTER, page.after)

    def _icon(self, entry: Entry) -> object:
        kinds = QStyle.StandardPixmap
        icons = {"folder": kinds.SP_DirIcon, "image": kinds.SP_FileDialogContentsView}
        return self.tree.style().standardIcon(icons.get(entry.what, kinds.SP_FileIcon))

    def _expand(self, item: QTreeWidgetItem) -> None:
        entry = entry_of(item)
        if entry and entry.what == "folder" and not item.childCount():
            self._fetch(item, entry, "")

    def _click(self, item: QTreeWidgetItem) -> None:
        after = item.data(0, AFTER)
        entry = entry_of(item.parent())
        if after is not None and entry:
            parent = item.parent()
            parent.removeChild(item)
            self._fetch(parent, entry, str(after))

    def _fetch(self, item: QTreeWidgetItem, entry: Entry, after: str) -> None:
        if self._place is None:
            return
        place, generation = self._place, self._generation
        waiting = QTreeWidgetItem(item, [WAIT])
        waiting.setDisabled(True)

        def listed(page: Page | None) -> None:
            if generation == self._generation:
                item.removeChild(waiting)
                self._add(item, page or Page((), None))
                item.setExpanded(page is not None)

        ask = partial(place.listed, entry.path, after)
        self._background.ask(self._topic(f"{entry.path} {after}"), ask, listed, lambda: listed(None))

    def _double_click(self, item: QTreeWidgetItem) -> None:
        entry = entry_of(item)
        if entry and entry.what == "image":
            self._opened(entry)
        elif entry and entry.what == "folder":
            item.setExpanded(not item.isExpanded())


def entry_of(item: QTreeWidgetItem | None) -> Entry | None:
    """What a line of the tree stands for."""
    found = item.data(0, ENTRY) if item is not None else None
    return found if isinstance(found, Entry) else None
