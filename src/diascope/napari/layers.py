"""An image as layers of napari: tuples of data, arguments and type.

https://napari.org/stable/plugins/building_a_plugin/guides.html#layer-data-tuples
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, prod
from typing import Any, TypeAlias

from diascope.errors import TooLarge, Unsupported
from diascope.image.image import Image
from diascope.image.metadata import Channel
from diascope.image.pyramid import binning, halved
from diascope.layouts.ome_windows import windows
from diascope.napari.lazy_array import LazyArray, lazy_array
from diascope.napari.placement import Placement, placement
from diascope.operations.palette import channel_colours

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
Arguments: TypeAlias = dict[str, Any]

BLACK = (0.0, 0.0, 0.0)

MOST = 1 << 31
"""How many stored pixels may lie behind a plane of the coarsest level, which napari reads whole for its thumbnail."""


def layers(image: Image, address: str, *, visible: bool = True) -> list[LayerData]:
    """A layer for each channel, or one for a picture in colours; labels are labels.

    No pixel is read but for contrast limits that nobody has set: then some of a coarse level. ``address`` is kept in
    the layers' metadata. Raises Unsupported for pixels that napari does not show, and TooLarge without a pyramid.
    """
    if image.dtype.kind not in "biuf":
        raise Unsupported(f"napari shows no pixels of the type {image.dtype.name}: open the view window, of uint8")
    _check_cost(image)
    placed = placement(image)
    common = {**placed.arguments, "visible": visible, "metadata": {"diascope": address}}
    if image.kind == "rgb":
        data = [lazy_array(level, (*placed.order, image.axis_names.index("c"))) for level in image.levels]
        return [(*_multiscale(data, {**common, "name": image.name, "rgb": True}), "image")]
    if palette := _palette(image):
        data = _levels(image, placed, 0)
        return [(*_multiscale(data, {**common, **palette, "name": image.name, "rgb": False}), "image")]
    return _labels(image, placed, common) if image.kind == "labels" else _channels(image, placed, common)


def _check_cost(image: Image) -> None:
    coarsest = image.levels[-1]
    cost = prod(coarsest.shape[-2:]) * prod(coarsest.chunk_shape[:-2]) * coarsest.cost
    if cost > MOST:
        raise TooLarge(
            f"{image.name} has no pyramid, and napari would read all of its {cost:.2g} pixels, over the limit of "
            f"{MOST}: open a part of it by a view, such as crop,x=0..10000,y=0..10000"
        )


def _labels(image: Image, placed: Placement, common: Arguments) -> list[LayerData]:
    """Of several levels, which napari does not let anybody paint on."""
    if len(image.levels) == 1:
        made = halved(image.levels[0], binning(image.axes, image.levels[0]), "labels")
        image = replace(image, levels=(*image.levels, made))
    names = [_name(image, channel, number) for number, channel in enumerate(_known_channels(image))]
    return [
        (*_multiscale(_levels(image, placed, number), {**common, "name": name}), "labels")
        for number, name in enumerate(names)
    ]


def _channels(image: Image, placed: Placement, common: Arguments) -> list[LayerData]:
    channels = _known_channels(image)
    colours = channel_colours(channels)
    made: list[LayerData] = []
    for number, window in enumerate(windows(image)):
        name = _name(image, channels[number], number)
        shown = _contrast(colours[number], window)
        arguments = {**common, **shown, "name": name, "blending": "additive", "rgb": False}
        made.append((*_multiscale(_levels(image, placed, number), arguments), "image"))
    return made


def _known_channels(image: Image) -> tuple[Channel, ...]:
    return tuple(image.channels[k] if k < len(image.channels) else Channel() for k in range(image.size("c")))


def _levels(image: Image, placed: Placement, channel: int) -> list[LazyArray]:
    fixed = {image.axis_names.index("c"): channel} if "c" in image.axis_names else {}
    return [lazy_array(level, placed.order, fixed) for level in image.levels]


def _multiscale(data: list[LazyArray], arguments: Arguments) -> tuple[Any, Arguments]:
    return (data if len(data) > 1 else data[0]), {**arguments, "multiscale": len(data) > 1}


def _name(image: Image, channel: Channel, number: int) -> str:
    """The channel first: napari cuts long names off at their end."""
    if image.size("c") == 1:
        return image.name
    return f"{channel.name or f'channel {number}'} · {image.name}"


def _contrast(colour: tuple[int, int, int], window: tuple[float, float]) -> Arguments:
    """From black to a colour; a window whose ends are exchanged shows the image inverted."""
    low, high = sorted(window) if all(map(isfinite, window)) else (0.0, 1.0)
    bright = tuple(part / 255 for part in colour)
    colours = (bright, BLACK) if window[0] > window[1] else (BLACK, bright)
    name = "#{:02x}{:02x}{:02x}".format(*colour)
    colormap: Any = "gray" if colours == (BLACK, (1.0, 1.0, 1.0)) else name
    if colours[1] == BLACK:
        colormap = {"colors": colours, "name": f"{name} inverted"}
    return {"colormap": colormap, "contrast_limits": (low, high if high > low else low + 1)}


def _palette(image: Image) -> Arguments | None:
    """Each index of a palette in its own colour, None where there is no palette."""
    palette = image.metadata.palette
    if len(palette) < 2 or image.dtype.kind != "u" or "c" in image.axis_names:
        return None
    colours = [tuple(part / 255 for part in bytes.fromhex(colour)) for colour in palette]
    edges = [k / len(palette) for k in range(len(palette) + 1)]
    colormap = {"colors": colours, "controls": edges, "interpolation": "zero", "name": f"palette of {image.name}"}
    return {"colormap": colormap, "contrast_limits": (-0.5, len(palette) - 0.5)}
