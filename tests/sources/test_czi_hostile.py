"""CZI files with changed bytes are refused in the service's words, or read with the shape that they declare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import diascope
from diascope.errors import DiascopeError
from diascope.image.region import Region
from tests.sources.czi_files import XML, Tile, czi, mosaic, pyramid, ramp

FILES = {
    "mosaic": czi(mosaic("plain"), XML),
    "packed": czi(mosaic("hilo"), XML),
    "pyramid": czi(pyramid(), XML),
    "lzw": czi([Tile(ramp(30, 40), packing="lzw")]),
}
"""None of JPEG XR: its decoder crashes, which is why the format is read in a process of its own."""

CRASHING = Path(__file__).with_name("crashing.jxr")
"""One byte in a few was changed in 40 rows of 52 pixels; jxrlib ends the process that decodes it."""

changes = st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 255)), min_size=1, max_size=6)


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=changes, directory=st.booleans(), cut=st.integers(0, 400))
def test_changed_bytes(name: str, changes: list[tuple[int, int]], directory: bool, cut: int, tmp_path: Path) -> None:
    data = bytearray(FILES[name])
    # Half of the time the directory is changed, which says where everything is.
    at = data.index(b"ZISRAWDIRECTORY") if directory else 0
    for place, value in changes:
        data[at + place % (min(400, len(data) - at) if directory else len(data))] = value
    path = tmp_path / "changed.czi"
    path.write_bytes(bytes(data[: len(data) - cut] if cut > 200 else data))
    try:
        for image in list(diascope.open_dataset(path).images.values())[:3]:
            for level in (image.levels[0], image.levels[-1]):
                box = Region((0,) * len(level.shape), tuple(min(size, 64) for size in level.shape))
                assert level.read(box).shape == box.shape
    except DiascopeError as error:
        assert "changed.czi" in str(error)  # noqa: PT017


def test_a_stream_that_kills_its_decoder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "well.czi").write_bytes(czi([Tile(ramp(40, 52, "u1"), packing="jpegxr")]))
    (tmp_path / "killing.czi").write_bytes(czi([Tile(ramp(40, 52, "u1"), packing="jpegxr", raw=CRASHING.read_bytes())]))
    killing = diascope.open(tmp_path / "killing.czi")
    assert killing.shape == (40, 52)
    with pytest.raises(DiascopeError, match=r"killing\.czi"):
        killing[...]
    np.testing.assert_array_equal(diascope.open(tmp_path / "well.czi")[...], ramp(40, 52, "u1"))
