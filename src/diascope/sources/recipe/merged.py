"""Channels of several files, and images put together along an axis that they have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.metadata import Channel
from diascope.image.region import Ints
from diascope.sources.recipe.joined import Along, joined, place_of
from diascope.sources.recipe.model import ChannelFile, Channels, Concatenate
from diascope.sources.recipe.parts import Parts, fitted, on_grid
from diascope.sources.recipe.planned import Planned

COLOURS = (("red", "ff0000"), ("green", "00ff00"), ("blue", "0000ff"), ("opacity", "ffffff"))


def channels(recipe: Channels, parts: Parts) -> Image:
    """The channels of all files, one behind the other, in the pixels of the first one."""
    images = [_with_channels(parts.raw(part)) for part in parts.known.plan.parts]
    template = images[0]
    fit: list[Image] = []
    for part, image in zip(parts.known.plan.parts, images, strict=True):
        if image.kind == "labels":
            raise parts.wrong(part, "labels are no channel: an overlay puts them on a picture")
        if recipe.resample and image is not template:
            parts.alike(part, image, template, apart="c", placed=True)
            fit.append(_resampled(recipe, image, template))
        else:
            parts.alike(part, image, template, apart="c")
            fit.append(_fitted(image, template.levels, "c"))
    named = [
        channel
        for part, told, image in zip(parts.known.plan.parts, recipe.channels, fit, strict=True)
        for channel in _named(parts, part, told, image.channels or (Channel(),) * image.size("c"))
    ]
    return replace(_end_to_end(fit, "c"), channels=tuple(named))


def _with_channels(image: Image) -> Image:
    """The image with an axis of channels; colours are channels like others."""
    if "c" in image.axis_names:
        if image.kind != "rgb":
            return image
        told = tuple(Channel(name=name, colour=colour) for name, colour in COLOURS[: image.size("c")])
        return replace(image, kind="intensity", channels=told)
    at = place_of("c", image.axis_names)
    along = Along(Axis("c"), at, 1.0, 0.0, 1, (0,), (1,), (0,), added=True)
    return replace(joined(image, along, lambda _: image.levels, 0), channels=image.channels or (Channel(),))


def _fitted(image: Image, levels: tuple[Level, ...], axis: str) -> Image:
    """The image at such levels, but for its own length along an axis."""
    like = fitted(image, levels, (image.axis_names.index(axis),))
    return replace(image, levels=tuple(like[k] for k in range(len(levels))))


def _resampled(recipe: Channels, image: Image, template: Image) -> Image:
    """The image in the pixels of another one, by position; its channels are its own."""
    at = template.axis_names.index("c")

    def like(level: Level) -> Level:
        shape: Ints = (*level.shape[:at], image.shape[at], *level.shape[at + 1 :])
        return on_grid(image, replace(level, shape=shape), interpolation=recipe.interpolation)

    return replace(image, axes=template.axes, levels=tuple(map(like, template.levels)))


def _named(parts: Parts, part: Planned, told: ChannelFile, own: Sequence[Channel]) -> Iterator[Channel]:
    if len(own) > 1 and (told.name or told.colour):
        raise parts.wrong(part, f"it has {len(own)} channels, so that one name or colour does not do")
    for channel in own:
        yield replace(channel, name=told.name or channel.name, colour=told.colour or channel.colour)


def concatenate(recipe: Concatenate, parts: Parts) -> Image:
    """The images one behind the other; each begins where the one before ends."""
    images = [parts.raw(part) for part in parts.known.plan.parts]
    template = images[0]
    if recipe.axis not in template.axis_names:
        raise parts.wrong(parts.first, f"it has no axis {recipe.axis}, only {template.axis_names!r}")
    if recipe.axis == "c" and template.kind != "intensity":
        raise parts.wrong(parts.first, f"it is {template.kind}, which has no channels to put together")
    for part, image in zip(parts.known.plan.parts, images, strict=True):
        parts.alike(part, image, template, apart=recipe.axis)
    at = template.axis_names.index(recipe.axis)
    whole = [level for k, level in enumerate(template.levels) if not k or _adds_up(images, k, at)]
    return _end_to_end([_fitted(image, tuple(whole), recipe.axis) for image in images], recipe.axis)


def _adds_up(images: Sequence[Image], k: int, at: int) -> bool:
    """Whether pixels of level k lie in the whole as they would in its own: no part but the last ends within one."""
    for image in images[:-1]:
        if k >= len(image.levels):
            return False
        finest, level = image.levels[0], image.levels[k]
        if abs(level.shape[at] * level.scale[at] / finest.scale[at] - finest.shape[at]) > 1e-6:
            return False
    return len(images[-1].levels) > k


def _end_to_end(images: Sequence[Image], axis: str) -> Image:
    """Images with like levels along an axis that they have; level by level, for their lengths differ there."""
    first = images[0]
    at = first.axis_names.index(axis)

    def level(k: int) -> Level:
        sizes = tuple(image.levels[k].shape[at] for image in images)
        starts = (0, *accumulate(sizes[:-1]))
        own = first.levels[k]
        along = Along(
            axis=first.axes[at],
            at=at,
            spacing=own.scale[at],
            first=own.translation[at],
            length=sum(sizes),
            starts=starts,
            sizes=sizes,
            places=tuple(range(len(images))),
            added=False,
        )
        return joined(first, along, lambda j: images[j].levels, 0).levels[k]

    known = all(len(image.channels) == image.size("c") for image in images)
    told = tuple(channel for image in images for channel in image.channels) if axis == "c" else first.channels
    return replace(
        first,
        levels=tuple(map(level, range(len(first.levels)))),
        channels=told if axis != "c" or known else (),
        world=first.world,
    )
