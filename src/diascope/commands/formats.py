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

USUAL, NARROWEST = 100, 72
"""Letters of a line where nobody says how wide it is, and where it is narrower than can be read."""

PACKED = (".gz", ".bz2")

ISOLATED, LOCAL = "¹", "²"
MARKS = (
    f"{ISOLATED} in a process of its own, which may crash or hang without harm to the server",
    f"{LOCAL} from a local copy, where the file lies in a bucket or behind a URL",
)


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


def named(source: Source, mark: str = "") -> str:
    """The same in a line for people, with endings and files between marks; packed files are told once."""
    plain = [suffix for suffix in source.suffixes if not suffix.endswith(PACKED)]
    packed = [ending for ending in PACKED if any(suffix.endswith(ending) for suffix in source.suffixes)]
    told = [", ".join(f"{mark}*{suffix}{mark}" for suffix in plain)] if plain else []
    told += [f"also packed as {' or '.join(f'{mark}{ending}{mark}' for ending in packed)}"] * bool(packed)
    told += [f"folder with {' or '.join(f'{mark}{name}{mark}' for name in source.markers)}"] * bool(source.markers)
    return ", ".join(told + [source.folders] * bool(source.folders))


def library(source: Source) -> str:
    """What reads the pixels."""
    return source.library or "Diascope"


def marked(source: Source) -> str:
    """The same, with the marks that ``MARKS`` explains."""
    return library(source) + ISOLATED * source.is_isolated + LOCAL * source.needs_local_file


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
    return json.dumps([asdict(each) for each in found], indent=2, ensure_ascii=False) if as_json else _told(found)


def _told(found: list[Format]) -> str:
    """A table as wide as the terminal, and the commands that install what is missing."""
    out = StringIO()
    width = max(shutil.get_terminal_size((USUAL, 24)).columns, NARROWEST)
    Console(file=out, width=width, highlight=False, markup=False).print(_table(found))
    lines = [line.rstrip() for line in out.getvalue().rstrip().splitlines()]
    missing: dict[str, list[str]] = {}
    for each in found:
        if not each.installed:
            missing.setdefault(each.install, []).append(each.title)
    wanted = [
        line for command, titles in missing.items() for line in (f"    {command}", f"        {', '.join(titles)}")
    ]
    return "\n".join([*lines, "", *MARKS, *(["", "Missing, and what installs it:", *wanted] if wanted else [])])


def _table(found: list[Format]) -> Table:
    table = Table(box=None, padding=(0, 2, 1, 0), pad_edge=False, expand=True)
    table.add_column("format", ratio=2, overflow="fold")
    table.add_column("what of it", ratio=3)
    table.add_column("read by", width=12)
    table.add_column("installed", width=9)
    for each in found:
        source: Source = registry("sources")[each.name]
        what = f"{each.title}\n{named(source).replace('`', '')}"
        table.add_row(what, each.supports, marked(source), "yes" if each.installed else "no")
    return table
