"""DICOM files with wrong bytes are refused in the service's words, or read; nothing else happens."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diascope.catalogue.opening import opened_file
from diascope.errors import DiascopeError
from diascope.image.region import Region
from diascope.registry import registry
from diascope.sources.source import HEAD_SIZE, Head
from tests.sources import dicom_files

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

SAMPLES = dicom_files.SAMPLES | dicom_files.MORE
FILES = [name for name in SAMPLES if name.endswith(".dcm")]
FOLDERS = [name for name in SAMPLES if not name.endswith(".dcm")]


@pytest.fixture(scope="module")
def samples() -> Any:
    with TemporaryDirectory() as folder:
        for name, write in SAMPLES.items():
            write(Path(folder, name))
        yield Path(folder)


edits = st.lists(st.tuples(st.integers(0, 1 << 20), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4)


def broken(data: bytes, changes: list[tuple[int, bytes]], share: float) -> bytes:
    twin = bytearray(data[: max(int(len(data) * share), 1)])
    for at, value in changes:
        place = at % len(twin)
        twin[place : place + len(value)] = value
    return bytes(twin)


def read(path: Path) -> None:
    """A part of each image, which must have the shape that was asked for."""
    try:
        dataset = opened_file(path)
        for images in (dataset.images, dataset.associated):
            for image in list(images.values())[:4]:
                shape = image.levels[0].shape
                region = Region(tuple(0 for _ in shape), tuple(min(size, 8) for size in shape))
                assert image.levels[0].read(region).shape == region.shape
    except DiascopeError as error:
        assert path.name in str(error)  # noqa: PT017


@pytest.mark.parametrize("name", FILES)
@given(changes=edits, share=st.sampled_from([1.0, 1.0, 1.0, 0.9, 0.5]))
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_broken_file_is_refused_or_read(name: str, changes: Any, share: float, samples: Path) -> None:
    data = broken((samples / name).read_bytes(), changes, share)
    if registry("sources")["dicom"].matches(Head(name, first=data[:HEAD_SIZE])):
        twin = samples / f"twin-{name}"
        twin.write_bytes(data)
        read(twin)


@pytest.mark.parametrize("name", FOLDERS)
@given(changes=edits, share=st.sampled_from([1.0, 1.0, 0.5]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_broken_file_of_a_folder_harms_nothing(name: str, changes: Any, share: float, samples: Path) -> None:
    victim = min((samples / name).iterdir())
    whole = victim.read_bytes()
    victim.write_bytes(broken(whole, changes, share))
    try:
        read(samples / name)
    finally:
        victim.write_bytes(whole)


@given(first=st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_asked(first: bytes) -> None:
    """Only what has the magic, or three plausible elements, is taken for DICOM."""
    source = registry("sources")["dicom"]
    assert isinstance(source.matches(Head("a.dcm", first=first)), bool)
    assert not source.matches(Head("a.dcm", first=b"\x89PNG" + first))
