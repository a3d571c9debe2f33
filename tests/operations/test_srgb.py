"""Colour profiles are found in files, and applied as LittleCMS and their own formulas do it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Pictures
from PIL import ImageCms

import diascope
from diascope.errors import Unreadable, Unsupported
from diascope.image.image import Image
from diascope.image.metadata import LARGEST_PROFILE, Metadata
from diascope.image.region import Region
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen
from tests.operations.profiles import in_srgb, profile

WIDE = profile()
PIXELS = noise((40, 51, 3), np.uint8, 256)


def profiled(icc: bytes | None = WIDE, pixels: np.ndarray = PIXELS) -> Image:
    image = pictured(np.moveaxis(pixels, -1, 0), "cyx", kind="rgb", levels=2)
    return replace(image, metadata=Metadata(icc=icc))


def test_colours_are_those_of_the_formulas():
    got = seen("srgb", profiled()).transpose(1, 2, 0)
    different = np.abs(got - in_srgb(PIXELS))
    # Dark colours are steep: an 8-bit step of one space is several of the other's finest.
    assert np.percentile(different, 99) <= 1
    assert different.max() <= 3
    assert np.abs(got.astype(int) - PIXELS).max() > 30


@pytest.mark.parametrize("intent", ["perceptual", "relative", "saturation", "absolute"])
def test_they_are_those_of_pillow(intent):
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(BytesIO(WIDE)),
        ImageCms.createProfile("sRGB"),
        "RGB",
        "RGB",
        ImageCms.Intent(("perceptual", "relative", "saturation", "absolute").index(intent)),
    )
    expected = np.asarray(ImageCms.applyTransform(Pictures.fromarray(PIXELS), transform))
    text = f"srgb,intent={intent}" if intent != "perceptual" else "srgb"
    np.testing.assert_array_equal(seen(text, profiled()).transpose(1, 2, 0), expected)


def test_any_part_is_the_same_in_any_thread():
    image = view("srgb").applied(profiled())
    whole = image[...]
    assert image.metadata.icc is None
    boxes = [Region((c, y, y), (c + 1 + y % (3 - c), y + 7, y + 9)) for c in range(3) for y in range(30)]
    with ThreadPoolExecutor(8) as pool:
        for box, part in zip(boxes, pool.map(image.levels[0].read, boxes), strict=True):
            np.testing.assert_array_equal(part, whole[box.slices])
    assert image.levels[0].read(Region((1, 2, 3), (1, 9, 9))).shape == (0, 7, 6)


def test_opacity_is_kept():
    pixels = np.concatenate([PIXELS, PIXELS[..., :1]], axis=-1)
    image = view("srgb").applied(profiled(pixels=pixels))
    np.testing.assert_array_equal(image[:3], seen("srgb", profiled()))
    np.testing.assert_array_equal(image[3], PIXELS[..., 0])
    np.testing.assert_array_equal(image[2:], np.stack([seen("srgb", profiled())[2], PIXELS[..., 0]]))


def test_without_a_profile_colours_stay():
    image = profiled(None)
    assert view("srgb").applied(image) is image


def test_what_makes_another_picture_has_no_profile_any_more():
    assert view("select,axis=c,index=0~colormap,name=gray").applied(profiled()).metadata.icc is None
    assert view("select,axis=c,index=0~render").applied(profiled()).metadata.icc is None
    assert view("render").applied(profiled()).metadata.icc == WIDE


def test_what_has_no_such_colours_is_refused_with_the_way_out():
    with pytest.raises(Unsupported, match="no rgb image"):
        seen("srgb", pictured(noise((4, 5)), "yx"))
    with pytest.raises(Unsupported, match=r"cast,dtype=uint8,how=scale"):
        view("srgb").applied(profiled(pixels=PIXELS.astype(np.uint16)))
    with pytest.raises(Unsupported, match="'CMYK'"):
        view("srgb").applied(profiled(profile(b"CMYK")))


@pytest.mark.parametrize(
    "icc",
    [b"", b"x" * 10, b"x" * 4000, WIDE[:100], WIDE[:-40], WIDE[:128] + b"\xff" * 400, b"\xff" * 4 + WIDE[4:]],
    ids=["empty", "short", "noise", "header", "cut", "tags", "size"],
)
def test_a_profile_that_cannot_be_is_told(icc):
    with pytest.raises((Unreadable, Unsupported), match="colour profile"):
        view("srgb").applied(profiled(icc))


@pytest.mark.parametrize("seed", range(50))
def test_a_broken_profile_is_applied_or_told(seed):
    random = np.random.default_rng(seed)
    broken = bytearray(WIDE)
    for at in random.integers(40, len(broken), 6):
        broken[at] = random.integers(256)
    try:
        seen("srgb", profiled(bytes(broken), PIXELS[:4, :4]))
    except (Unreadable, Unsupported) as error:
        assert "colour profile" in str(error)  # noqa: PT017


@pytest.mark.parametrize("name", ["a.tif", "a.jpg", "a.png", "a.webp", "a.jp2", "deep.png"])
def test_a_file_brings_its_profile(tmp_path: Path, name: str):
    path = tmp_path / name
    if name == "a.tif":
        tifffile.imwrite(path, PIXELS, photometric="rgb", iccprofile=WIDE)
    elif name == "deep.png":
        _deep(path)
    else:
        Pictures.fromarray(PIXELS).save(path, icc_profile=WIDE, quality=95)
    if name == "a.jp2":
        path.write_bytes(_with_profile(path.read_bytes()))
    assert diascope.open(path).metadata.icc == WIDE


def _deep(path: Path) -> None:
    """A PNG of 16 bits with the chunk iCCP."""
    import struct
    import zlib

    import imagecodecs

    data = imagecodecs.png_encode(PIXELS.astype(np.uint16))
    content = b"iCCPwide\0\0" + zlib.compress(WIDE)
    chunk = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    path.write_bytes(data[:33] + chunk + data[33:])


def _with_profile(data: bytes) -> bytes:
    """A JP2 file whose box of colours (I.5.3.3) has a profile in place of a number."""
    import struct

    old = struct.pack(">I4sBBBI", 15, b"colr", 1, 0, 0, 16)
    new = struct.pack(">I4sBBB", 11 + len(WIDE), b"colr", 2, 0, 0) + WIDE
    at = data.index(old)
    header = data.index(b"jp2h") - 4
    size = struct.unpack(">I", data[header : header + 4])[0] + len(new) - len(old)
    return data[:header] + struct.pack(">I", size) + data[header + 4 : at] + new + data[at + len(old) :]


def test_a_profile_too_large_to_be_one_is_left_out(tmp_path: Path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, photometric="rgb", iccprofile=WIDE + bytes(LARGEST_PROFILE))
    assert diascope.open(path).metadata.icc is None
    np.testing.assert_array_equal(diascope.open(path)[...].transpose(1, 2, 0), PIXELS)
