"""What a layout is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from diascope.image.image import Image
from diascope.tree.file import Tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A file format that images are served in."""

    name: str
    title: str
    suffix: str
    """What follows the image's name in the path that a user opens, such as ``.ome.zarr``."""
    companions: tuple[str, ...] = ()
    """What follows it in other names that the layout makes beside that one, such as ``_files``."""
    is_folder: bool
    """Whether that path is a folder; its URL then ends with a slash."""
    refuses: Callable[[Image], str | None]
    """Why the format cannot hold this image, as a sentence that names the way out; None where it can."""
    tree: Callable[[Image], Tree]
    """Its files, each path beginning with the image's name and the suffix or a companion."""
    examples: tuple[str, ...] = ()
    """What follows the suffix in paths of files that are served without being listed, one path of each kind."""
    steps: Mapping[str, str] = field(default_factory=dict)
    """How tools open it, by the tool's name: a text in which ``{url}`` is where it is served."""
    picture: bool = False
    """Whether it holds pictures as a viewer shows them, and is therefore offered of the view ``render``."""
