"""Names of files that are numbered by a pattern of C's printf."""

from __future__ import annotations

import re

from diascope.errors import Unreadable
from diascope.sources.reading.plain.pieces import MOST_FILES

PATTERN = re.compile(r"([^%]*)%(0?)(\d{0,2})[dui]([^%]*)")


def series_names(pattern: str, first: str, last: str, step: str) -> tuple[str, ...]:
    """The names of all numbers from the first to the last; raises Unreadable where they are none or too many."""
    found = PATTERN.fullmatch(pattern)
    try:
        numbers = range(int(first), int(last) + (1 if int(step) > 0 else -1), int(step))
    except ValueError as error:
        raise Unreadable(f"{first} to {last} by {step} are no numbers of files") from error
    if found is None or not 0 < len(numbers) <= MOST_FILES or min(numbers[0], numbers[-1]) < 0:
        raise Unreadable(f"{pattern!r} from {first} to {last} names no files")
    before, zero, width, after = found.groups()
    fill = "0" if zero else " "
    return tuple(f"{before}{str(number).rjust(int(width or 0), fill)}{after}" for number in numbers)
