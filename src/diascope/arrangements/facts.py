"""What a table says of files: rows of CSV (https://www.rfc-editor.org/rfc/rfc4180) or TSV, found by their key."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from diascope.document import Problem, malformed
from diascope.pattern import composed

LARGEST = 16 << 20
"""How many bytes a table may have."""
MOST_ROWS = 200_000
MOST_COLUMNS = 1000

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What a line of a table says."""

    line: int
    """The line that it begins in, counted from 1."""
    values: Mapping[str, str]
    """By column, without spaces around them."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a table, in their order."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def by(self, columns: Sequence[str]) -> dict[Key, Row]:
        """The rows by what stands in these columns (``key``).

        Raises Malformed, with every line, where there is no such column, where a cell of a key is empty, and where two
        rows have one key.
        """
        absent = [column for column in columns if column not in self.columns]
        if absent:
            told = f"there is no column {absent[0]!r}; there are: {', '.join(self.columns)}"
            raise malformed(self.name, [Problem(1, "", told)])
        found: dict[Key, Row] = {}
        problems = []
        for row in self.rows:
            cells = tuple(row.values[column] for column in columns)
            if not all(cells):
                problems.append(Problem(row.line, columns[cells.index("")], "this cell is part of a key, and empty"))
                continue
            first = found.setdefault(key(cells), row)
            if first is not row:
                told = ", ".join(f"{column} {cell!r}" for column, cell in zip(columns, cells, strict=True))
                problems.append(Problem(row.line, "", f"{told} stands in line {first.line} already"))
        if problems:
            raise malformed(self.name, problems)
        return found


def key(cells: Sequence[str]) -> Key:
    """Texts as they are compared: numbers are the same whatever zeros stand before them."""
    return tuple((cell.lstrip("0") or "0") if cell.isascii() and cell.isdecimal() else composed(cell) for cell in cells)


def table(data: bytes, name: str) -> Table:
    """The table of a file: one named ``.tsv`` has tabs, any other commas, or semicolons where its first line has none.

    Raises Malformed with the lines of everything that is wrong.
    """
    if len(data) > LARGEST:
        raise malformed(name, [Problem(1, "", f"it has {len(data)} bytes; the limit is {LARGEST}")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise malformed(name, [Problem(line, "", "this is no text in UTF-8")]) from error
    lines = _lines(text, name)
    _, header = next(lines, (1, []))
    columns = tuple(composed(cell.strip()) for cell in header)
    _check(columns, name)
    problems: list[Problem] = []
    rows: list[Row] = []
    for line, cells in lines:
        if len(cells) != len(columns):
            problems.append(Problem(line, "", f"it has {len(cells)} cells, and the first line {len(columns)}"))
        elif len(rows) == MOST_ROWS:
            raise malformed(name, [*problems, Problem(line, "", f"there are more than {MOST_ROWS} rows")])
        else:
            rows.append(Row(line, dict(zip(columns, (cell.strip() for cell in cells), strict=True))))
    if problems:
        raise malformed(name, problems)
    return Table(name, columns, tuple(rows))


def _check(columns: Sequence[str], name: str) -> None:
    if not columns:
        raise malformed(name, [Problem(1, "", "there is no line of column names")])
    if len(columns) > MOST_COLUMNS:
        raise malformed(name, [Problem(1, "", f"it has {len(columns)} columns; the limit is {MOST_COLUMNS}")])
    for k, column in enumerate(columns):
        if not column or column in columns[:k]:
            told = f"column {k + 1} is named as another: {column!r}" if column else f"column {k + 1} has no name"
            raise malformed(name, [Problem(1, "", told)])


def _lines(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row that is not empty, and the line it begins in."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text, name), strict=True)
    begin = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise malformed(name, [Problem(begin, "", f"this row cannot be read: {error}")]) from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield begin, cells
        begin = reader.line_num + 1


def _delimiter(text: str, name: str) -> str:
    if name.lower().endswith((".tsv", ".tab")):
        return "\t"
    first = text.partition("\n")[0]
    return ";" if ";" in first and "," not in first else ","
