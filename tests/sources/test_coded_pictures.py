"""AVIF, JPEG XL, HEIF, Radiance, OpenEXR and FITS, as their own libraries write them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import imagecodecs
import numpy as np
import OpenEXR
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL.FitsImagePlugin import FitsImageFile

from diascope.errors import DiascopeError, Unreadable
from diascope.image.image import Image
from diascope.registry import registry
from diascope.sources.dataset import Dataset
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from diascope.testing.sources import check_source
from tests.sources import coded_files
from tests.sources.coded_files import COLOURS, DEEP, FRAMES, LIGHT, SEVERAL

SAMPLES = {name: {**files, **SEVERAL.get(name, {})} for name, files in coded_files.SAMPLES.items()}


def opened(path: Path) -> Dataset:
    """Without what was read of another file of this name."""
    name = next(name for name, files in SAMPLES.items() if path.name in files)
    dataset: Dataset = registry("sources")[name].open(LocalStore(path.parent), path.name)
    return dataset


def made(name: str, folder: Path) -> Dataset:
    write = next(files[name] for files in SAMPLES.values() if name in files)
    write(folder / name)
    return opened(folder / name)


def only(dataset: Dataset) -> Image:
    (image,) = dataset.images.values()
    return image


def interleaved(image: Image) -> Any:
    return np.moveaxis(image[...], image.axis_names.index("c"), -1)


@pytest.mark.parametrize(("source", "name"), [(source, name) for source, names in SEVERAL.items() for name in names])
def test_files_of_several_images_keep_the_contract(source: str, name: str, tmp_path: Path) -> None:
    SEVERAL[source][name](tmp_path / name)
    check_source(registry("sources")[source], tmp_path / name)


@pytest.mark.parametrize(
    ("name", "pixels"),
    [("still.jxl", COLOURS), ("deep.jxl", DEEP), ("light.jxl", LIGHT / 9), ("moving.jxl", FRAMES)],
)
def test_what_is_kept_whole_comes_back(name: str, pixels: Any, tmp_path: Path) -> None:
    image = only(made(name, tmp_path))
    assert image.axis_names == ("tcyx" if pixels.ndim == 4 else "cyx")
    assert image.kind == ("intensity" if pixels.dtype.kind == "f" else "rgb")
    np.testing.assert_array_equal(interleaved(image), pixels)


@pytest.mark.judge
@pytest.mark.parametrize("name", ["still.avif", "turned.avif"])
def test_avif_is_what_pillow_decodes(name: str, tmp_path: Path) -> None:
    image = only(made(name, tmp_path))
    with PIL.Image.open(tmp_path / name) as theirs:
        np.testing.assert_array_equal(interleaved(image), np.asarray(theirs))


def test_avif_of_ten_bits(tmp_path: Path) -> None:
    image = only(made("deep.avif", tmp_path))
    assert image.dtype == np.uint16
    assert image.metadata.extra["bits"] == 10
    assert [channel.window for channel in image.channels] == [(0.0, 1023.0)] * 3
    assert np.abs(interleaved(image).astype(int) - DEEP).mean() < 4


def test_frames_of_avif(tmp_path: Path) -> None:
    image = only(made("moving.avif", tmp_path))
    assert image.shape == (4, 3, 37, 41)
    for frame in (3, 0, 2):
        assert np.abs(np.moveaxis(image[frame], 0, -1).astype(int) - FRAMES[frame]).mean() < 9


def test_avif_tells_how_it_is_turned(tmp_path: Path) -> None:
    image = only(made("turned.avif", tmp_path))
    assert image.shape == (4, 37, 41)
    assert image.metadata.extra["exif_orientation"] == 6
    assert image.metadata.description == "a turned picture"
    assert image.metadata.acquired == "2021-03-04T05:06:07"


def test_exif_of_a_shared_avif(shared_data: Path) -> None:
    image = only(registry("sources")["avif"].open(LocalStore(shared_data / "avif"), "avif-orientation-6.avif"))
    assert image.metadata.acquired == "2020-03-05T11:28:10"
    assert image.metadata.icc is not None


def test_heif(tmp_path: Path) -> None:
    image = only(made("still.heic", tmp_path))
    assert (image.kind, image.shape) == ("rgb", (4, 37, 41))
    assert np.abs(interleaved(image).astype(int) - COLOURS).mean() < 9
    images = made("several.heic", tmp_path).images
    assert list(images) == ["several 1", "several 2"]
    for frame, each in zip(FRAMES, images.values(), strict=False):
        assert np.abs(interleaved(each).astype(int) - frame).mean() < 9


@pytest.mark.judge
def test_radiance_is_what_opencv_decodes(tmp_path: Path) -> None:
    image = only(made("light.hdr", tmp_path))
    theirs = cv2.imread(str(tmp_path / "light.hdr"), cv2.IMREAD_UNCHANGED)
    assert theirs is not None
    np.testing.assert_array_equal(interleaved(image), theirs[..., ::-1])
    assert [channel.name for channel in image.channels] == ["red", "green", "blue"]
    assert image.kind == "intensity"


@pytest.mark.parametrize("size", [b"+Y 37 +X 41", b"+X 41 -Y 37", b"-Y 99999 +X 99999", b"-Y 0 +X 41"])
def test_radiance_of_other_sizes_is_refused(size: bytes, tmp_path: Path) -> None:
    coded_files.hdr(tmp_path / "light.hdr")
    data = (tmp_path / "light.hdr").read_bytes().replace(b"-Y 37 +X 41", size)
    (tmp_path / "light.hdr").write_bytes(data)
    with pytest.raises(Unreadable, match=r"rows do not go|cannot hold|has none"):
        opened(tmp_path / "light.hdr")


LOSSLESS = ("NO", "RLE", "ZIPS", "ZIP", "PIZ")


@pytest.mark.parametrize("compression", LOSSLESS)
def test_layers_of_exr(compression: str, tmp_path: Path) -> None:
    coded_files.exr(tmp_path / "layers.exr", getattr(OpenEXR, f"{compression}_COMPRESSION"))
    images = opened(tmp_path / "layers.exr").images
    assert list(images) == ["layers", "Z", "glow"]
    np.testing.assert_array_equal(interleaved(images["layers"]), LIGHT)
    np.testing.assert_array_equal(images["Z"][...], DEEP[..., 0])
    np.testing.assert_array_equal(images["glow"][...], LIGHT[..., 0].astype(np.float16))
    assert [channel.colour for channel in images["layers"].channels] == ["ff0000", "00ff00", "0000ff"]


def test_parts_of_exr(tmp_path: Path) -> None:
    images = made("parts.exr", tmp_path).images
    assert list(images) == ["left", "right"]
    np.testing.assert_array_equal(images["left"][...], LIGHT[..., 0].astype(np.float16))
    np.testing.assert_array_equal(images["right"][...], LIGHT[::-1, :, 0].astype(np.float16))
    assert images["right"].metadata.extra["data_window"] == [-3, 5, 38, 42]


def test_the_shared_exr(shared_data: Path) -> None:
    images = registry("sources")["exr"].open(LocalStore(shared_data / "exr-hdr-fits"), "sample.exr").images
    assert {name: image.shape for name, image in images.items()} == {
        "sample": (406, 610),
        "every 2 by 2": (2, 203, 305),
    }
    theirs = OpenEXR.File(str(shared_data / "exr-hdr-fits" / "sample.exr"), separate_channels=True).channels()
    np.testing.assert_array_equal(images["sample"][...], theirs["Y"].pixels)
    np.testing.assert_array_equal(images["every 2 by 2"][1], theirs["RY"].pixels)
    assert images["every 2 by 2"].levels[0].scale == (1.0, 2.0, 2.0)


def test_units_of_fits(tmp_path: Path) -> None:
    images = made("units.fits", tmp_path).images
    assert list(images) == ["cube", "light", "units 4"]
    cube = images["cube"]
    assert cube.axis_names == "cyx"
    assert cube.dtype == np.uint16
    np.testing.assert_array_equal(cube[...], DEEP.transpose(2, 0, 1))
    np.testing.assert_array_equal(images["light"][...], LIGHT[..., 0])
    scaled = images["units 4"]
    np.testing.assert_array_equal(scaled[...], COLOURS[..., 0])
    assert scaled.metadata.rescale == (0.5, 3.0)


@pytest.mark.judge
def test_the_shared_fits_is_what_pillow_decodes(shared_data: Path) -> None:
    image = only(registry("sources")["fits"].open(LocalStore(shared_data / "exr-hdr-fits"), "simple.fits"))
    with FitsImageFile(str(shared_data / "exr-hdr-fits" / "simple.fits")) as theirs:
        np.testing.assert_array_equal(image[...], np.asarray(theirs)[::-1].view(np.int16))  # Pillow turns rows over
    assert image.metadata.description.startswith("m51")


def test_a_tile_of_fits_reads_its_rows_alone(tmp_path: Path) -> None:
    wide = np.zeros((400, 9000), np.float32)
    (tmp_path / "units.fits").write_bytes(coded_files.unit(wide, coded_files.FIRST))
    store = CountingStore(LocalStore(tmp_path))
    image = only(registry("sources")["fits"].open(store, "units.fits"))
    before = store.count
    image[5:7, 100:110]
    assert store.count - before == 2 * 10 * 4


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    data = bytearray(imagecodecs.avif_encode(COLOURS, level=100, speed=9))
    for at in range(len(data)):
        if data[at : at + 4] == b"ispe":
            data[at + 8 : at + 16] = (65535).to_bytes(4, "big") * 2
    (tmp_path / "still.avif").write_bytes(data)
    with pytest.raises(Unreadable, match="over the limit"):
        opened(tmp_path / "still.avif")
    (tmp_path / "still.jxl").write_bytes(b"\xff\x0a" + b"\xfe" * 40)
    with pytest.raises(Unreadable, match=r"over the limit|not supported|cut off"):
        opened(tmp_path / "still.jxl")


FEW = {"avif": ("still.avif", "moving.avif"), "jpegxl": ("still.jxl",), "radiance": ("light.hdr",)}
HOSTILE = [*(name for names in FEW.values() for name in names), "units.fits", "layers.exr"]


@pytest.mark.parametrize("name", HOSTILE)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), min_size=1, max_size=4), cut=st.floats(0, 2)
)
def test_hostile_headers(name: str, changes: list[tuple[int, int]], cut: float, tmp_path: Path) -> None:
    good = tmp_path / f"good-{name}"
    write: Callable[[Path], None] = next(files[name] for files in SAMPLES.values() if name in files)
    if not good.exists():
        write(good)
    data = bytearray(good.read_bytes())
    for at, value in changes:
        data[at % len(data)] = value
    (tmp_path / name).write_bytes(data[: int(len(data) * min(cut, 1))])
    try:
        images = opened(tmp_path / name).images
        for image in images.values():
            # Decoders of native code run in a process of their own: what they raise becomes Unreadable there.
            if name not in ("layers.exr", "still.jxl"):
                size = int(np.prod(image.shape, dtype=object))
                assert size < 1 << 24 or image.levels[0].chunk_shape != image.shape
    except (DiascopeError, ValueError):
        return


def test_pictures_without_a_size_are_refused(tmp_path: Path) -> None:
    (tmp_path / "still.avif").write_bytes(b"\0\0\0\x10ftypavif\0\0\0\0" + b"\0\0\0\x08free")
    with pytest.raises(Unreadable, match="how large"):
        opened(tmp_path / "still.avif")


def test_pillow_writes_what_is_read(tmp_path: Path) -> None:
    buffer = BytesIO()
    PIL.Image.fromarray(COLOURS[..., 0]).save(buffer, "AVIF", quality=100)
    (tmp_path / "still.avif").write_bytes(buffer.getvalue())
    image = only(opened(tmp_path / "still.avif"))
    assert np.abs(image[...].astype(int) - COLOURS[..., 0]).max() < 40
