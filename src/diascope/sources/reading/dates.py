"""Moments that files tell as numbers and in words, as ISO 8601 spells them (https://www.rfc-editor.org/rfc/rfc3339)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

LATEST = 1 << 36
"""In the year 4147; no clock is that wrong."""


def since_1970(seconds: float | None) -> str | None:
    """Of a number of seconds since 1970, None where that is no moment of an acquisition."""
    if seconds is None or not 0 < seconds < LATEST:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def spelled(text: str) -> str | None:
    """Of a date that is nearly spelled so, with a space before the zone; None where it is spelled another way."""
    try:
        return datetime.fromisoformat(re.sub(r"\s+(?=[+-]\d\d:?\d\d$)", "", text.strip())).isoformat()
    except ValueError:
        return None
