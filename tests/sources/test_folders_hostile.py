"""Folders whose descriptions are bent or cut: a clear error or pixels of the right shape, soon and in little memory."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diascope.catalogue.opening import source_of
from diascope.errors import DiascopeError
from diascope.image.region import whole
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from diascope.testing.sources import bound
from tests.sources import micro_files, plate_files, terafly_files

SECONDS = 10.0
MEMORY = 64 << 20
EDGE = 64


def one_tile(path: Path) -> None:
    terafly_files.level(path, terafly_files.VOLUME, terafly_files.VOXEL, terafly_files.VOLUME.shape)
    terafly_files.mdata(path, terafly_files.VOLUME.shape, terafly_files.VOXEL)


FOLDERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "operetta": (plate_files.operetta_6, "Index.xml"),
    "imagexpress": (plate_files.imagexpress_flat, "rats.HTD"),
    "cellvoyager": (plate_files.cellvoyager_flat, "MeasurementData.mlf"),
    "detail": (plate_files.cellvoyager_flat, "MeasurementDetail.mrf"),
    "terafly": (one_tile, "mdata.bin"),
    "micromanager": (micro_files.old, "metadata.txt"),
    "ndtiff": (micro_files.ndtiff_colours, "NDTiff.index"),
}
"""What writes each, and which of its files is bent."""

CHANGES = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.sampled_from([*b'09-<>/"{}[]e.', 0, 1, 0x7F, 0x80, 0xFF])),
    max_size=8,
)
CUT = st.none() | st.floats(0, 1)
SETTINGS = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("name", FOLDERS)
@SETTINGS
@given(bent=st.tuples(CHANGES, CUT))
def test_a_bent_folder_is_refused_or_right(
    tmp_path: Path, name: str, bent: tuple[list[tuple[float, int]], float | None]
) -> None:
    write, inside = FOLDERS[name]
    if not (tmp_path / name).exists():
        write(tmp_path / name)
        # What is imported when a folder is first opened is no matter of the folder.
        opened(CountingStore(LocalStore(tmp_path)), name)
    data = bytearray((tmp_path / name / inside).read_bytes())
    changes, cut = bent
    for share, value in changes:
        data[int(len(data) * share)] = value
    kept = bytes(data if cut is None else data[: int(len(data) * cut)])
    check(CountingStore(LocalStore(tmp_path), {f"{name}/{inside}": kept}), name)


def check(store: CountingStore, name: str) -> None:
    begun = time.monotonic()
    tracemalloc.start()
    try:
        opened(store, name)
    except (DiascopeError, ValueError, KeyError, ArithmeticError):
        # What is no error of ours the catalogue makes one of, with the name of the file.
        return
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < MEMORY
        assert time.monotonic() - begun < SECONDS


def opened(store: CountingStore, name: str) -> None:
    """Open the first image and read its first pixels, where the folder is one at all."""
    stat = store.stat(name)
    assert stat is not None
    source = source_of(store, name, stat)
    if source is not None:
        images = bound(source, store).open(store, name).images
        image = images[next(iter(images))]
        box = whole(image.shape).clipped((EDGE,) * len(image.shape))
        assert image.levels[0].read(box).shape == box.shape
