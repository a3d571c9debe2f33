"""DeltaVision files, which a plug-in of BioIO reads."""

from __future__ import annotations

from pathlib import Path
from struct import pack_into
from typing import Any

import numpy as np
from numpy.typing import NDArray

HEADER = 1024


def pixels() -> NDArray[Any]:
    """Along c, t, z, y and x."""
    return (np.arange(2 * 1 * 3 * 32 * 40) % 997).astype(np.uint16).reshape(2, 1, 3, 32, 40)


def deltavision(path: Path, add: int = 0) -> None:
    """https://github.com/tlambert03/mrc: sections of wavelengths of times of planes; ``add`` makes other pixels."""
    data = pixels() + np.uint16(add)
    head = bytearray(HEADER)
    pack_into("<4i", head, 0, 40, 32, 6, 6)
    pack_into("<3f", head, 40, 0.1, 0.2, 0.5)
    pack_into("<h", head, 96, -16224)
    pack_into("<2h", head, 180, 1, 0)
    pack_into("<3h", head, 196, 2, 435, 525)
    path.write_bytes(bytes(head) + data.tobytes())


def other(path: Path) -> None:
    """The same with other pixels."""
    deltavision(path, 1)
