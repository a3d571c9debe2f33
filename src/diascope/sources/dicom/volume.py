"""The image that a stack of slices is."""

from __future__ import annotations

from itertools import product

import numpy as np

from diascope.image.affine import affine
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel
from diascope.image.region import Ints, Region
from diascope.sources.dicom.colours import palette
from diascope.sources.dicom.described import described
from diascope.sources.dicom.slices import Slice
from diascope.sources.dicom.stacks import Stack
from diascope.sources.reading.pictures.indexed import indexed

UNIT = "millimeter"
ORDER = "tzyxc"
"""As frames lie in memory."""


def volume(name: str, stack: Stack) -> Image:
    """Pixels as they are stored; as float32 of what was measured where the slices' scales differ."""
    first = stack.first
    shape, names = _shape(stack)
    spaced = bool(first.spacing)
    units = {axis: UNIT for axis in names if axis in "yx" and spaced}
    if "z" in names and (first.position or first.spacing):
        units["z"] = UNIT
    if "t" in names and stack.interval:
        units["t"] = "second"
    is_applied = _scales_differ(stack)
    metadata = described(stack, is_applied=is_applied)
    image = Image(
        name=name,
        kind="rgb" if "c" in names else "intensity",
        axes=axes_named(names, units),
        levels=(_level(stack, names, shape, is_applied=is_applied),),
        channels=() if "c" in names else (Channel(window=_window(first, is_applied=is_applied)),),
        world=affine(stack.matrix, "scanner") if stack.matrix is not None and spaced else None,
        metadata=metadata,
    )
    if first.frames.stored.photometric == "PALETTE COLOR":
        return indexed(image, palette(first.frames.file.data))
    return image


def _shape(stack: Stack) -> tuple[Ints, str]:
    """The house's order."""
    found = stack.first.frames.stored
    sizes = {"t": len(stack.slices), "z": len(stack.slices[0]), "y": found.rows, "x": found.columns, "c": found.samples}
    names = "".join(axis for axis in "tczyx" if axis in stack.names or axis in "yx" or (axis == "c" and sizes["c"] > 1))
    return tuple(sizes[axis] for axis in names), names


def _scales_differ(stack: Stack) -> bool:
    """Whether one slope and intercept cannot be that of all slices, as in positron emission tomography."""
    return len({each.rescale for row in stack.slices for each in row}) > 1


def _window(first: Slice, *, is_applied: bool) -> tuple[float, float] | None:
    """In stored values; of MONOCHROME1, whose least value is white, from the high to the low."""
    found = first.frames.stored
    inverted = found.photometric == "MONOCHROME1"
    slope, intercept = (1.0, 0.0) if is_applied else first.rescale
    if first.window:
        low, high = ((end - intercept) / slope for end in first.window)
    elif inverted and found.dtype.kind in "iu":
        lowest = -(2.0 ** (found.used - 1)) if found.is_signed else 0.0
        low, high = lowest, lowest + 2.0**found.used - 1
    else:
        return None
    return (high, low) if inverted else (low, high)


def _level(stack: Stack, names: str, shape: Ints, *, is_applied: bool) -> Level:
    first = stack.first
    found = first.frames.stored
    spacing = dict(zip("yx", first.spacing or (1.0, 1.0), strict=True))
    spacing |= {"z": stack.step, "t": stack.interval or 1.0}
    chunk = {"y": first.frames.rows, "x": found.columns, "c": found.samples}
    return Level(
        shape=shape,
        dtype=np.dtype(np.float32) if is_applied else found.dtype,
        chunk_shape=tuple(chunk.get(axis, 1) for axis in names),
        scale=tuple(spacing.get(axis, 1.0) for axis in names),
        translation=(0.0,) * len(names),
        read_pixels=lambda region: _read(stack, names, region, is_applied=is_applied),
    )


def _read(stack: Stack, names: str, region: Region, *, is_applied: bool) -> Pixels:
    found = stack.first.frames.stored
    bounds = dict(zip(names, region.slices, strict=True))
    t, z, y, x = (bounds.get(axis, slice(0, 1)) for axis in "tzyx")
    colours = bounds.get("c", slice(0, 1))
    out = np.empty(
        (t.stop - t.start, z.stop - z.start, y.stop - y.start, x.stop - x.start, colours.stop - colours.start),
        np.float32 if is_applied else found.dtype,
    )
    if out.size:
        for i, k in product(range(out.shape[0]), range(out.shape[1])):
            each = stack.slices[t.start + i][z.start + k]
            plane = each.frames.read(each.index, y)[:, x]
            if is_applied:
                plane = plane * each.rescale[0] + each.rescale[1]
            out[i, k] = plane[..., colours] if plane.ndim > 2 else plane[..., np.newaxis]
    squeezed = out.reshape([n for axis, n in zip(ORDER, out.shape, strict=True) if axis in names])
    here = [axis for axis in ORDER if axis in names]
    return squeezed.transpose([here.index(axis) for axis in names])
