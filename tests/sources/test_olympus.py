"""Olympus OIF and OIB: made files, judged by oiffile and by Bio-Formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import oiffile
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import diascope
from diascope.errors import Changed, DiascopeError, Unreadable
from diascope.image.image import Image
from diascope.image.region import whole
from diascope.sources.olympus import source
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.judges.bioformats import missing, seen
from tests.judges.required import required
from tests.sources import olympus_files as made

WRITERS = {"oif": made.oif, "oib": made.oib}


def image_of(path: Path) -> Image:
    return next(iter(diascope.open_dataset(path).images.values()))


def filled(image: Image) -> NDArray[Any]:
    """All pixels along t, c, z, y and x."""
    return image[...].reshape([image.size(name) for name in "tczyx"])


def ordered(axes: str, data: NDArray[Any]) -> NDArray[Any]:
    """The same of what was written; of wavelengths each channel has all, behind each other."""
    names = [name for name in "tclzyx" if name in axes]
    pixels = data.transpose([axes.index(name) for name in names])
    sizes = dict(zip(names, pixels.shape, strict=True))
    sizes["c"] = sizes.get("c", 1) * sizes.pop("l", 1)
    return pixels.reshape([sizes.get(name, 1) for name in "tczyx"])


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("axes", ["tczyx", "zyx", "yx", "clyx", "ctx", "czx", "tyx"])
def test_pixels_are_those_written(kind: str, axes: str, tmp_path: Path) -> None:
    data = made.pixels(axes)
    WRITERS[kind](tmp_path / f"made.{kind}", axes, data)
    image = image_of(tmp_path / f"made.{kind}")
    np.testing.assert_array_equal(filled(image), ordered(axes, data))
    level = image.levels[0]
    region = whole(tuple(-(-size // 2) for size in level.shape)).shifted(tuple(-(size // 3) for size in level.shape))
    np.testing.assert_array_equal(level.read(region), image[...][region.slices])


@pytest.mark.parametrize("kind", WRITERS)
def test_metadata(kind: str, tmp_path: Path) -> None:
    WRITERS[kind](tmp_path / f"made.{kind}")
    image = image_of(tmp_path / f"made.{kind}")
    found = image.metadata
    assert image.levels[0].scale == (2.0, 1.0, 0.5, 0.5, 0.25)
    assert [axis.unit for axis in image.axes] == ["second", None, "micrometer", "micrometer", "micrometer"]
    assert [(c.name, c.colour, c.excitation, c.emission) for c in image.channels] == [
        ("DAPI", "00ff00", 405.0, 461.0),
        ("CHS2", "ff0000", 488.0, 511.0),
    ]
    assert (found.objective, found.magnification, found.aperture) == ("UPLSAPO 60X O NA:1.35", 60.0, 1.35)
    assert (found.acquired, found.instrument) == ("2009-02-03T04:05:06", "Olympus FLUOVIEW FV1000")
    assert found.extra["channels"]["GUI Channel 1 Parameters"]["CH Name"] == "CHS1"


def test_a_large_table_is_listed_behind_the_header(tmp_path: Path) -> None:
    data = made.pixels("zyx", z=4, y=1024, x=2048)
    made.oib(tmp_path / "large.oib", "zyx", data)
    np.testing.assert_array_equal(image_of(tmp_path / "large.oib")[...], data)
    with oiffile.OifFile(tmp_path / "large.oib") as file:
        np.testing.assert_array_equal(file.asarray(), data)


def test_oiffile_sees_the_same_streams(tmp_path: Path) -> None:
    made.oib(tmp_path / "made.oib")
    with oiffile.OifFile(tmp_path / "made.oib") as file:
        judged = file.asarray()  # along c, z and t, as the names of the files have them
        assert (file.axes, file.shape) == ("TCZYX", (2, 2, 3, 9, 13))
    np.testing.assert_array_equal(filled(image_of(tmp_path / "made.oib")), judged.transpose(2, 0, 1, 3, 4))


def test_a_plane_that_is_missing_is_trouble_and_one_that_is_replaced_is_seen(tmp_path: Path) -> None:
    made.oif(tmp_path / "made.oif")
    before = source.version(LocalStore(tmp_path), "made.oif")
    plane = tmp_path / "made.oif.files" / "s_C002Z002T001.tif"
    plane.write_bytes(plane.read_bytes() + b"\0")
    assert source.version(LocalStore(tmp_path), "made.oif") != before
    plane.unlink()
    image = image_of(tmp_path / "made.oif")
    assert image[1].any()
    with pytest.raises(Unreadable, match="is missing"):
        image[0]


def test_a_plane_that_is_replaced_while_others_are_read_is_never_mixed_with_them(tmp_path: Path) -> None:
    made.oif(tmp_path / "made.oif")
    level = source.open(LocalStore(tmp_path), "made.oif").images["made"].levels[0]
    plane = tmp_path / "made.oif.files" / "s_C002Z002T001.tif"
    plane.write_bytes(plane.read_bytes() + b"\0")
    assert level.read(whole((1, 1, 3, 9, 13))).any()
    with pytest.raises(Changed):
        level.read(whole((1, 2, 3, 9, 13)))


def test_an_oif_without_its_folder_is_refused(tmp_path: Path) -> None:
    made.oif(tmp_path / "made.oif")
    (tmp_path / "made.oif.files").rename(tmp_path / "elsewhere")
    with pytest.raises(Unreadable, match=r"the folder made\.oif\.files"):
        image_of(tmp_path / "made.oif")
    (tmp_path / "elsewhere").rename(tmp_path / "MADE.OIF.FILES")
    assert image_of(tmp_path / "made.oif")[...].any()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda found: {**found, "made.oif.files/s_C001Z001T001.tif": b"II*\0"}, "no TIFF that can be read"),
        (lambda found: {name: each for name, each in found.items() if ".tif" not in name}, "no files of planes"),
        (lambda found: {**found, "made.oif.files/s_C001Z001T001A002.tif": b""}, "planes along a"),
        (lambda found: {**found, "made.oif": b"\xff\xfe"}, "no settings"),
    ],
    ids=["plane", "none", "axis", "settings"],
)  # fmt: skip
def test_what_cannot_be_is_refused(
    change: Callable[[dict[str, bytes]], dict[str, bytes]], match: str, tmp_path: Path
) -> None:
    found = change(made.files("made", "tczyx", made.pixels()))
    (tmp_path / "made.oib").write_bytes(made.compound_oib(found))
    with pytest.raises(Unreadable, match=match) as caught:
        image_of(tmp_path / "made.oib")
    assert "made.oib" in str(caught.value)


def test_a_table_that_runs_in_circles_is_refused(tmp_path: Path) -> None:
    made.oib(tmp_path / "made.oib")
    data = bytearray((tmp_path / "made.oib").read_bytes())
    first = int.from_bytes(data[48:52], "little")
    data[512 + 4 * first : 516 + 4 * first] = data[48:52]
    (tmp_path / "made.oib").write_bytes(data)
    with pytest.raises(Unreadable, match="no end"):
        image_of(tmp_path / "made.oib")


def test_a_plane_reads_its_own_stream(tmp_path: Path) -> None:
    data = made.pixels("czyx", y=128, x=128, z=20)
    made.oib(tmp_path / "made.oib", "czyx", data)
    store = CountingStore(LocalStore(tmp_path))
    level = source.open(store, "made.oib").images["made"].levels[0]
    assert store.count < 1 << 18
    store.count = 0
    np.testing.assert_array_equal(level.read(whole((1, 1, 128, 128)).shifted((-1, -7, 0, 0)))[0, 0], data[1, 7])
    assert store.count < 2 * 128 * 128 * 2


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_changed_bytes_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    found = made.files("made", "zyx", made.pixels("zyx"))
    twin = bytearray(made.compound_oib({name: each for name, each in found.items() if not name.endswith(".lut")}))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.one_of(st.integers(0, 2048), st.integers(0, len(twin) - 1)))
        twin[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "twin.oib"
    path.write_bytes(twin)
    try:
        level = image_of(path).levels[0]
        region = whole(level.shape).clipped((4, 4, 4, 64, 64)[: len(level.shape)])
        assert level.read(region).shape == region.shape
    except DiascopeError as error:
        assert "twin.oib" in str(error)  # noqa: PT017


@pytest.mark.judge
@pytest.mark.parametrize("name", ["full.oif", "full.oib", "line.oib"])
def test_bio_formats_sees_the_same(name: str, tmp_path: Path) -> None:
    required(missing())
    WRITERS[name[-3:]](tmp_path / name, "ctx" if name == "line.oib" else "tczyx")
    image = image_of(tmp_path / name)
    [judged] = seen(tmp_path / name, tmp_path)
    # The times of a line are rows to it.
    ours = filled(image).transpose(3, 1, 2, 0, 4) if name == "line.oib" else filled(image)
    np.testing.assert_array_equal(ours, judged.pixels)
    scales = dict(zip(image.axis_names, image.levels[0].scale, strict=True))
    assert judged.length("x") == scales["x"]
    assert judged.length("z") == scales.get("z", 1.0)
    waves = [(channel["ExcitationWavelength"], channel["EmissionWavelength"]) for channel in judged.channels]
    assert waves == [(channel.excitation, channel.emission) for channel in image.channels]
