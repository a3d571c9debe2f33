"""Nikon ND2: real files and made ones, judged by nd2 itself and by Bio-Formats."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import nd2
import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import diascope
from diascope.errors import DiascopeError, Unreadable
from diascope.image.image import Image
from diascope.image.region import whole
from diascope.sources.nd2 import source
from diascope.sources.nd2.variants import check
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.judges.bioformats import missing, seen
from tests.judges.required import required
from tests.sources import nd2_files as made


def images(path: Path) -> dict[str, Image]:
    return dict(diascope.open_dataset(path).images)


def first(path: Path) -> Image:
    return next(iter(images(path).values()))


def written(folder: Path, data: bytes) -> Path:
    (folder / "made.nd2").write_bytes(data)
    return folder / "made.nd2"


def filled(image: Image) -> NDArray[Any]:
    """All pixels along t, c, z, y and x."""
    return image[...].reshape([image.size(name) for name in "tczyx"])


def read_by_nd2(path: Path) -> NDArray[Any]:
    """The same by the library."""
    with nd2.ND2File(path) as file:
        pixels, names = np.asarray(file.asarray()), [*file.sizes]
    absent = [name for name in "PTCZYX" if name not in names]
    return pixels.reshape((1,) * len(absent) + pixels.shape).transpose([[*absent, *names].index(n) for n in "PTCZYX"])


@pytest.mark.parametrize("name", ["series", "stage", "packed"])
def test_pixels_are_those_of_nd2(name: str, tmp_path: Path) -> None:
    getattr(made, name)(tmp_path / "made.nd2")
    ours = np.stack([filled(image) for image in images(tmp_path / "made.nd2").values()])
    np.testing.assert_array_equal(ours, read_by_nd2(tmp_path / "made.nd2"))


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
@pytest.mark.parametrize("padding", [0, 6])
def test_every_type_and_rows_with_padding(dtype: str, padding: int, tmp_path: Path) -> None:
    frames = made.frames(dtype=dtype)
    image = first(written(tmp_path, made.nd2(frames, made.TIMES_AND_PLANES, padding=padding)))
    assert image.dtype == frames.dtype
    np.testing.assert_array_equal(image[...], frames.reshape(2, 3, 9, 13, 2).transpose(0, 4, 1, 2, 3))


def test_colours_are_turned_to_red_green_blue(tmp_path: Path) -> None:
    made.rgb(tmp_path / "rgb.nd2")
    image = first(tmp_path / "rgb.nd2")
    assert image.kind == "rgb"
    np.testing.assert_array_equal(image[...], np.moveaxis(made.frames(1, 3, "u1")[0], -1, 0)[::-1])
    level = image.levels[0]
    region = whole((1, 4, 5)).shifted((-2, -1, -3))
    np.testing.assert_array_equal(level.read(region), image[...][region.slices])


def test_positions_are_images_with_their_places(tmp_path: Path) -> None:
    made.stage(tmp_path / "stage.nd2")
    found = images(tmp_path / "stage.nd2")
    assert list(found) == ["first", "a-b", "position-3"]
    assert [image.metadata.position["x"] for image in found.values()] == [10.0, 30.0, 50.0]
    assert found["a-b"].metadata.extra["position_name"] == "a/b"


def test_positions_of_unlike_numbers_of_planes_follow_each_other(tmp_path: Path) -> None:
    frames = made.frames()
    found = list(images(written(tmp_path, made.nd2(frames, made.UNEQUAL))).values())
    assert [image.size("z") for image in found] == [1, 3, 2]
    joined = np.concatenate([filled(image)[0].transpose(1, 2, 3, 0) for image in found])
    np.testing.assert_array_equal(joined, frames)


def test_frames_that_were_never_acquired_are_empty_and_told(tmp_path: Path) -> None:
    image = first(written(tmp_path, made.nd2(made.frames(), made.TIMES_AND_PLANES, written=4)))
    assert image.metadata.extra["is_incomplete"]
    assert image.shape == (2, 2, 3, 9, 13)
    assert not image[1, :, 1:].any()
    assert image[1, :, 0].any()


def test_a_frame_that_the_map_lacks_is_trouble(tmp_path: Path) -> None:
    data = made.nd2(made.frames(), made.TIMES_AND_PLANES)
    renamed = data.replace(b"ImageDataSeq|3!", b"ImageDataSeq|9!")
    image = first(written(tmp_path, renamed))
    assert image[0].any()
    with pytest.raises(Unreadable, match="frame 3 of 6 is missing"):
        image[1]


def test_a_map_that_points_elsewhere_is_trouble(tmp_path: Path) -> None:
    data = bytearray(made.nd2(made.frames(), made.TIMES_AND_PLANES))
    entry = data.rindex(b"ImageDataSeq|3!") + len(b"ImageDataSeq|3!")
    place = int.from_bytes(data[entry : entry + 8], "little")
    data[entry : entry + 8] = (place - 4096).to_bytes(8, "little")
    image = first(written(tmp_path, bytes(data)))
    with pytest.raises(Unreadable, match="is not at byte"):
        image[1]


@pytest.mark.parametrize(
    ("cut", "match"), [(40, "missing"), (1, "missing"), (300, "missing")], ids=["end", "byte", "map"]
)
def test_a_file_without_its_end_is_refused(cut: int, match: str, tmp_path: Path) -> None:
    path = written(tmp_path, made.nd2(made.frames(), made.TIMES_AND_PLANES)[:-cut])
    with pytest.raises(Unreadable, match=match) as caught:
        first(path)
    assert path.name in str(caught.value)


def test_a_file_of_the_first_kind_is_refused_and_not_shown_as_one_picture(tmp_path: Path) -> None:
    PIL.Image.new("L", (8, 8)).save(tmp_path / "picture.jp2")
    path = written(tmp_path, (tmp_path / "picture.jp2").read_bytes())
    with pytest.raises(Unreadable, match="before 2009"):
        first(path)


def test_metadata_that_explode_are_refused() -> None:
    bomb = struct.pack("<BB", 76, 0) + bytes(10) + zlib.compress(bytes(1 << 26))
    with pytest.raises(Unreadable, match="unpacks to more"):
        check("made", bomb)
    deep: dict[str, Any] = {}
    for _ in range(80):
        deep = {"a": deep}
    with pytest.raises(Unreadable, match="levels deep"):
        check("made", made.value("top", deep))
    with pytest.raises(Unreadable, match="unreasonable length"):
        check("made", made.value("text", "x" * 100_000))
    check("made", made.value("SLxExperiment", made.STAGE))


def test_metadata_of_real_files(shared_data: Path) -> None:
    image = first(shared_data / "nd2" / "cluster.nd2")
    found = image.metadata
    assert (found.magnification, found.objective, found.aperture) == (60.0, "Plan Apo λ 60x", 0.95)
    assert found.acquired == "2014-06-18T13:55:23+00:00"
    assert found.instrument == "Nikon Ti Microscope"
    assert found.position["x"] == pytest.approx(-26056.951)
    assert [(c.name, c.colour, c.excitation, c.emission) for c in image.channels] == [
        ("5-FAM/pH 9.0", "78e90f", 488.0, 525.0),
        ("FM 4-64/2% CHAPS", "fe0100", 561.0, 700.0),
    ]
    assert image.levels[0].scale == pytest.approx((10.6475, 1.0, 0.5, 0.167809, 0.167809), rel=1e-4)
    assert found.extra["seconds"] == [0.445083, 11.08618, 21.740178]


def test_a_region_reads_its_own_rows(tmp_path: Path) -> None:
    frames = np.arange(2 * 512 * 512 * 2, dtype=np.uint16).reshape(2, 512, 512, 2)
    path = written(tmp_path, made.nd2(frames, made.experiment([(made.STACK, 2)])))
    store = CountingStore(LocalStore(tmp_path))
    level = source.open(store, path.name).images["made"].levels[0]
    store.count = 0
    region = whole((2, 1, 16, 512)).shifted((0, -1, -300, 0))
    np.testing.assert_array_equal(level.read(region), frames.transpose(3, 0, 1, 2)[region.slices])
    assert store.count < 16 * 512 * 4 + 200


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_changed_bytes_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    twin = bytearray(made.nd2(made.frames(), data.draw(st.sampled_from((made.TIMES_AND_PLANES, made.STAGE)))))
    # Where something stands: what is between the chunks is empty.
    places = [at for at in range(len(twin)) if twin[at]]
    for _ in range(data.draw(st.integers(1, 4))):
        twin[data.draw(st.sampled_from(places))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "twin.nd2"
    path.write_bytes(twin)
    try:
        for image in diascope.open_dataset(path).images.values():
            level = image.levels[0]
            region = whole(level.shape).clipped((4, 4, 4, 64, 64)[: len(level.shape)])
            assert level.read(region).shape == region.shape
    except DiascopeError as error:
        assert "twin.nd2" in str(error)  # noqa: PT017


@pytest.mark.judge
@pytest.mark.parametrize("name", ["series", "stage", "cluster"])
def test_bio_formats_sees_the_same(name: str, tmp_path: Path, shared_data: Path) -> None:
    required(missing())
    path = shared_data / "nd2" / "cluster.nd2"
    if name != "cluster":
        path = tmp_path / "made.nd2"
        getattr(made, name)(path)
    ours = list(images(path).values())
    for image, judged in zip(ours, seen(path, tmp_path), strict=True):
        np.testing.assert_array_equal(filled(image), judged.pixels)
        assert [channel["Name"] for channel in judged.channels] == [channel.name for channel in image.channels]
        assert judged.spacing("z") == (image.levels[0].scale[-3], "µm")
    if name == "cluster":
        assert judged.spacing("x") == (image.levels[0].scale[-1], "µm")
        assert [channel["EmissionWavelength"] for channel in judged.channels] == [c.emission for c in image.channels]
