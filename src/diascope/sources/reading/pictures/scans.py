"""How many times over the pixels of a JPEG stream are told (ITU-T T.81, G.1: progressive pictures come in scans)."""

from __future__ import annotations

from diascope.errors import Unreadable

SCAN = b"\xff\xda"

MOST_SCANS = 500
"""Writers use about ten, and a description may hold what looks like one by chance. A scan of a few bytes costs as
much as one that touches every pixel."""


def check_scans(data: bytes) -> None:
    """Raises Unreadable where decoding takes out of all proportion to the bytes."""
    scans = data.count(SCAN)
    if scans > MOST_SCANS:
        raise Unreadable(f"a JPEG stream of {scans} scans, the limit is {MOST_SCANS}")
