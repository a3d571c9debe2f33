"""cellSens files against Bio-Formats: one of a microscope, and written ones of what that does not have."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

import diascope
from diascope.catalogue.opening import source_of
from diascope.errors import Changed, DiascopeError
from diascope.image.image import Image
from diascope.image.level import read_whole
from diascope.image.region import Region
from diascope.registry import registry
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.judges import bioformats
from tests.judges.required import required
from tests.sources import cellsens_files
from tests.sources.cellsens_files import Stack, pixels, write

STACKS = {
    "plain": Stack(pixels((2, 2, 3, 70, 90, 1)), levels=3, missing=frozenset({(0, 0, 0, 0, 0, 0), (1, 1, 1, 2, 1, 0)})),
    "real": Stack(pixels((1, 1, 2, 70, 90, 1), "f4")),
    "jpeg": Stack(pixels((1, 1, 1, 70, 90, 3), "u1"), packing="jpeg", levels=2),
    "jpeg2000": Stack(pixels((1, 2, 1, 70, 90, 1)), packing="jpeg2000"),
    "colours": Stack(pixels((1, 1, 3, 70, 90, 3), "u1"), levels=2),
    "png": Stack(pixels((1, 1, 1, 70, 90, 3), "u1"), packing="png"),
}


def stored(folder: Path, name: str) -> Image:
    """The only image of a file, with the levels that it has."""
    (image,) = registry("sources")["cellsens"].open(LocalStore(folder), name).images.values()
    return image


@pytest.mark.judge
@pytest.mark.parametrize("name", STACKS)
def test_pixels_are_those_of_bio_formats(name: str, tmp_path: Path) -> None:
    required(bioformats.missing())
    write(tmp_path / "image.vsi", [STACKS[name]])
    image = stored(tmp_path, "image.vsi")
    out = bioformats.converted(tmp_path / "image.vsi", tmp_path / "out.ome.tif")
    assert isinstance(out, Path), out
    assert len(image.levels) == STACKS[name].levels
    with tifffile.TiffFile(out) as file:
        series = file.series[0]
        for level, judged in zip(image.levels, series.levels, strict=True):
            wanted = judged.asarray()
            letters = [letter.lower().replace("s", "c") for letter in series.axes]
            ours = read_whole(level).transpose([image.axis_names.index(letter) for letter in letters])
            if STACKS[name].packing == "jpeg":
                np.testing.assert_allclose(ours, wanted, atol=3)
            else:
                np.testing.assert_array_equal(ours, wanted)


@pytest.mark.parametrize("name", ["plain", "jpeg2000", "colours", "png"])
def test_pixels_are_those_that_were_written(name: str, tmp_path: Path) -> None:
    stack = replace(STACKS[name], missing=frozenset())
    write(tmp_path / "image.vsi", [stack])
    image = stored(tmp_path, "image.vsi")
    for k, level in enumerate(image.levels):
        wanted = stack.level(k)
        wanted = wanted[..., 0] if wanted.shape[-1] == 1 else np.moveaxis(wanted[:, 0], -1, 1)
        np.testing.assert_array_equal(read_whole(level).ravel(), wanted.ravel())
    assert image.kind == ("intensity" if stack.pixels.shape[-1] == 1 else "rgb")


def test_what_no_tile_covers_is_of_the_background(tmp_path: Path) -> None:
    write(tmp_path / "image.vsi", [STACKS["plain"]])
    level = stored(tmp_path, "image.vsi").levels[0]
    assert (level.read(Region((0, 0, 0, 0, 0), (1, 1, 1, 32, 40))) == 7).all()
    assert (level.read(Region((0, 0, 0, 0, 40), (1, 1, 1, 32, 80))) != 7).any()


def test_metadata(tmp_path: Path) -> None:
    cellsens_files.stack_file(tmp_path / "image.vsi")
    image = stored(tmp_path, "image.vsi")
    assert image.axis_names == "tczyx"
    assert image.levels[1].scale == (0.5, 1.0, 1.5, 1.0, 0.5)
    assert image.levels[1].translation == (0, 0, 0, 0.25, 0.125)
    assert [axis.unit for axis in image.axes] == ["second", None, "micrometer", "micrometer", "micrometer"]
    first = image.channels[0]
    assert (first.name, first.window, first.excitation, first.emission) == ("DAPI", (10, 200), 358, 461)
    told = image.metadata
    assert (told.magnification, told.aperture, told.objective, told.instrument) == (20, 0.8, "UPLXAPO", "IX83")
    assert (told.acquired, told.extra["exposures"]) == ("2021-05-31T14:58:55Z", [5000, 5000])
    assert told.extra["software"] == "cellSens 3.1"


def test_metadata_of_a_microscope(shared_data: Path) -> None:
    dataset = diascope.open_dataset(shared_data / "vsi/vsi-ets-test-jpg2k/vsi-ets-test-jpg2k.vsi")
    (image,) = dataset.images.values()
    assert image.axis_names == "czyx"
    assert image.shape == (2, 11, 1682, 1645)
    assert image.levels[0].scale == pytest.approx((1, 1, 0.1083333, 0.1083333), rel=1e-6)
    blue, green = image.channels
    assert (blue.name, blue.colour, blue.window, blue.excitation, blue.emission) == (
        "C405", "0000ff", (0, 2912), 345, 455,
    )  # fmt: skip
    assert (green.name, green.emission) == ("C488", 518)
    told = image.metadata
    assert (told.objective, told.magnification, told.aperture) == ("UPLXAPO O 60x / 1.42", 60, 1.42)
    assert (told.instrument, told.acquired) == ("IX83 P2ZF", "2021-05-31T14:58:55Z")
    assert told.extra["camera"] == "Multi Camera (Hamamatsu ORCA-Fusion)"
    assert told.extra["exposures"] == [50002, 19999]


@pytest.mark.judge
def test_a_file_of_a_microscope_is_as_bio_formats_sees_it(shared_data: Path, tmp_path: Path) -> None:
    required(bioformats.missing())
    path = shared_data / "vsi/vsi-ets-test-jpg2k/vsi-ets-test-jpg2k.vsi"
    out = bioformats.converted(path, tmp_path / "out.ome.tif")
    assert isinstance(out, Path), out
    wanted = np.moveaxis(tifffile.imread(out, series=0), 1, 0)
    ours = read_whole(stored(path.parent, path.name).levels[0])
    # Its JPEG 2000 is lossy, and another decoder rounds otherwise.
    assert np.abs(ours.astype(np.int32) - wanted).max() <= 1
    assert (ours != wanted).mean() < 0.005


def test_a_slide_has_its_label_beside_it(tmp_path: Path) -> None:
    cellsens_files.slide_file(tmp_path / "slide.vsi")
    dataset = diascope.open_dataset(tmp_path / "slide.vsi")
    assert list(dataset.images) == ["slide"]
    assert {name: image.shape for name, image in dataset.associated.items()} == {
        "label": (3, 40, 50), "overview": (3, 33, 50), "thumbnail": (10, 12),
    }  # fmt: skip
    assert dataset.files[-1] == "_slide_/stack10001/frame_t.ets"
    np.testing.assert_array_equal(dataset.associated["thumbnail"][...].ravel(), range(120))


def test_several_stacks_are_images_by_name(tmp_path: Path) -> None:
    small = pixels((1, 1, 1, 20, 30, 1))
    write(tmp_path / "two.vsi", [Stack(small, "10x", 1), Stack(small + 1, "20x", 10001)])
    images = diascope.open_dataset(tmp_path / "two.vsi").images
    assert list(images) == ["10x", "20x"]
    np.testing.assert_array_equal(images["20x"][...], small[0, 0, 0, ..., 0] + 1)


def test_a_file_without_others_is_its_own_picture(tmp_path: Path) -> None:
    (tmp_path / "alone.vsi").write_bytes(cellsens_files.vsi([]))
    np.testing.assert_array_equal(diascope.open(tmp_path / "alone.vsi")[...].ravel(), range(120))


def test_it_is_not_taken_for_a_tiff(tmp_path: Path) -> None:
    cellsens_files.stack_file(tmp_path / "image.vsi")
    store = LocalStore(tmp_path)
    stat = store.stat("image.vsi")
    assert stat is not None
    found = source_of(store, "image.vsi", stat)
    assert found is not None
    assert found.name == "cellsens"


def test_a_changed_file_of_pixels_is_another_version(tmp_path: Path) -> None:
    cellsens_files.stack_file(tmp_path / "image.vsi")
    source, store = registry("sources")["cellsens"], LocalStore(tmp_path)
    before = source.version(store, "image.vsi")
    (tmp_path / "_image_/stack1/frame_t.ets").write_bytes(b"SIS\0")
    assert source.version(store, "image.vsi") != before
    with pytest.raises(DiascopeError, match=r"image.vsi.*ETS"):
        diascope.open(tmp_path / "image.vsi")


def test_pixels_are_never_of_another_version(tmp_path: Path) -> None:
    cellsens_files.stack_file(tmp_path / "image.vsi")
    images = registry("sources")["cellsens"].open(LocalStore(tmp_path), "image.vsi").images
    file = tmp_path / "_image_/stack1/frame_t.ets"
    file.rename(tmp_path / "old.ets")
    file.write_bytes(cellsens_files.ets(Stack(pixels((2, 2, 3, 70, 90, 1)) + 1, levels=3)))
    with pytest.raises(Changed):
        images["image"]


def test_only_the_tiles_of_a_region_are_read(tmp_path: Path) -> None:
    write(tmp_path / "image.vsi", [Stack(pixels((1, 2, 9, 300, 300, 1)))])
    store = CountingStore(LocalStore(tmp_path))
    (image,) = registry("sources")["cellsens"].open(store, "image.vsi").images.values()
    opening = store.count
    image.levels[0].read(Region((1, 4, 33, 41), (2, 5, 60, 80)))
    assert store.count - opening == 32 * 40 * 2


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (12, 99, "99 dimensions"),
        (16, 10**6, "no second header"),
        (40, 10**7, "a table of"),
        (64 + 8, 42, "type 42"),
        (64 + 12, 2, "2 samples"),
        (64 + 20, 7, "compression 7"),
        (64 + 28, 2**30, "tiles of"),
    ],
)
def test_refused(place: int, value: int, reason: str, tmp_path: Path) -> None:
    write(tmp_path / "image.vsi", [Stack(pixels((1, 1, 1, 20, 30, 1)))])
    path = tmp_path / "_image_/stack1/frame_t.ets"
    data = bytearray(path.read_bytes())
    data[place : place + 4] = value.to_bytes(4, "little")
    path.write_bytes(bytes(data))
    with pytest.raises(DiascopeError, match=f"image.vsi.*{reason}"):
        diascope.open(tmp_path / "image.vsi")


def test_properties_in_circles_end(tmp_path: Path) -> None:
    data = bytearray(cellsens_files.vsi([Stack(pixels((1, 1, 1, 20, 30, 1)))]))
    # The first field of the first volume is said to come after itself, for ever.
    data[8 + 16 : 8 + 20] = (0xFFFFFFF).to_bytes(4, "little")
    data[32 + 8 : 32 + 12] = (24).to_bytes(4, "little")
    (tmp_path / "circle.vsi").write_bytes(bytes(data))
    with pytest.raises(DiascopeError, match=r"circle.vsi.*circles"):
        diascope.open(tmp_path / "circle.vsi")
