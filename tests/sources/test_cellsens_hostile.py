"""cellSens files with changed bytes are refused in the service's words, or read with the shape that they declare."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import diascope
from diascope.errors import DiascopeError
from diascope.image.region import Region
from tests.sources.cellsens_files import Stack, ets, pixels, vsi

STACKS = {
    "plain": Stack(pixels((1, 2, 2, 50, 60, 1)), levels=2),
    "png": Stack(pixels((1, 1, 1, 50, 60, 3), "u1"), packing="png"),
}

changes = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 255)), min_size=1, max_size=6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", STACKS)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=changes, where=st.sampled_from(["properties", "headers", "table", "anywhere"]))
def test_changed_bytes(name: str, changes: list[tuple[int, int]], where: str, tmp_path: Path) -> None:
    stack = STACKS[name]
    first, second = bytearray(vsi([stack])), bytearray(ets(stack))
    target = first if where == "properties" else second
    start, stop = {"headers": (0, 228), "table": (len(second) - 300, len(second))}.get(where, (0, len(target)))
    for place, value in changes:
        target[start + place % (stop - start)] = value
    (tmp_path / "changed.vsi").write_bytes(bytes(first))
    folder = tmp_path / "_changed_/stack1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "frame_t.ets").write_bytes(bytes(second))
    try:
        dataset = diascope.open_dataset(tmp_path / "changed.vsi")
        for image in (*dataset.images.values(), *dataset.associated.values()):
            for level in (image.levels[0], image.levels[-1]):
                box = Region((0,) * len(level.shape), tuple(min(size, 40) for size in level.shape))
                assert level.read(box).shape == box.shape
    except DiascopeError as error:
        assert "changed.vsi" in str(error)  # noqa: PT017
