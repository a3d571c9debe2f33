"""What each of the formats made of TIFF says of its images."""

from __future__ import annotations

from typing import Any

from diascope.image.metadata import Metadata
from diascope.sources.tiff import ome
from diascope.sources.tiff.parsed import Parsed
from diascope.sources.tiff.scene import Facts
from diascope.sources.tiff.xml import parsed_xml


def facts_of(file: Parsed, series: list[Any]) -> list[Facts]:
    """For each series of a file what is known of it."""
    kind = series[0].kind
    if kind == "ome":
        return _ome(file, series)
    return [Facts(metadata=Metadata(format="TIFF"))] * len(series)


def _ome(file: Parsed, series: list[Any]) -> list[Facts]:
    root = parsed_xml(file.tiff.ome_metadata, file.path)
    sizes = [(each.name, each.keyframe.imagewidth, each.keyframe.imagelength) for each in series]
    plain = Facts(metadata=Metadata(format="OME-TIFF"))
    return [ome.facts(root, element) if element is not None else plain for element in ome.matching(root, sizes)]
