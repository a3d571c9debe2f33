"""Slides of scanners as OpenSlide itself shows them, whole or in parts, wherever their files lie."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diascope.catalogue.opening import opened_file
from diascope.errors import DiascopeError, Unreadable
from diascope.image.level import Level, read_whole
from diascope.image.region import Region
from diascope.registry import registry
from diascope.sources.openslide.content import opaque
from diascope.sources.source import Head
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.sources import slide_files
from tests.sources.slide_files import FILL, MISSING, TILE

SOURCE = registry("sources")["openslide"]

SLIDES = {"svs": "svs", "pyramid-tiff": "pyramid-tiff", "dicom": "dicom/openslide_boxes_wsi"}


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    path = tmp_path / "slide.mrxs"
    slide_files.mrxs(path)
    return path


def shown(judge: Any, level: int) -> Any:
    """What OpenSlide shows of a level, over white or the colour that the file gives."""
    size = judge.level_dimensions[level]
    background = judge.properties.get("openslide.background-color", "FFFFFF")
    picture = judge.read_region((0, 0), level, size)
    return np.moveaxis(opaque(picture, np.frombuffer(bytes.fromhex(background), np.uint8)), -1, 0)


def test_a_mirax_slide_has_its_tiles_and_its_fill(slide: Path) -> None:
    image = opened_file(slide).images["slide"]
    expected = slide_files.smooth()
    for y, x in MISSING:
        expected[y * TILE : (y + 1) * TILE, x * TILE : (x + 1) * TILE] = FILL
    assert np.abs(np.moveaxis(image[...], 0, -1).astype(int) - expected).max() <= 3
    assert image.levels[0].scale == (1, 0.5, 0.25)
    assert image.levels[1].scale == (1, 1, 0.5)
    assert image.levels[1].translation == (0, 0.25, 0.125)
    assert (image.metadata.magnification, image.metadata.acquired) == (20, "2009-12-31T23:59:58")
    assert image.metadata.objective == "Plan-Apochromat"
    assert "Doe" not in repr(image.metadata)


def test_levels_are_as_openslide_shows_them(slide: Path) -> None:
    judge = openslide.OpenSlide(slide)
    levels = opened_file(slide).images["slide"].levels
    for k in range(judge.level_count):
        np.testing.assert_array_equal(read_whole(levels[k]), shown(judge, k))


def files_of(folder: Path) -> list[Path]:
    suffixes = {".svs", ".tif", ".tiff", ".dcm"}
    found = sorted(path for path in folder.iterdir() if path.suffix in suffixes)
    return [path for path in found if openslide.OpenSlide.detect_format(path)]


@pytest.mark.parametrize("folder", SLIDES.values(), ids=list(SLIDES))
def test_any_format_of_openslide_is_read_alike(folder: str, shared_data: Path) -> None:
    """Of formats whose files another source opens; this one reads them all the same where it is asked to."""
    files = files_of(shared_data / folder)
    assert files
    for path in files[:3]:
        judge = openslide.OpenSlide(path)
        dataset = SOURCE.open(LocalStore(path.parent), path.name)
        image = next(iter(dataset.images.values()))
        assert [level.shape[:0:-1] for level in image.levels] == list(judge.level_dimensions)
        np.testing.assert_array_equal(read_whole(image.levels[-1]), shown(judge, len(image.levels) - 1))
        check_parts(image.levels[0], judge)
        assert set(dataset.associated) == set(judge.associated_images)
        for name, picture in dataset.associated.items():
            expected = opaque(judge.associated_images[name], np.full(3, 255, np.uint8))
            np.testing.assert_array_equal(np.moveaxis(picture[...], 0, -1), expected)


def check_parts(level: Level, judge: Any) -> None:
    """A part over the edges of chunks is what OpenSlide shows there."""
    _, height, width = level.shape
    y, x = height // 3, width // 3
    size = (min(600, width - x), min(300, height - y))
    expected = np.asarray(judge.read_region((x, y), 0, size).convert("RGB"))
    found = level.read(Region((0, y, x), (3, y + size[1], x + size[0])))
    np.testing.assert_array_equal(np.moveaxis(found, 0, -1), expected)


def test_a_distant_slide_comes_with_its_folder(slide: Path) -> None:
    store = CountingStore(LocalStore(slide.parent))
    dataset = SOURCE.open(store, slide.name)
    assert dataset.files == ("slide.mrxs", "slide/Slidedat.ini", "slide/Index.dat", "slide/Data0000.dat")
    np.testing.assert_array_equal(dataset.images["slide"][...], opened_file(slide).images["slide"][...])


def test_a_part_that_is_replaced_is_seen(slide: Path) -> None:
    store = LocalStore(slide.parent)
    dataset = SOURCE.open(store, slide.name)
    level = dataset.images["slide"].levels[0]
    level.read(Region((0, 0, 0), (3, 8, 8)))
    data = slide.with_suffix("") / "Data0000.dat"
    data.write_bytes(data.read_bytes() + b"more")
    assert SOURCE.version(store, slide.name) != dataset.version
    with pytest.raises(Unreadable, match="has changed"):
        level.read(Region((0, 0, 0), (3, 8, 8)))


def test_an_error_spoils_no_other_tile(slide: Path) -> None:
    """OpenSlide itself fails for ever after its first error."""
    data = slide.with_suffix("") / "Data0000.dat"
    whole = data.read_bytes()
    data.write_bytes(whole[:2000] + b"\0" * (len(whole) - 2000))
    level = SOURCE.open(LocalStore(slide.parent), slide.name).images["slide"].levels[0]
    broken = level.chunk_shape
    assert broken == (3, 192, 256)
    with pytest.raises(Unreadable):
        level.read(Region((0, 128, 192), (3, 192, 256)))
    with pytest.raises(Unreadable):
        level.read(Region((0, 0, 0), (3, 8, 8)))


def test_an_index_names_no_file_elsewhere(slide: Path) -> None:
    index = slide.with_suffix("") / "Slidedat.ini"
    text = index.read_text(encoding="utf-8-sig")
    index.write_text(text.replace("Data0000.dat", "../../secret"), encoding="utf-8")
    with pytest.raises(Unreadable, match="is no file of the slide"):
        opened_file(slide)


def test_a_slide_without_its_folder_says_so(slide: Path) -> None:
    shutil.rmtree(slide.with_suffix(""))
    with pytest.raises(Unreadable, match=r"slide\.mrxs.*Slidedat\.ini.*missing"):
        opened_file(slide)


MATCHES = {
    ("a.mrxs", b"\xff\xd8\xff\xe0"): True,
    ("a.mrxs", b""): False,
    ("a.mrxs", b"II*\0"): False,
    ("a.vms", b"[Virtual Microscope Specimen]\r\nNoLayers=1"): True,
    ("a.vmu", b"[Uncompressed Virtual Microscope Specimen]\r\n"): True,
    ("a.vms", b"text"): False,
    ("a.svslide", b"SQLite format 3\0"): True,
    ("a.db", b"SQLite format 3\0"): False,
    ("a.bif", b"II+\0"): True,
    ("a.svs", b"II*\0"): False,
    ("a.ndpi", b"II*\0"): False,
    ("a.scn", b"II+\0"): False,
    ("a.tif", b"II*\0"): False,
}


@pytest.mark.parametrize(("name", "first"), MATCHES)
def test_it_takes_what_no_other_source_reads(name: str, first: bytes) -> None:
    assert SOURCE.matches(Head(name, first=first)) is MATCHES[name, first]


edits = st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4)


@pytest.mark.parametrize("victim", ["Index.dat", "Slidedat.ini", "Data0000.dat"])
@given(changes=edits)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_broken_slide_is_refused_or_read(victim: str, changes: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    """In a process of its own, whose end would be told as Unreadable too."""
    path = tmp_path_factory.mktemp("slide") / "slide.mrxs"
    slide_files.mrxs(path)
    part = path.with_suffix("") / victim
    data = bytearray(part.read_bytes())
    for at, value in changes:
        place = at % len(data)
        data[place : place + len(value)] = value
    part.write_bytes(data)
    try:
        image = opened_file(path).images["slide"]
        region = Region((0, 0, 0), (3, min(image.shape[1], 64), min(image.shape[2], 64)))
        assert image.levels[0].read(region).shape == region.shape
    except DiascopeError as error:
        assert path.name in str(error)  # noqa: PT017
