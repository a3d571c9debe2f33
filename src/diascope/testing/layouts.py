"""The contract of layouts: what every layout must keep, of any image."""

from __future__ import annotations

from dataclasses import replace

from diascope.errors import Unavailable
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.region import Region
from diascope.layouts.layout import Layout
from diascope.testing.trees import MOST_FILES, check_tree, files, spread
from diascope.tree.file import Tree


def check_layout(layout: Layout, image: Image) -> bool:
    """Whether the layout holds the image; raise AssertionError where it breaks its contract."""
    assert all("{url}" in step for step in layout.steps.values()), f"a step of {layout.name} lacks its URL"
    reason = layout.refuses(image)
    if reason is not None:
        check_sentence(reason)
        return False
    check_names(layout, layout.tree(image), image.name)
    check_tree(layout.tree(image), unlisted(layout, image))
    check_repeated(layout, image)
    check_lookup(layout, image)
    check_trouble(layout, image)
    return True


def check_sentence(reason: str) -> None:
    """A refusal is one line that a person understands."""
    assert len(reason.split()) > 3, f"{reason!r} is no sentence"
    assert reason == reason.strip(), f"{reason!r} has spaces around it"
    assert "\n" not in reason, f"{reason!r} has more than one line"


def check_names(layout: Layout, tree: Tree, name: str) -> None:
    """The first names of paths are the image's name with the suffix or a companion, as the record says."""
    entries = {entry.name: entry.is_folder for entry in tree.entries("") or ()}
    known = {name + suffix for suffix in (layout.suffix, *layout.companions)}
    assert set(entries) <= known, (
        f"{layout.name} makes {sorted(set(entries) - known)}, of which its record says nothing"
    )
    assert entries.get(name + layout.suffix) is layout.is_folder, f"{layout.name} lacks {name + layout.suffix}"


def check_repeated(layout: Layout, image: Image) -> None:
    """Two trees of the same image have the same paths and bytes."""
    one, other = layout.tree(image), layout.tree(image)
    paths = _paths(one)
    assert paths == _paths(other), f"{layout.name} lists other paths the second time"
    for path in [*spread(paths), *unlisted(layout, image)]:
        assert _read(one, path) == _read(other, path), f"{path} has other bytes in another tree"


def check_lookup(layout: Layout, image: Image) -> None:
    """Making the tree, listing it and finding a file read no pixel."""
    tree = layout.tree(unreadable(image, AssertionError(f"{layout.name} reads pixels to find a file")))
    for path in [*_paths(tree), *unlisted(layout, image)]:
        assert tree.file(path) is not None, f"{path} is no file"


def check_trouble(layout: Layout, image: Image) -> None:
    """What goes wrong in reading pixels is raised as it is, and never becomes a missing or an empty file."""
    trouble = Unavailable("this image's pixels are not to be had")
    tree = layout.tree(unreadable(image, trouble))
    paths = [*_paths(tree), *unlisted(layout, image)]
    assert sum(_raised(tree, path, trouble) for path in paths), f"no file of {layout.name} has pixels"


def unlisted(layout: Layout, image: Image) -> list[str]:
    """The paths of files that it serves and does not list."""
    return [f"{image.name}{layout.suffix}{example}" for example in layout.examples]


def unreadable(image: Image, error: Exception) -> Image:
    """The same image, each of whose pixels raises the error when it is read."""

    def broken(level: Level) -> Level:
        def read_pixels(_: Region) -> Pixels:
            raise error

        return replace(level, read_pixels=read_pixels)

    return replace(image, levels=tuple(map(broken, image.levels)))


def _raised(tree: Tree, path: str, trouble: Exception) -> bool:
    try:
        _read(tree, path)
    except Exception as error:
        if error is trouble:
            return True
        raise
    return False


def _paths(tree: Tree) -> list[str]:
    return [path for path, _ in zip(files(tree), range(MOST_FILES), strict=False)]


def _read(tree: Tree, path: str) -> bytes:
    file = tree.file(path)
    assert file is not None, f"{path} is no file"
    return file.read(0, None)
