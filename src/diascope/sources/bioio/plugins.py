"""The plug-ins of BioIO that are installed, and the names of the files that they read.

A plug-in is a package whose module ``reader_metadata`` has a class with a function ``get_supported_extensions``.
"""

from __future__ import annotations

import ast
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

GROUP = "bioio.readers"
LISTING = "get_supported_extensions"


def suffixes() -> tuple[str, ...]:
    """The endings of names in lower case, in alphabetical order; none where there is no plug-in."""
    found = {ending for plugin in entry_points(group=GROUP) for ending in _endings(plugin)}
    return tuple(sorted(f".{ending.lower().removeprefix('.')}" for ending in found if ending.strip(".")))


def _endings(plugin: EntryPoint) -> list[str]:
    """Those of one plug-in, none of one that is broken: the others are to work all the same."""
    try:
        written = _written(plugin.value)
        return written if written is not None else _told(plugin.value)
    except Exception:  # noqa: BLE001 - it is code of others, and every source is imported by every command
        return []


def _written(package: str) -> list[str] | None:
    """As its module has them written, for importing one costs seconds; None where they are computed."""
    spec = find_spec(package.partition(":")[0].partition(".")[0])
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).with_name("reader_metadata.py")
    if not path.is_file():
        return None
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == LISTING:
            return _literal(node)
    return None


def _literal(function: ast.FunctionDef) -> list[str] | None:
    for node in function.body:
        if isinstance(node, ast.Return) and isinstance(node.value, ast.List | ast.Tuple):
            try:
                return [str(each) for each in ast.literal_eval(node.value)]
            except ValueError:
                return None
    return None


def _told(package: str) -> list[str]:
    return [str(each) for each in import_module(package.partition(":")[0]).ReaderMetadata.get_supported_extensions()]
