"""The place in the world that Diascope's own OME-Zarr carries."""

from __future__ import annotations

import numpy as np
import pytest

from diascope.image.affine import affine
from diascope.sources.zarr.world import world

PLACED = [[2, 0, 0, -1.5], [0, 2, 0, 3], [0, 0, 4, 0], [0, 0, 0, 1]]


def test_a_map_of_four_rows_is_read() -> None:
    told = {"diascope": {"world": {"space": "scanner", "matrix": PLACED}}}
    assert world(told) == affine(np.array(PLACED), "scanner")


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {"space": "scanner"},
        {"space": 1, "matrix": [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]},
        {"space": "scanner", "matrix": [[1, 0, 0, 0]] * 4},
        {"space": "scanner", "matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0, 1]]},
        {"space": "scanner", "matrix": [[float("nan"), 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]},
        {"space": "scanner", "matrix": [[10**400, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]},
        {"space": "scanner", "matrix": [["1", 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]},
    ],
)
def test_what_is_no_map_into_the_world_is_none(told: object) -> None:
    assert world({"diascope": {"world": told}}) is None
