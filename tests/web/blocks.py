"""Pictures that no flip, transposition or shift leaves alike, and the comparison of a screenshot with one."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

Picture = NDArray[np.uint8]

NEAR = 6.0
"""Mean absolute difference of grey values up to which two pictures are the same: resampled edges, JPEG."""

FAR = 14.0
"""What a picture that is not the same differs by at the least."""


def blocks(shape: tuple[int, ...], block: int, seed: int) -> NDArray[np.float64]:
    """Blocks of random values from 0 to 1, a good part of them 0 and a good part 1."""
    cells = tuple(-(-n // block) for n in shape)
    values = np.clip(np.random.default_rng(seed).uniform(-0.3, 1.3, cells), 0, 1)
    for axis in range(len(shape)):
        values = values.repeat(block, axis)
    return values[tuple(slice(0, n) for n in shape)]


def grey(values: NDArray[np.float64]) -> Picture:
    return np.round(values * 255).astype(np.uint8)


def screenshot(png: bytes) -> Picture:
    return np.asarray(Image.open(BytesIO(png)).convert("L"))


def difference(seen: Picture, expected: Picture) -> float:
    """Of the mean, the seen one brought to the size of the expected one."""
    height, width = expected.shape
    there = cv2.resize(seen, (width, height), interpolation=cv2.INTER_AREA)
    return float(np.abs(there.astype(float) - expected).mean())


def twins(expected: Picture, shift: int) -> Iterator[tuple[str, Picture]]:
    """What a wrong picture would look like."""
    height, width = expected.shape
    yield "upside down", expected[::-1]
    yield "mirrored", expected[:, ::-1]
    yield "turned", np.rot90(expected, 2)
    yield "transposed", cv2.resize(np.ascontiguousarray(expected.T), (width, height), interpolation=cv2.INTER_NEAREST)
    yield "shifted down", np.roll(expected, shift, 0)
    yield "shifted right", np.roll(expected, shift, 1)
    yield "inverted", 255 - expected
    yield "black", np.zeros_like(expected)


def assert_shows(seen: Picture, expected: Picture, shift: int) -> None:
    """The picture is seen, and none of its twins is."""
    assert difference(seen, expected) < NEAR
    for name, twin in twins(expected, shift):
        assert difference(seen, twin) > FAR, f"the comparison would take the picture {name} for right"


def seen_picture(page: Page) -> Picture:
    """The image in the live view: square, as large as the stage is high, in the middle of it."""
    expect(page.locator(".picture[data-state=loaded]")).to_be_visible()
    page.wait_for_timeout(700)  # the tiles blend in
    stage = screenshot(page.locator(".picture").screenshot())
    height, width = stage.shape
    left = (width - height) // 2
    return stage[:, left : left + height]
