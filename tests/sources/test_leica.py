"""Leica LIF, LOF and XLEF: a real file and made ones, judged by liffile and by Bio-Formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import liffile
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import diascope
from diascope.errors import Changed, DiascopeError, Unreadable
from diascope.image.image import Image
from diascope.image.region import whole
from diascope.sources.leica import source
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.judges.bioformats import missing, seen
from tests.judges.required import required
from tests.sources import leica_files as made


def images(path: Path) -> dict[str, Image]:
    return dict(diascope.open_dataset(path).images)


def written(folder: Path, data: bytes, name: str = "made.lif") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def one(folder: Path, picture: made.Picture) -> Image:
    return images(written(folder, made.lif({"1": picture})))["made"]


def filled(image: Image) -> NDArray[Any]:
    """All pixels along t, c, z, y and x."""
    return image[...].reshape([image.size(name) for name in "tczyx"])


def ordered(picture: made.Picture) -> NDArray[Any]:
    """The same of what was written; of wavelengths each channel has all, behind each other."""
    axes = picture.axes.replace("s", "c")
    names = [name for name in "tcλzyx" if name in axes]
    pixels = picture.pixels.transpose([axes.index(name) for name in names])
    sizes = dict(zip(names, pixels.shape, strict=True))
    sizes["c"] = sizes.get("c", 1) * sizes.pop("λ", 1)
    return pixels.reshape([sizes.get(name, 1) for name in "tczyx"])


@pytest.mark.parametrize("picture", [made.STACK, made.COLOURS, made.WAVES, made.SIDE, made.REAL], ids=lambda p: p.name)
def test_pixels_lie_as_the_description_says(picture: made.Picture, tmp_path: Path) -> None:
    image = one(tmp_path, picture)
    np.testing.assert_array_equal(filled(image), ordered(picture))
    assert image.dtype == picture.pixels.dtype


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f2", "f4", "f8"])
@pytest.mark.parametrize("version", [1, 2])
def test_every_type_and_version(dtype: str, version: int, tmp_path: Path) -> None:
    picture = replace(made.STACK, pixels=made.STACK.pixels.astype(dtype))
    path = written(tmp_path, made.lif({"1": picture}, version=version))
    np.testing.assert_array_equal(filled(images(path)["made"]), ordered(picture))
    with liffile.LifFile(path) as file:
        np.testing.assert_array_equal(file.images[0].asarray(), picture.pixels)


@pytest.mark.parametrize("axes", ["tzcyx", "ctzyx", "czyxt", "yxczt", "yczxt"])
def test_axes_lie_in_any_order(axes: str, tmp_path: Path) -> None:
    sizes = {"t": 2, "z": 3, "c": 2, "y": 9, "x": 7}
    picture = replace(made.STACK, axes=axes, pixels=made.random(tuple(sizes[name] for name in axes)))
    level = one(tmp_path, picture).levels[0]
    np.testing.assert_array_equal(level.read(whole(level.shape)), ordered(picture))
    region = whole((1, 2, 2, 3, 4)).shifted((-1, 0, -1, -2, -3))
    np.testing.assert_array_equal(level.read(region), ordered(picture)[region.slices])


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    for picture, order in ((made.COLOURS, [0, 1, 2]), (made.BACKWARDS, [2, 1, 0])):
        image = one(tmp_path, picture)
        assert image.kind == "rgb"
        np.testing.assert_array_equal(filled(image), ordered(picture)[:, order])
        region = whole((1, 4, 5)).shifted((-2, -1, -3))
        np.testing.assert_array_equal(image.levels[0].read(region), image[...][region.slices])


def test_images_are_in_their_folders_and_tiles_have_their_places(tmp_path: Path) -> None:
    made.lif_folders(tmp_path / "folders.lif")
    found = images(tmp_path / "folders.lif")
    tiles = [f"first/stack-2 tile {k}" for k in (1, 2, 3, 4)]
    assert list(found) == ["first/stack", *tiles, "second/inner/real", "backwards"]
    for k, name in enumerate(tiles):
        np.testing.assert_array_equal(found[name][...], made.TILES.pixels[k])
        assert found[name].metadata.position == {"x": 1000.0 * k, "y": 2000.0, "z": 0.0}


def test_an_image_in_an_image_is_beside_it(tmp_path: Path) -> None:
    parent = replace(made.STACK, children=(replace(made.REAL, name="copy"),))
    found = images(written(tmp_path, made.lif({"folder": {"1": parent}, "2": made.REAL})))
    assert list(found) == ["folder - stack", "folder - stack - copy", "real"]
    np.testing.assert_array_equal(found["folder - stack - copy"][...], made.REAL.pixels)


def test_lengths_times_and_wavelengths(tmp_path: Path) -> None:
    image = one(tmp_path, made.STACK)
    assert image.levels[0].scale == pytest.approx((9.0, 1.0, 2.0, 2.0, 1.6))
    assert [axis.unit for axis in image.axes] == ["second", None, "micrometer", "micrometer", "micrometer"]
    assert [channel.colour for channel in image.channels] == ["00ff00", "ff0000"]
    waves = one(tmp_path, made.WAVES)
    assert [channel.emission for channel in waves.channels] == [500.0, 520.0, 540.0, 560.0] * 2


def test_metadata_of_a_real_file(shared_data: Path) -> None:
    image = images(shared_data / "lif" / "testdata_2channel_xz.lif")["xzt"]
    found = image.metadata
    assert (found.magnification, found.aperture) == (63.0, 1.3)
    assert (found.objective, found.instrument) == ("HC PL APO CS2 63x/1.30 GLYC", "Leica TCS SP8 DMI6000B-CS")
    assert found.acquired == "2021-03-04T16:39:17+00:00"
    assert found.position == {"x": 34620.939305, "y": 14743.053975, "z": 0.000147}
    assert [(channel.name, channel.colour) for channel in image.channels] == [
        ("Leica/FITC", "00ff00"),
        ("Leica/TRITC", "ff0000"),
    ]
    assert image.levels[0].scale == pytest.approx((0.53, 1.0, 0.14027874, 1.0, 0.14027984))


def test_a_project_finds_its_files(tmp_path: Path) -> None:
    made.xlef(tmp_path / "project.xlef")
    found = images(tmp_path / "project.xlef")
    assert list(found) == ["collection/stack", "collection/pages", "alone"]
    np.testing.assert_array_equal(filled(found["collection/stack"]), ordered(made.STACK))
    np.testing.assert_array_equal(found["collection/pages"][...], made.STACK.pixels[:, 0])
    np.testing.assert_array_equal(images(tmp_path / "alone.xlif")["alone"][...], made.REAL.pixels)
    assert len(diascope.open_dataset(tmp_path / "project.xlef").files) == 11
    with liffile.LifFile(tmp_path / "inner" / "pages.xlif") as file:
        np.testing.assert_array_equal(file.images[0].asarray(), found["collection/pages"][...])


@pytest.mark.parametrize("kind", ["png", "bmp"])
def test_planes_are_pictures(kind: str, tmp_path: Path) -> None:
    made.xlif(tmp_path, replace(made.STACK, name="planes"), kind)
    np.testing.assert_array_equal(filled(images(tmp_path / "planes.xlif")["planes"]), ordered(made.STACK))


def test_a_project_is_as_new_as_its_newest_file(tmp_path: Path) -> None:
    made.xlef(tmp_path / "project.xlef")
    before = source.version(LocalStore(tmp_path), "project.xlef")
    (tmp_path / "inner" / "stack.lof").write_bytes(made.lof(made.STACK) + b"!")
    assert source.version(LocalStore(tmp_path), "project.xlef") != before


def test_a_picture_that_is_replaced_while_others_are_read_is_never_mixed_with_them(tmp_path: Path) -> None:
    made.xlif(tmp_path, replace(made.STACK, name="planes"), "tif")
    level = source.open(LocalStore(tmp_path), "planes.xlif").images["planes"].levels[0]
    last = tmp_path / "planes 11.tif"
    last.write_bytes(last.read_bytes() + b"\0")
    assert level.read(whole((1, 2, 3, 9, 16))).any()
    with pytest.raises(Changed):
        level.read(whole(level.shape))


def test_references_do_not_lead_out_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    made.xlif(tmp_path, made.STACK)
    made.references(tmp_path / "inside" / "project.xlef", "project", ["../stack.xlif", "/stack.xlif", "project.xlef"])
    with pytest.raises(Unreadable, match="not there"):
        source.open(LocalStore(tmp_path / "inside"), "project.xlef")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda data: data[:-1], "the file is cut"),
        (lambda data: data[: len(data) - made.STACK.pixels.nbytes - 40], "missing"),
        (lambda data: data.replace(utf('NumberOfElements="3"'), utf('NumberOfElements="0"')), "cannot be"),
        (lambda data: data.replace(utf('NumberOfElements="3"'), utf('NumberOfElements="9"')), "cannot hold"),
        (lambda data: data.replace(utf('BytesInc="16"'), utf('BytesInc="-6"')), "cannot be"),
        (lambda data: data.replace(utf('DimID="3"'), utf('DimID="2"')), "not supported"),
        (lambda data: data.replace(utf('Resolution="8"'), utf('Resolution="0"')), "not supported"),
        (lambda data: data.replace(utf('DataType="0"'), utf('DataType="1"')), "not supported"),
        (lambda data: data.replace(utf("<Element Name"), utf("<Element=Name")), "XML cannot be read"),
    ],
    ids=["cut", "block", "empty", "short", "step", "twice", "bits", "type", "xml"],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_the_reason(
    change: Callable[[bytes], bytes], match: str, tmp_path: Path
) -> None:
    path = written(tmp_path, change(made.lif({"1": made.STACK})))
    with pytest.raises(Unreadable, match=match) as caught:
        images(path)
    assert path.name in str(caught.value)


def utf(text: str) -> bytes:
    return text.encode("utf-16-le")


def test_entities_are_refused(tmp_path: Path) -> None:
    text = '<!DOCTYPE a [<!ENTITY b "c">]><LMSDataContainerHeader Version="2">&b;</LMSDataContainerHeader>'
    (tmp_path / "bomb.xlef").write_text(text, encoding="utf-8")
    with pytest.raises(Unreadable, match="XML cannot be read"):
        images(tmp_path / "bomb.xlef")


def test_one_cut_image_leaves_the_others(tmp_path: Path) -> None:
    path = written(tmp_path, made.lif({"1": made.STACK, "2": made.REAL}, cut=10))
    dataset = diascope.open_dataset(path)
    np.testing.assert_array_equal(filled(dataset.images["stack"]), ordered(made.STACK))
    with pytest.raises(Unreadable, match="the file is cut"):
        dataset.images["real"]


def test_a_region_reads_its_own_rows(tmp_path: Path) -> None:
    picture = replace(made.STACK, pixels=made.random((2, 4, 2, 256, 512)))
    path = written(tmp_path, made.lif({"1": picture}))
    store = CountingStore(LocalStore(tmp_path))
    level = source.open(store, path.name).images["made"].levels[0]
    assert store.count < 1 << 16
    store.count = 0
    region = whole((1, 1, 2, 64, 512)).shifted((-1, -1, -1, -100, 0))
    np.testing.assert_array_equal(level.read(region), ordered(picture)[region.slices])
    assert store.count == 2 * 64 * 512


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_changed_bytes_are_refused_or_read(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    trees: list[dict[str, Any]] = [{"1": made.STACK}, {"1": made.COLOURS}, {"a": {"1": made.TILES}}]
    twin = bytearray(made.lif(data.draw(st.sampled_from(trees))))
    for _ in range(data.draw(st.integers(1, 4))):
        digits = [at for at, byte in enumerate(twin) if 48 <= byte < 58]
        at = data.draw(st.one_of(st.sampled_from(digits), st.integers(0, len(twin) - 1)))
        twin[at] = data.draw(st.one_of(st.integers(48, 57), st.integers(0, 255)))
    path = tmp_path_factory.getbasetemp() / "twin.lif"
    path.write_bytes(twin)
    try:
        for image in diascope.open_dataset(path).images.values():
            level = image.levels[0]
            region = whole(level.shape).clipped((4, 4, 4, 64, 64)[: len(level.shape)])
            assert level.read(region).shape == region.shape
    except DiascopeError as error:
        assert "twin.lif" in str(error)  # noqa: PT017


@pytest.mark.judge
@pytest.mark.parametrize("name", ["folders.lif", "stack.lof", "project.xlef", "testdata_2channel_xz.lif"])
def test_bio_formats_sees_the_same(name: str, tmp_path: Path, shared_data: Path) -> None:
    required(missing())
    write = {"folders.lif": made.lif_folders, "stack.lof": made.lof_stack, "project.xlef": made.xlef}
    path = shared_data / "lif" / name
    if name in write:
        path = tmp_path / name
        write[name](path)
    ours = images(path)
    for image, judged in zip(ours.values(), seen(path, tmp_path), strict=True):
        level = image.levels[0]
        if image.name == "pages":
            continue  # it takes the planes in an order of its own, not that of their places in the memory
        is_side = image.size("y") == 1
        pixels = filled(image).swapaxes(2, 3) if is_side else filled(image)
        # Where z lies before y, Bio-Formats calls the slower one z.
        turned = pixels.swapaxes(2, 3) if judged.pixels.shape != pixels.shape else pixels
        np.testing.assert_array_equal(turned, judged.pixels)
        scales = dict(zip(image.axis_names, level.scale, strict=True))
        assert judged.length("x") == pytest.approx(scales["x"])
        if path.parent == tmp_path and "z" in scales:
            assert judged.length("z") == pytest.approx(scales["z"])
        if image.channels and name.startswith("testdata"):
            assert [channel["Name"] for channel in judged.channels] == [channel.name for channel in image.channels]
