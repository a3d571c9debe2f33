"""tiamat: blocks of an OME-Zarr by its pipeline; its own servers are not in the package index."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bare import Answer, serve
from tiamat.io import ImageAccessor
from tiamat.pipeline import Pipeline
from tiamat.readers.factory import get_reader

CHUNK = 64


def answers(folder: Path) -> Answer:
    reader = get_reader(str(folder / "volume3.zarr"))
    pipeline = Pipeline(reader_factory=lambda _: reader)

    def answer(words: list[str]) -> bytes:
        spans = {axis: (int(word), int(word) + CHUNK) for axis, word in zip("zyx", words[1:], strict=True)}
        return bytes(np.ascontiguousarray(pipeline("volume", accessor=ImageAccessor(**spans)).image))

    return answer


serve(answers)
