"""cloud-volume as a judge: the Python client of precomputed volumes. It cannot read PNG of 16 bits."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray


def volume(where: str, scale: int = 0) -> NDArray[Any]:
    """All the voxels of a scale at a URL or a path: x, y, z and channel."""
    from cloudvolume import CloudVolume  # three seconds, which a run without judges need not wait

    said = StringIO()  # it prints what it raises
    path = where if where.startswith("http://") else f"file://{where}"
    with redirect_stdout(said), redirect_stderr(said):
        return np.asarray(CloudVolume(f"precomputed://{path}", mip=scale, progress=False, cache=False)[:])
