"""Numbers that files tell, in texts or as they are."""

from __future__ import annotations

from math import isfinite
from typing import Any


def number(value: Any) -> float | None:
    """The number that a text spells or a value is, None where it is none or one that is not finite."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if isfinite(found) else None


def positive(value: Any) -> float | None:
    """The same of what must be more than 0, as sizes, wavelengths and magnifications; None where it is not."""
    found = number(value)
    return found if found is not None and found > 0 else None
