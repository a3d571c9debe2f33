"""``diascope formats``: which formats are read, by which library, and what installs those that are missing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from io import StringIO

from rich.console import Console
from rich.table import Table

from diascope.registry import registry
from diascope.sources.source import Source

NARROWEST = 100


@dataclass(frozen=True, slots=True)
class Format:
    """What is told of one source."""

    name: str
    title: str
    names: list[str]
    """Endings of files, and the files that make a folder an image."""
    library: str
    supports: str
    installed: bool
    """Whether all that it needs is there."""
    install: str
    """The command that installs what it needs; empty where every installation has it."""
    isolated: bool
    """Whether its library is run in a process of its own."""
    local_file: bool
    """Whether a file that is not local is copied to be read."""


def formats() -> list[Format]:
    """One for each source."""
    return list(map(_format, by_title()))


def by_title() -> list[Source]:
    """All sources in the order of their titles, fallbacks last."""
    sources: Mapping[str, Source] = registry("sources")
    return sorted(sources.values(), key=lambda source: (source.is_fallback, source.title.lower()))


def _format(source: Source) -> Format:
    return Format(
        name=source.name,
        title=source.title,
        names=names(source),
        library=library(source),
        supports=source.supports,
        installed=all(map(is_installed, source.modules)),
        install=install(source),
        isolated=source.is_isolated,
        local_file=source.needs_local_file,
    )


def names(source: Source) -> list[str]:
    """What the files and folders of a format are called."""
    names = [f"*{suffix}" for suffix in source.suffixes] + [f"folder with {name}" for name in source.markers]
    return names + [source.folders] * bool(source.folders)


def library(source: Source) -> str:
    """What reads the pixels."""
    return source.library or "Diascope"


def install(source: Source) -> str:
    """The command that installs the extra that a format needs, empty where it needs none."""
    return f"pip install 'diascope[{source.extra}]'" if source.extra else ""


def is_installed(module: str) -> bool:
    """Whether a module is there, without importing it."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def told(*, as_json: bool) -> str:
    """A table for people, or JSON for programs."""
    found = formats()
    return json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False) if as_json else _table(found)


def _table(found: list[Format]) -> str:
    out = StringIO()
    width = max(shutil.get_terminal_size((NARROWEST, 24)).columns, NARROWEST)
    table = Table("format", "names", "library", "supports", "installed", box=None, padding=(0, 2, 1, 0), pad_edge=False)
    for each in found:
        state = "yes" if each.installed else f"no: {each.install}"
        table.add_row(each.title, " ".join(each.names), each.library, each.supports, state)
    Console(file=out, width=width, highlight=False, markup=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())
