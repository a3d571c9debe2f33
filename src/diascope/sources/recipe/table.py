"""CSV tables beside a recipe (https://www.rfc-editor.org/rfc/rfc4180), with the line of every problem."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from math import isfinite
from typing import NamedTuple

from diascope.document import Problem, malformed
from diascope.errors import Malformed
from diascope.sources.recipe.model import LARGEST

MOST_COLUMNS = 100


class Row(NamedTuple):
    """One row of a table."""

    table: str
    line: int
    values: dict[str, str]

    def wrong(self, column: str, reason: str) -> Malformed:
        return malformed(self.table, [Problem(self.line, column, reason)])

    def text(self, column: str) -> str:
        """What stands in a column, empty where the table has none."""
        return self.values.get(column, "")

    def number(self, column: str, missing: float | None = None) -> float:
        """The number in a column; raises Malformed where it is none."""
        text = self.text(column)
        if column not in self.values and missing is not None:
            return missing
        try:
            value = float(text)
        except ValueError:
            raise self.wrong(column, f"{text[:100]!r} is no number") from None
        if not isfinite(value) or abs(value) > LARGEST:
            raise self.wrong(column, f"{text[:100]!r} is more than {LARGEST:g}")
        return value


def rows(text: bytes, name: str, needed: Collection[str], known: Collection[str]) -> Iterator[Row]:
    """The rows of a table that has the columns needed, and no others than those known."""
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise malformed(name, [Problem(line, "", "this is no text in UTF-8")]) from error
    reader = csv.reader(decoded.splitlines(), strict=True)
    try:
        columns = [column.strip() for column in next(reader, [])]
        _check(columns, name, needed, known)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if len(cells) != len(columns):
                    reason = f"it has {len(cells)} cells for {len(columns)} columns"
                    raise malformed(name, [Problem(reader.line_num, "", reason)])
                yield Row(name, reader.line_num, dict(zip(columns, (cell.strip() for cell in cells), strict=True)))
    except csv.Error as error:
        raise malformed(name, [Problem(max(reader.line_num, 1), "", f"this is no CSV: {error}")]) from error


def _check(columns: list[str], name: str, needed: Collection[str], known: Collection[str]) -> None:
    problems = [f"there is no column {column!r}" for column in needed if column not in columns]
    if len(columns) > MOST_COLUMNS or len(set(columns)) < len(columns):
        problems.append("a column stands there twice")
    problems += [f"there is no use for a column {column!r}" for column in columns[:MOST_COLUMNS] if column not in known]
    if problems:
        raise malformed(name, [Problem(1, "", problem[:200]) for problem in problems])
