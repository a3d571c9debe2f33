"""The images of a folder of this machine, told as a server on it would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from diascope.catalogue.catalogue import Catalogue, catalogue
from diascope.catalogue.description import description
from diascope.catalogue.listing import listing
from diascope.catalogue.located import viewed
from diascope.catalogue.search import search
from diascope.catalogue.thumbnail import thumbnail
from diascope.errors import NotFound
from diascope.napari.place import SEARCHED, Description, Entry, Found, Page, entries
from diascope.napari.server import PAGE, RENDER
from diascope.operations.view import ORIGINAL
from diascope.operations.view import view as spelled
from diascope.settings import RepositorySettings, Settings


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder as the one repository of a catalogue."""

    path: Path
    catalogue: Catalogue

    def listed(self, path: str, after: str = "") -> Page:
        if not path:
            (name,) = self.catalogue.repositories
            return Page((Entry(name, name, "folder"),), None)
        told = listing(self.catalogue, path, PAGE, after)
        return Page(entries(told, "entries"), told["next"])

    def found(self, text: str) -> Found:
        told = search(self.catalogue, text, None, SEARCHED)
        return Found(entries(told, "results"), bool(told["complete"]))

    def described(self, path: str) -> Description:
        return description(self.catalogue, path)

    def picture(self, path: str, size: int) -> bytes:
        return thumbnail(self.catalogue, path, size).read(0, None)

    def views(self, path: str) -> list[str]:  # noqa: ARG002
        return [ORIGINAL, RENDER]

    def checked(self, path: str, view: str) -> str:
        steps = str(spelled(view))
        viewed(self.catalogue, path, steps)
        return steps

    def address(self, path: str, view: str = ORIGINAL) -> str:
        return str(Path(self.path, *path.split("/")[1:], *([] if view == ORIGINAL else [view])))


def folder(text: str) -> Folder:
    """The folder at a path; raises NotFound where there is none."""
    path = Path(text).expanduser().absolute()
    if not path.is_dir():
        raise NotFound(f"there is no folder {text!r}")
    repository = RepositorySettings(path=path, follow_links=True)
    # Only what was asked for, whatever a diascope.toml in this program's folder says.
    settings = Settings.model_construct(repositories={path.name or "root": repository})
    return Folder(path, catalogue(settings))
