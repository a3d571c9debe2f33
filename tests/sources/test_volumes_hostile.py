"""Volumes whose bytes are changed or cut: a clear error or pixels of the right shape, soon and in little memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diascope.catalogue.opening import Owner, opened
from diascope.errors import DiascopeError
from diascope.image.cache import chunk_cache
from diascope.image.region import whole
from diascope.registry import registry
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.sources.volume_files import SAMPLES

SECONDS = 10.0
MEMORY = 128 << 20
"""A block of bzip2 that was bent may hold 57 MiB, and is copied once."""
HEADER = 600
EDGE = 64

BENT = st.lists(
    st.tuples(st.integers(0, HEADER), st.sampled_from([*b"0123456789 -\n:=(x", 0, 1, 0x7F, 0x80, 0xFF])), max_size=6
)
CUT = st.none() | st.floats(0, 1)

SETTINGS = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize(("source", "name"), [(source, name) for source, names in SAMPLES.items() for name in names])
@SETTINGS
@given(bent=st.tuples(BENT, CUT))
@pytest.mark.filterwarnings("ignore:.*:RuntimeWarning")
def test_a_bent_file_is_refused_or_right(
    tmp_path: Path, source: str, name: str, bent: tuple[list[tuple[int, int]], float | None]
) -> None:
    write: Callable[[Path], None] = SAMPLES[source][name]
    if not (tmp_path / name).exists():
        write(tmp_path / name)
    data = bytearray((tmp_path / name).read_bytes())
    changes, cut = bent
    for at, value in changes:
        data[at % len(data)] = value
    store = CountingStore(LocalStore(tmp_path), {name: bytes(data if cut is None else data[: int(len(data) * cut)])})
    check(store, source, name)


def check(store: CountingStore, source: str, name: str) -> None:
    begun = time.monotonic()
    tracemalloc.start()
    try:
        dataset = opened(registry("sources")[source], store, name, Owner("hostile", chunk_cache(0)))
        for image in dataset.images.values():
            box = whole(image.shape).clipped((EDGE,) * len(image.shape))
            pixels = image.levels[0].read(box)
            assert pixels.shape == box.shape
            assert pixels.dtype == image.dtype
            assert np.isfinite(image.levels[0].scale).all()
    except DiascopeError as error:
        assert name.partition(".")[0] in str(error)  # noqa: PT017
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < MEMORY
    assert time.monotonic() - begun < SECONDS
