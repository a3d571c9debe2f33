"""Blocks of 64 voxels under an affine map by libraries, in their own process, without any server.

``python resampling.py VOLUME.npy < orders``: an order is a line of JSON with the library, the matrix (three rows of
four, of positions in x, y, z from the result to the volume) and where blocks begin (z, y, x); it is answered by a line
with the processor's seconds and the sums of each block's voxels.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import numpy as np
import SimpleITK
from scipy.ndimage import affine_transform

CHUNK = 64
SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
volume = np.load(sys.argv[1])
image = SimpleITK.GetImageFromArray(volume)


def by_simpleitk(matrix: Any, start: tuple[int, ...]) -> Any:
    transform = SimpleITK.AffineTransform(matrix[:, :3].ravel().tolist(), matrix[:, 3].tolist())
    origin, direction = [float(x) for x in start[::-1]], np.eye(3).ravel().tolist()
    block = SimpleITK.Resample(
        image, (CHUNK,) * 3, transform, SimpleITK.sitkLinear, origin, (1.0,) * 3, direction, 0, SimpleITK.sitkUInt16
    )
    return SimpleITK.GetArrayFromImage(block)


def by_scipy(matrix: Any, start: tuple[int, ...]) -> Any:
    inner, offset = matrix[::-1, 2::-1], matrix[::-1, 3]
    return affine_transform(volume, inner, offset + inner @ np.array(start), (CHUNK,) * 3, np.uint16, order=1)


for line in sys.stdin:
    order = json.loads(line)
    function = {"SimpleITK": by_simpleitk, "SciPy": by_scipy}[order["library"]]
    matrix = np.array(order["matrix"])
    begun = time.process_time()
    blocks = [function(matrix, start) for start in order["starts"]]
    seconds = time.process_time() - begun
    print(json.dumps({"seconds": seconds, "sums": [int(block.sum(dtype=np.int64)) for block in blocks]}), flush=True)
