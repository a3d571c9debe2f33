"""Files of HDF5, Imaris, BigDataViewer and MINC with wrong bytes are refused in the service's words, or read."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diascope.catalogue.opening import opened_file
from diascope.errors import DiascopeError, Unreadable
from diascope.image.region import Region
from diascope.registry import registry
from diascope.sources.source import HEAD_SIZE, Head
from tests.sources import bdv_files, hdf5_files, imaris_files, minc_files

SECONDS = 60.0

SAMPLES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "hdf5": ("plain.h5", hdf5_files.plain, "plain.h5"),
    "hdf5 latest": ("latest.h5", hdf5_files.latest, "latest.h5"),
    "hdf5 scales": ("scaled.h5", hdf5_files.scaled, "scaled.h5"),
    "imaris": ("stack.ims", imaris_files.stack, "stack.ims"),
    "imaris part": ("linked.ims", imaris_files.linked, "linked--C00--T00000.h5"),
    "bigdataviewer": ("stack.xml", bdv_files.stack, "stack.xml"),
    "bigdataviewer pixels": ("one.xml", bdv_files.one, "one.h5"),
    "minc 1": ("signed.mnc", minc_files.SAMPLES["signed.mnc"], "signed.mnc"),
    "minc 2": ("two.mnc", minc_files.SAMPLES["two.mnc"], "two.mnc"),
}
"""By name: the file that is opened, what writes it, and the one that is spoilt."""

REACH = 1 << 14
"""Among so many first bytes most of the metadata stand."""

edits = st.lists(
    st.tuples(st.integers(0, REACH) | st.integers(0, 1 << 20), st.binary(min_size=1, max_size=8)),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("hostile")
    for name, (path, write, _) in SAMPLES.items():
        (made / name).mkdir()
        write(made / name / path)
    return made


def broken(data: bytes, changes: list[tuple[int, bytes]], share: float) -> bytes:
    twin = bytearray(data[: max(int(len(data) * share), 1)])
    for at, value in changes:
        place = at % len(twin)
        twin[place : place + len(value)] = value
    return bytes(twin)


def look(path: Path) -> None:
    """A corner of each image has the shape that was asked for, or the trouble names the file."""
    try:
        dataset = opened_file(path)
        for name in list(dataset.images)[:5]:
            level = dataset.images[name].levels[-1]
            corner = Region((0,) * len(level.shape), tuple(min(size, 3) for size in level.shape))
            assert level.read(corner).shape == corner.shape
    except DiascopeError as error:
        assert path.name in str(error)  # noqa: PT017


@pytest.mark.parametrize("name", SAMPLES)
@given(changes=edits, share=st.sampled_from([1.0, 1.0, 1.0, 0.9, 0.5]))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_broken_file_is_refused_or_read(name: str, changes: Any, share: float, folder: Path) -> None:
    opened, _, spoilt = SAMPLES[name]
    victim = folder / name / spoilt
    whole = victim.read_bytes()
    victim.write_bytes(broken(whole, changes, share))
    started = time.monotonic()
    try:
        first = (folder / name / opened).read_bytes()[:HEAD_SIZE]
        if any(source.matches(Head(opened, first=first)) for source in registry("sources").values()):
            look(folder / name / opened)
    finally:
        victim.write_bytes(whole)
    assert time.monotonic() - started < SECONDS


def deep(path: Path) -> None:
    with h5py.File(path, "w") as file:
        group: Any = file
        for _ in range(500):
            group = group.create_group("g")
        group["d"] = np.zeros((4, 4))
        file["own"] = np.zeros((4, 5))


def round_and_round(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name in "abc":
            file.create_group(name)
        for one in "abc":
            for other in "abc":
                file[f"{one}/{other}"] = file[other]
        file["own"] = np.zeros((4, 5))


@pytest.mark.parametrize("write", [deep, round_and_round])
def test_groups_in_groups_end(write: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path / "x.h5")
    assert list(opened_file(tmp_path / "x.h5").images) == ["own"]


def test_many_arrays_are_looked_at_up_to_a_limit(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for k in range(10_050):
            file.create_dataset(f"a{k:05}", (2, 2), "u1")
    dataset = opened_file(tmp_path / "x.h5")
    assert len(dataset.images) == 10_000
    assert "…" in dataset.images["a00000"].metadata.extra["passed_over"]


def test_an_array_of_empty_space_is_read_where_it_is_looked_at(tmp_path: Path) -> None:
    """Pixels without end, none of which are stored."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        size = 1 << 20
        file.create_dataset("d", (size, size, 1 << 18), "u1", chunks=(64, 64, 64), compression="gzip", fillvalue=3)
    image = opened_file(tmp_path / "x.h5").images["d"]
    assert image.shape == (1 << 20, 1 << 20, 1 << 18)
    assert set(image[1 << 19, (1 << 19) : (1 << 19) + 4, 100].tolist()) == {3}


def test_chunks_that_are_too_large_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("d", (1 << 16, 1 << 16), "u1", chunks=(1 << 16, 1 << 15), compression="gzip")
    with pytest.raises(Unreadable, match=r"x\.h5.*chunks of 2147483648 bytes"):
        opened_file(tmp_path / "x.h5")
