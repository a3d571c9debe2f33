"""The order in which people count."""

from __future__ import annotations

import re


def natural(name: str) -> list[tuple[int, str]]:
    """A key by which numbers in names sort by their value: ``2`` comes before ``10``."""
    return [(int(digits), "") if digits else (-1, word) for digits, word in re.findall(r"(\d{1,18})|(\D+)", name)]
