"""What every operation must keep; a plug-in's tests call ``check_operation`` with its record.

It is shown by its own examples, which are applied to small images of all kinds. Each image is either refused with a
sentence, or its result is what it says it is: tiles equal the whole bit for bit, no pixel is read before it is asked
for, no pixel of the source is written to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from diascope.errors import BadRequest, Unsupported
from diascope.image.image import Image, Kind
from diascope.image.level import Level, Pixels, read_whole
from diascope.image.pyramid import halved
from diascope.image.region import Ints, Region, chunk_region, grid_shape
from diascope.operations.operation import Images, Operation, no_files, no_images
from diascope.operations.view import View, view
from diascope.testing.synthetic import ramp

IMAGES: tuple[tuple[str, str, Ints, str, Kind], ...] = (
    ("bytes", "yx", (43, 61), "u1", "intensity"),
    ("slide", "cyx", (3, 47, 58), "u1", "rgb"),
    ("deep colours", "czyx", (4, 4, 41, 45), "u2", "rgb"),
    ("fluorescence", "cyx", (2, 44, 57), "u2", "intensity"),
    ("time-lapse", "tczyx", (3, 2, 5, 41, 46), "u2", "intensity"),
    ("tomogram", "zyx", (7, 45, 53), "i2", "intensity"),
    ("counts", "tzyx", (2, 4, 43, 44), "u4", "intensity"),
    ("field", "zyx", (6, 42, 49), "f4", "intensity"),
    ("precise", "cyx", (2, 44, 51), "f8", "intensity"),
    ("wave", "yx", (43, 47), "c8", "intensity"),
    ("mask", "zyx", (4, 45, 43), "?", "intensity"),
    ("segmentation", "zyx", (6, 43, 52), "u4", "labels"),
    ("cells", "tyx", (3, 44, 47), "u2", "labels"),
)
"""Name, axes, shape, type and kind of the images that operations are tried on."""


def images() -> Iterator[Image]:
    """Small images of three levels, of which the coarser are reduced as pyramids are, planes included."""
    for name, axes, shape, dtype, kind in IMAGES:
        base = _untidy(ramp(axes, shape, dtype, chunk_shape=_chunks(axes), kind=kind, name=name))
        levels = [base.levels[0]]
        for _ in range(2):
            factors = tuple(2 if name in "zyx" and size > 1 else 1 for name, size in zip(axes, shape, strict=True))
            levels.append(halved(levels[-1], factors, kind))
        yield replace(base, levels=tuple(map(_guarded, levels)))


def _chunks(axes: str) -> Ints:
    return tuple({"t": 1, "c": 4, "z": 2, "y": 16, "x": 24}[name] for name in axes)


def _untidy(image: Image) -> Image:
    """The image with values that no formula of a filter foresees: noise, and in floats NaN and infinities."""
    level = image.levels[0]
    pixels = np.array(read_whole(level))
    noise = np.random.default_rng(0)
    if pixels.dtype.kind in "fc":
        pixels += (noise.standard_normal(pixels.shape) * 100).astype(pixels.dtype)
        strange = [np.nan, np.inf, -np.inf, 1e30] if pixels.dtype.kind == "f" else [1e30]
        for k, value in enumerate(strange):
            pixels.flat[k * (pixels.size // len(strange))] = value
    elif pixels.dtype.kind in "iu" and image.kind == "intensity":
        pixels ^= noise.integers(0, 200, pixels.shape).astype(pixels.dtype)
    return replace(image, levels=(replace(level, read_pixels=lambda region: pixels[region.slices]),))


def _guarded(level: Level) -> Level:
    """The level giving pixels that cannot be written to, of which every other piece lies in memory column by column."""

    def read_pixels(region: Region) -> Pixels:
        pixels: Pixels = level.read_pixels(region)
        pixels = np.asfortranarray(pixels) if sum(region.start) % 2 else np.ascontiguousarray(pixels)
        pixels = pixels.view()
        pixels.flags.writeable = False
        return pixels

    return replace(level, read_pixels=read_pixels)


def check_operation(operation: Operation[Any], seed: int = 0, beside: Images = no_images) -> None:
    """Raise AssertionError where an operation breaks its promises.

    ``beside`` gives the images that its examples name.
    """
    check_documented(operation)
    for text in operation.examples:
        check_spelling(text)
        outcomes = [check_view(view(text), image, seed + k, beside) for k, image in enumerate(images())]
        assert any(outcomes), f"{text}: no image was accepted"


def check_documented(operation: Operation[Any]) -> None:
    """Every parameter is described, and there are examples."""
    assert operation.title, operation.name
    assert operation.apply.__doc__, f"{operation.name}: its function says nothing of the result"
    assert operation.examples, f"{operation.name}: it has no examples"
    for name, field in operation.parameters.model_fields.items():
        assert field.description, f"{operation.name}: {name} has no description"
        assert field.description.endswith("."), f"{operation.name}: the description of {name} is no sentence"


def check_spelling(text: str) -> None:
    """The text is canonical, and parameters in another order are spelled like it."""
    steps = view(text)
    assert str(steps) == text, f"{text} is spelled {steps}"
    for step in steps.steps:
        name, *pairs = str(step).split(",")
        assert str(view(",".join([name, *reversed(pairs)]))) == str(step)


def check_view(steps: View, image: Image, seed: int = 0, beside: Images = no_images) -> bool:
    """Whether the image is accepted; raises AssertionError where the result is not what it must be."""
    try:
        settled = steps.settled(image, no_files, beside)
        result = settled.applied(_untouchable(image))
    except (BadRequest, Unsupported) as error:
        assert len(str(error).split()) > 3, f"{steps} of {image.name}: {error!r} is no reason"  # noqa: PT017
        return False
    if steps.may_look:
        check_spelling(str(settled))
    result = settled.applied(image)
    check_described(result)
    for k, level in enumerate(result.levels):
        check_tiles(level, f"{steps} of {image.name}, level {k}", np.random.default_rng(seed))
    return True


def _untouchable(image: Image) -> Image:
    def read_pixels(region: Region) -> Pixels:
        raise AssertionError(f"{image.name}: pixels of {region} were read before they were asked for")

    return replace(image, levels=tuple(replace(level, read_pixels=read_pixels) for level in image.levels))


def check_described(image: Image) -> None:
    """The fields of an image agree with one another."""
    rank, count = len(image.axes), image.size("c")
    assert image.levels
    assert len(image.channels) in {0, count}, f"{len(image.channels)} channels are described, {count} are there"
    assert image.kind != "rgb" or count in {3, 4}
    assert image.kind != "labels" or image.dtype.kind in "iu"
    for level in image.levels:
        ranks = {len(level.shape), len(level.chunk_shape), len(level.scale), len(level.translation)}
        assert ranks == {rank}, f"a level's fields do not fit its axes {image.axis_names}"
        assert all(isinstance(size, int) and size > 0 for size in (*level.shape, *level.chunk_shape))
        assert level.dtype == image.dtype
        assert level.dtype.isnative
    for finer, coarser in zip(image.levels, image.levels[1:], strict=False):
        assert all(map(_at_most, coarser.shape, finer.shape)), "a coarser level is larger than the finer one"


def _at_most(size: int, other: int) -> bool:
    return size <= other


def check_tiles(level: Level, what: str, random: np.random.Generator) -> None:
    """Read in tiles of random shapes, and pixel by pixel here and there, a level equals what it is read whole."""
    expected = read_whole(level)
    assert expected.shape == level.shape, f"{what}: {expected.shape} pixels of {level.shape} were read"
    assert expected.dtype == level.dtype, f"{what}: {expected.dtype} was read and {level.dtype} said"
    for _ in range(2):
        tile = tuple(int(random.integers(max(1, size // 3), size + 1)) for size in level.shape)
        for index in np.ndindex(*grid_shape(level.shape, tile)):
            _check_region(level, chunk_region(index, tile).clipped(level.shape), expected, what)
    for _ in range(5):
        start = tuple(int(random.integers(0, size)) for size in level.shape)
        _check_region(level, Region(start, tuple(i + 1 for i in start)), expected, what)


def _check_region(level: Level, region: Region, expected: Pixels, what: str) -> None:
    pixels = level.read(region)
    assert pixels.shape == region.shape, f"{what}: {region} was read as {pixels.shape}"
    assert pixels.dtype == level.dtype, f"{what}: {region} was read as {pixels.dtype}"
    assert pixels.tobytes() == expected[region.slices].tobytes(), f"{what}: {region} differs from the whole"
