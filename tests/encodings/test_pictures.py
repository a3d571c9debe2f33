"""PNG, JPEG and WebP, read back by Pillow and OpenCV."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from diascope.encodings import jpeg, png, webp
from diascope.errors import Unsupported

Encoded = Callable[[NDArray[Any]], bytes]

SHAPES = [(1, 1), (5, 7), (5, 7, 1), (5, 7, 3), (5, 7, 4), (300, 1, 3)]


def smooth(shape: tuple[int, ...], dtype: Any = np.uint8) -> NDArray[Any]:
    """Pixels that a lossy encoding keeps within a few levels, no axis like another."""
    y, x, *_ = np.indices(shape)
    colours = np.indices(shape)[2] if len(shape) == 3 else 0
    return ((y * 3 + x * 5 + colours * 20) % 200 * (np.iinfo(dtype).max // 255)).astype(dtype)


def opened(data: bytes) -> NDArray[Any]:
    return np.asarray(Image.open(BytesIO(data)))


@pytest.mark.parametrize("shape", SHAPES)
def test_png_keeps_every_pixel_of_8_bits(shape: tuple[int, ...]) -> None:
    pixels = smooth(shape)
    assert np.array_equal(opened(png.encoded(pixels)), pixels.reshape(opened(png.encoded(pixels)).shape))
    assert opened(png.encoded(pixels)).size == pixels.size


@pytest.mark.parametrize("shape", SHAPES)
def test_png_keeps_every_pixel_of_16_bits(shape: tuple[int, ...]) -> None:
    pixels = smooth(shape, np.uint16) + np.uint16(259)
    read = cv2.imdecode(np.frombuffer(png.encoded(pixels), np.uint8), cv2.IMREAD_UNCHANGED)
    assert read is not None
    assert read.dtype == np.uint16
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(shape[-1], [0]) if len(shape) == 3 else None
    seen = read.reshape(shape)[..., order] if order else read
    assert np.array_equal(seen, pixels)


def test_png_keeps_grey_with_opacity() -> None:
    pixels = smooth((5, 7, 2))
    image = Image.open(BytesIO(png.encoded(pixels)))
    assert image.mode == "LA"
    assert np.array_equal(np.asarray(image), pixels)


@pytest.mark.parametrize("encoded", [jpeg.encoded, webp.encoded])
@pytest.mark.parametrize("shape", [(40, 70), (40, 70, 3), (40, 70, 4)])
def test_lossy_encodings_keep_the_picture(encoded: Encoded, shape: tuple[int, ...]) -> None:
    y, x, *_ = np.indices(shape)
    pixels = (y + x + (np.indices(shape)[2] * 20 if len(shape) == 3 else 0)).astype(np.uint8)
    seen = opened(encoded(pixels)).astype(int)
    wanted = pixels.astype(int) if pixels.ndim == seen.ndim else np.repeat(pixels[:, :, None], 3, 2).astype(int)
    assert np.abs(seen[..., :3] - wanted[..., :3]).mean() < 3 if seen.ndim == 3 else np.abs(seen - wanted).mean() < 3


@pytest.mark.parametrize("encoded", [png.encoded, jpeg.encoded, webp.encoded])
def test_any_memory_layout_gives_the_same_bytes(encoded: Encoded) -> None:
    pixels = smooth((9, 13, 3))
    planar = np.ascontiguousarray(pixels.transpose(2, 0, 1)).transpose(1, 2, 0)
    assert encoded(planar) == encoded(pixels) == encoded(np.repeat(pixels, 2, axis=0)[::2])


@pytest.mark.parametrize("encoded", [png.encoded, jpeg.encoded, webp.encoded])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_single_pixel_may_have_any_strides(encoded: Encoded, channels: int) -> None:
    planar = smooth((channels, 1, 1)).transpose(1, 2, 0)
    assert encoded(planar) == encoded(np.array(planar.tolist(), np.uint8))


@pytest.mark.parametrize("encoded", [png.encoded, jpeg.encoded, webp.encoded])
@pytest.mark.parametrize("pixels", [np.zeros((5, 5), np.float32), np.zeros((5, 5, 5), np.uint8), np.zeros(5, np.uint8)])
def test_what_no_picture_can_hold_is_refused(encoded: Encoded, pixels: NDArray[Any]) -> None:
    with pytest.raises(Unsupported):
        encoded(pixels)


def test_jpeg_refuses_16_bits_and_overlong_sides() -> None:
    with pytest.raises(Unsupported, match="uint16"):
        jpeg.encoded(np.zeros((5, 5), np.uint16))
    with pytest.raises(Unsupported, match="65500"):
        jpeg.encoded(np.zeros((1, 65_501), np.uint8))


def test_a_higher_quality_is_truer() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)

    def error(quality: int) -> float:
        return float(np.abs(opened(jpeg.encoded(pixels, quality)).astype(int) - pixels).mean())

    assert error(95) < error(30)
