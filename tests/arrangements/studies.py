"""A differently organised folder of small real images, and an arrangement that is written in a few lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import tifffile

from diascope.arrangements.arrangement import Arrangement, MappingFile, Written, links
from diascope.arrangements.contents import Contents, Link, Made, Trouble
from diascope.arrangements.root import Root, root
from diascope.arrangements.seen import Seen
from diascope.catalogue.catalogue import catalogue
from diascope.registry import registry
from diascope.settings import ArrangementSettings, RepositorySettings, Settings

Y, X = np.mgrid[0:90, 0:120]


def picture(path: Path, number: int = 0) -> None:
    """A small grey image, unlike others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, ((X * 3 + Y * 5 + number * 7) % 4000).astype(np.uint16), compression="zlib")


class Listed(MappingFile):
    """Paths one by one, each with what is there."""

    arrangement: Literal["listed"]
    show: dict[str, str]


def _contents(seen: Seen, written: Written[Listed]) -> Contents:
    contents = Contents()
    repository = seen.repository(written.says.repository)
    lies = {found.path: found for found in seen.files(repository)}
    for target, said in written.says.show.items():
        path, _, layout = said.partition(" as ")
        origin = written.origin(("show", target))
        if path == "made":
            contents.add(target, Made(layout.encode, origin=origin))
        elif path == "trouble":
            contents.add(target, Trouble(layout, origin))
        else:
            is_folder = lies[path].is_folder if path in lies else False
            link = Link(f"{repository.name}/{path}", layout=layout or None, origin=origin, is_folder=is_folder)
            for each, found in links(target, link):
                contents.add(each, found)
    return contents


@contextmanager
def listed() -> Iterator[None]:
    """While the block runs there is a kind of arrangement named ``listed``."""
    plugin = Arrangement(name="listed", title="Listed", parameters=Listed, contents=_contents)
    with registry("arrangements").including("listed", plugin):
        yield


def settings_of(folder: Path, mapping: Path, *, name: str = "study", refresh_seconds: float = 0) -> Settings:
    """A folder with one arrangement of it, whose mapping file lies anywhere."""
    return Settings(
        repositories={folder.name: RepositorySettings(path=folder)},
        arrangements={name: ArrangementSettings(mapping=mapping)},
        refresh_seconds=refresh_seconds,
    )


def arranged(folder: Path, mapping: Path, *, refresh_seconds: float = 0) -> Root:
    """The root tree of it."""
    settings = settings_of(folder, mapping, refresh_seconds=refresh_seconds)
    return root(settings, catalogue(settings))
