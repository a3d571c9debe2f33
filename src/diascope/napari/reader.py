"""The reader that napari asks (https://napari.org/stable/plugins/building_a_plugin/guides.html#readers)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from diascope.catalogue.opening import source_of
from diascope.errors import DiascopeError
from diascope.napari.layers import LayerData
from diascope.napari.reading import opened
from diascope.napari.server import image_url, path_on_server
from diascope.python.opening import WEB
from diascope.stores.local import LocalStore

Paths: TypeAlias = str | Sequence[str]
Reader: TypeAlias = Callable[[Paths], list[LayerData]]


def reader(path: Paths) -> Reader | None:
    """What reads a path, None where Diascope does not know it, or where several paths shall become one layer.

    Of a file no more than the beginning is looked at, and a URL is judged by its spelling.
    """
    single = _single(path)
    return read if single is not None and _is_known(single) else None


def read(path: Paths) -> list[LayerData]:
    """The layers of a path or URL; errors are a sentence, which napari shows."""
    from napari.utils.notifications import show_info

    found = opened(_single(path) or "")
    if found.left_out:
        show_info(found.left_out)
    return found.layers


def _single(path: Paths) -> str | None:
    if isinstance(path, str):
        return path
    return path[0] if len(path) == 1 else None


def _is_known(path: str) -> bool:
    if path.startswith(WEB):
        return path_on_server(image_url(path)) is not None or ".zarr" in path
    full = Path(path).absolute()
    store = LocalStore(full.parent, follow_links=True)
    try:
        stat = store.stat(full.name)
        return stat is not None and source_of(store, full.name, stat) is not None
    except (DiascopeError, OSError):
        return False
