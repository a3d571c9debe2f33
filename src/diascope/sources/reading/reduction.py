"""By how much the levels are reduced that a file stores."""

from __future__ import annotations


def reduction(fine: int, size: int) -> float:
    """How many fine pixels make one: a whole number where rounding the size explains the rest."""
    whole = round(fine / size)
    return float(whole) if abs(size * whole - fine) < max(whole, 1) + 1 else fine / size
