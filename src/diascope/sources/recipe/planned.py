"""Which files a recipe takes, each at its place, told from names alone: no image is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from diascope.bounded import Part, reader_cache
from diascope.document import Key
from diascope.errors import BadRequest, DiascopeError, NotFound
from diascope.pattern import Folders, Pattern, pattern
from diascope.sources.members import Member, Members
from diascope.sources.recipe.model import (
    LONGEST,
    MOST_TILES,
    Channels,
    Concatenate,
    Frame,
    MemberFile,
    Mosaic,
    Overlay,
    Section,
    Series,
    Stack,
    Time,
    number_of,
)
from diascope.sources.recipe.table import Row, rows
from diascope.sources.recipe.written import Written, small
from diascope.stores.store import Store

KEPT = 8
"""How many listings are remembered as they were understood: they are looked at again and again."""
MOST_FILES = 100_000
"""How many files a recipe takes."""
LARGEST_TABLE = 16 << 20
"""How many bytes a table has at most."""
MOST_NAMES = 1_000_000
"""How many names are looked at for a pattern."""

ROWS = ("xx", "xy", "x", "yx", "yy", "y")
UNMOVED = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


class Planned(NamedTuple):
    """A file that is taken."""

    at: int
    """Its place among the others."""
    member: Member
    key: Key
    """Where the recipe tells of it."""
    affine: tuple[float, ...] | None = None
    """Two rows of three numbers."""
    position: tuple[float, float] | None = None
    number: int = 0
    """By which a table names it."""


class Plan(NamedTuple):
    """The files that a recipe takes."""

    parts: tuple[Planned, ...]
    """In the order of their places."""
    length: int
    """One more than the highest place."""
    tables: tuple[tuple[str, bytes], ...] = ()
    """Path and bytes of the tables that were read."""


def planned(store: Store, members: Members, written: Written) -> Plan:
    """Raises Malformed, with the lines, where the recipe cannot be meant."""
    recipe = written.recipe
    if isinstance(recipe, Stack):
        return _transformed(store, members, written, recipe, _series(store, members, written, recipe, "sections"))
    if isinstance(recipe, Time):
        return _plan(_series(store, members, written, recipe, "frames"))
    if isinstance(recipe, Mosaic):
        return _mosaic(store, members, written, recipe)
    if isinstance(recipe, Overlay):
        named = (("image", recipe.image), ("labels", recipe.labels))
        return _plan([_part(members, written, k, each, (name,)) for k, (name, each) in enumerate(named)])
    return _plan(_listed(members, written, *_named(recipe)))


def _named(recipe: Channels | Concatenate) -> tuple[str, Sequence[MemberFile]]:
    return ("channels", recipe.channels) if isinstance(recipe, Channels) else ("parts", recipe.parts)


def _plan(parts: Sequence[Planned], tables: tuple[tuple[str, bytes], ...] = ()) -> Plan:
    ordered = sorted(parts, key=lambda part: part.at)
    return Plan(tuple(ordered), ordered[-1].at + 1 if ordered else 0, tables)


def _listed(members: Members, written: Written, key: str, files: Sequence[MemberFile]) -> list[Planned]:
    return [_part(members, written, k, each, (key, k)) for k, each in enumerate(files)]


def _part(members: Members, written: Written, at: int, file: MemberFile, key: Key) -> Planned:
    path = written.beside(file.file, (*key, "file"))
    check_view(members, written, file.view, (*key, "view"))
    affine = file.affine if isinstance(file, Section) else None
    return Planned(at, Member(path, file.scene, file.view), key, affine)


def check_view(members: Members, written: Written, view: str, key: Key) -> None:
    try:
        members.check(view)
    except (BadRequest, NotFound) as error:
        raise written.wrong(key, str(error)) from error


def _series(store: Store, members: Members, written: Written, series: Stack | Time, key: str) -> list[Planned]:
    if series.pattern is not None:
        return _found(store, members, written, series, pattern(series.pattern))
    files: Sequence[Section | Frame] = series.sections if isinstance(series, Stack) else series.frames
    parts: list[Planned] = []
    taken: set[int] = set()
    following = 0
    for k, file in enumerate(files):
        at = following if file.at is None else file.at
        if at in taken:
            raise written.wrong((key, k, "at"), f"there is a file at {at} already")
        taken.add(at)
        following = at + 1
        parts.append(_part(members, written, at, file, (key, k))._replace(number=at))
    if series.missing == "refuse" and max(taken) >= len(taken):
        gap = next(k for k in range(len(taken) + 1) if k not in taken)
        raise written.wrong((key,), f"there is no file at {gap}; `missing: fill` allows that")
    return parts


def _found(store: Store, members: Members, written: Written, series: Series, files: Pattern) -> list[Planned]:
    """The files that fit a pattern, at the places of their numbers."""
    check_view(members, written, series.view, ("view",))
    names = tuple(_names(store, written, written.path.rpartition("/")[0], files))
    # A folder of many files that nobody asked for is no reason to remember their names.
    matched = _remembered if len(names) <= MOST_FILES else _matched
    return list(matched(written, series, files, names))


def _matched(written: Written, series: Series, files: Pattern, names: tuple[str, ...]) -> tuple[Planned, ...]:
    """Those of these names that fit."""
    key: Key = ("pattern",)
    by_number: dict[int, str] = {}
    for name in names:
        number = number_of(files, name)
        if number is None or number < (series.first or 0) or (series.last is not None and number > series.last):
            continue
        if number in by_number:
            raise written.wrong(key, f"{by_number[number]!r} and {name!r} have the same number")
        by_number[number] = name
        if len(by_number) > MOST_FILES:
            raise written.wrong(key, f"more than {MOST_FILES} files fit it")
    if not by_number:
        raise written.wrong(key, "no file fits it")
    first = min(by_number) if series.first is None else series.first
    last = max(by_number) if series.last is None else series.last
    if (last - first) // series.step >= LONGEST:
        raise written.wrong(key, f"the numbers go from {first} to {last}: the limit is {LONGEST} files")
    parts = tuple(
        Planned(
            (number - first) // series.step,
            Member(written.beside(name, key), series.scene, series.view),
            key,
            number=number,
        )
        for number, name in by_number.items()
        if (number - first) % series.step == 0
    )
    end = (last - first) // series.step
    if series.missing == "refuse" and len(parts) <= end:
        there = {part.at for part in parts}
        gap = next(k for k in range(end + 1) if k not in there)
        told = f"of {end + 1 - len(parts)} numbers there is no file, the first being {first + gap * series.step}"
        raise written.wrong(key, f"{told}; `missing: fill` allows that")
    return parts


_remembered = lru_cache(maxsize=KEPT)(_matched)


def _names(store: Store, written: Written, folder: str, files: Pattern) -> Iterator[str]:
    """Paths from the folder of the recipe that may fit a pattern."""
    deepest = None if any(isinstance(each, Folders) for each in files.segments) else len(files.segments)
    folders = [files.folder]
    looked = 0
    while folders:
        inner = folders.pop()
        depth = inner.count("/") + 2 if inner else 1
        for name, is_folder in _listing(store, "/".join(filter(None, (folder, inner)))):
            looked += 1
            if looked > MOST_NAMES:
                raise written.wrong(("pattern",), f"more than {MOST_NAMES} names would have to be looked at")
            path = f"{inner}/{name}" if inner else name
            if is_folder and (deepest is None or depth < deepest):
                folders.append(path)
            yield path


def _listing(store: Store, path: str) -> Iterator[tuple[str, bool]]:
    try:
        yield from store.names(path)
    except NotFound:
        return


def _transformed(store: Store, members: Members, written: Written, stack: Stack, parts: list[Planned]) -> Plan:
    """The sections with the matrices and views of the table."""
    if stack.transformations is None:
        return _plan(parts)
    key = ("transformations",)
    path, text = _table(store, written, stack.transformations, key)
    told = _told(path, text)
    moved = []
    for part in parts:
        if part.number not in told:
            raise written.wrong(key, f"{path} has no row of section {part.number}, {part.member.path}")
        moved.append(_moved(members, part, *told[part.number]))
    return _plan(moved, ((path, text),))


ROW = 2000
"""Bytes that a row of a table takes as objects."""

_tables: Part[dict[int, tuple[Row, tuple[float, ...]]]] = Part(reader_cache, weigh=lambda told: ROW * len(told))


def _told(path: str, text: bytes) -> dict[int, tuple[Row, tuple[float, ...]]]:
    """The rows of a table by section, each with its matrix."""
    return _tables.get((path, sha256(text).digest()), lambda: _understood(path, text))


def _understood(path: str, text: bytes) -> dict[int, tuple[Row, tuple[float, ...]]]:
    told: dict[int, tuple[Row, tuple[float, ...]]] = {}
    for row in rows(text, path, ["section"], ["section", "view", *ROWS]):
        number = row.number("section")
        if number in told or not number.is_integer():
            raise row.wrong("section", f"{number:g} is there twice, or no whole number")
        matrix = tuple(row.number(name, value) for name, value in zip(ROWS, UNMOVED, strict=True))
        told[int(number)] = row, matrix
    return told


def _moved(members: Members, part: Planned, row: Row, matrix: tuple[float, ...]) -> Planned:
    """A section as its row says."""
    view = row.text("view")
    if not view:
        return part._replace(affine=matrix)
    try:
        members.check(view)
    except (BadRequest, NotFound) as error:
        raise row.wrong("view", str(error)) from error
    has_matrix = any(name in row.values for name in ROWS)
    return part._replace(affine=matrix if has_matrix else None, member=part.member._replace(view=view))


def _table(store: Store, written: Written, file: str, key: Key) -> tuple[str, bytes]:
    path = written.beside(file, key)
    try:
        return path, small(store, path, LARGEST_TABLE)
    except DiascopeError as error:
        raise written.wrong(key, str(error)) from error


def _mosaic(store: Store, members: Members, written: Written, mosaic: Mosaic) -> Plan:
    if mosaic.table is None:
        parts = _listed(members, written, "tiles", mosaic.tiles)
        return _plan([part._replace(position=mosaic.tiles[part.at].position) for part in parts])
    key = ("table",)
    path, text = _table(store, written, mosaic.table, key)
    placed: list[Planned] = []
    for row in rows(text, path, ["file", "x", "y"], ["file", "scene", "view", "x", "y"]):
        view = row.text("view") or "original"
        check_view(members, written, view, key)
        member = Member(written.beside(row.text("file") or ".", key), row.text("scene"), view)
        placed.append(Planned(len(placed), member, key, None, (row.number("x"), row.number("y"))))
        if len(placed) > MOST_TILES:
            raise written.wrong(key, f"there are more than {MOST_TILES} tiles")
    if not placed:
        raise written.wrong(key, "there is no tile")
    return _plan(placed, ((path, text),))
