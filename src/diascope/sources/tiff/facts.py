"""What each of the formats made of TIFF says of its images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from diascope.image.metadata import LARGEST_PROFILE, Metadata
from diascope.sources.reading.xml import parsed_xml
from diascope.sources.tiff import imagej, microscopes, ome, slides
from diascope.sources.tiff.parsed import Parsed
from diascope.sources.tiff.resolution import physical
from diascope.sources.tiff.scene import Facts

Reader: TypeAlias = Callable[[Parsed, Any], Facts]

READERS: dict[str, Reader] = {
    "imagej": imagej.facts,
    "svs": slides.svs,
    "ndpi": slides.ndpi,
    "scn": slides.scn,
    "qpi": slides.qptiff,
    "lsm": microscopes.lsm,
    "stk": microscopes.stk,
    "sis": microscopes.sis,
}

FLAGS: dict[str, Reader] = {
    "is_sis": microscopes.sis,
    "is_fei": microscopes.fei,
    "is_sem": microscopes.sem,
}
"""Formats that keep their pages as plain TIFF does."""

INTER_COLOUR_PROFILE = 34675
PALETTE = 256
"""Colours of the longest palette that is told."""


def facts_of(file: Parsed, series: list[Any]) -> list[Facts]:
    """For each series of a file what is known of it."""
    if series[0].kind == "ome":
        known = _ome(file, series)
    else:
        reader = READERS.get(series[0].kind) or next(
            (read for flag, read in FLAGS.items() if getattr(file.tiff, flag, False)), plain
        )
        known = [_read(reader, file, each) for each in series]
    return [with_tags(facts, each.keyframe) for facts, each in zip(known, series, strict=True)]


def _read(reader: Reader, file: Parsed, series: Any) -> Facts:
    """What a reader finds; a vendor's oddity that it cannot understand costs the facts and not the pixels."""
    try:
        return reader(file, series)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return plain(file, series)


def plain(file: Parsed, series: Any) -> Facts:
    """Of a TIFF file that no microscope claims."""
    variant = "BigTIFF" if file.tiff.is_bigtiff else "TIFF"
    description = "" if series.kind == "shaped" else series.keyframe.description
    return Facts(spacing=physical(series.keyframe), metadata=Metadata(format=variant, description=description))


def _ome(file: Parsed, series: list[Any]) -> list[Facts]:
    root = parsed_xml(file.tiff.ome_metadata, file.path)
    sizes = [(each.name, each.keyframe.imagewidth, each.keyframe.imagelength) for each in series]
    unknown = Facts(metadata=Metadata(format="OME-TIFF"))
    return [ome.facts(root, element) if element is not None else unknown for element in ome.matching(root, sizes)]


def with_tags(facts: Facts, keyframe: Any) -> Facts:
    """With what the tags of every TIFF tell: how values are meant, which pixels alone do not show."""
    extra: dict[str, Any] = {
        "photometric": getattr(keyframe.photometric, "name", str(keyframe.photometric)),
        "compression": getattr(keyframe.compression, "name", str(keyframe.compression)),
    }
    if keyframe.nodata:
        extra["nodata"] = float(keyframe.nodata)
    extra = {**facts.metadata.extra, **extra}
    metadata = replace(facts.metadata, extra=extra, palette=_palette(keyframe), icc=_profile(keyframe))
    return replace(facts, metadata=metadata)


def _profile(keyframe: Any) -> bytes | None:
    """The colour profile (ICC.1, B.4), None where there is none, or a broken one."""
    tag = keyframe.tags.get(INTER_COLOUR_PROFILE)
    if tag is None or not 0 < tag.count <= LARGEST_PROFILE:
        return None
    value = tag.value
    return value if isinstance(value, bytes) else None


def _palette(keyframe: Any) -> tuple[str, ...]:
    """The colour of each value as ``rrggbb``, which the pixels are indices of."""
    colours = keyframe.colormap
    if colours is None or colours.ndim != 2 or len(colours) != 3 or colours.shape[1] > PALETTE:
        return ()
    return tuple(f"{red >> 8:02x}{green >> 8:02x}{blue >> 8:02x}" for red, green, blue in colours.T.tolist())
