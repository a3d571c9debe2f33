"""BigDataViewer's XML: the views that a dataset has, and where each lies.

https://imagej.net/plugins/bdv/#about-the-bigdataviewer-data-format. A setup is a channel, a view a setup at one time.
What leads from a view's pixels to the world is the product of its transforms, the last of which comes first.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from diascope.image.image import Image
from diascope.image.units import METRES
from diascope.layouts.placement import pixel_affine, pixel_sizes

MICROMETRES = 1000.0
"""In a millimetre."""


def bdv_xml(image: Image, folder: str) -> bytes:
    """The document that leads to an N5 folder beside it."""
    root = ET.Element("SpimData", version="0.2")
    ET.SubElement(root, "BasePath", type="relative").text = "."
    sequence = ET.SubElement(root, "SequenceDescription")
    loader = ET.SubElement(sequence, "ImageLoader", format="bdv.n5", version="1.0")
    ET.SubElement(loader, "n5", type="relative").text = folder
    _add_setups(sequence, image)
    times = ET.SubElement(sequence, "Timepoints", type="range")
    ET.SubElement(times, "first").text = "0"
    ET.SubElement(times, "last").text = str(image.size("t") - 1)
    _add_registrations(root, image)
    ET.SubElement(sequence, "MissingViews")
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"


def _add_setups(parent: ET.Element, image: Image) -> None:
    """A setup for each channel, and what sets them apart."""
    setups = ET.SubElement(parent, "ViewSetups")
    names = [_name(image, k) for k in range(image.size("c"))]
    for k, name in enumerate(names):
        setup = ET.SubElement(setups, "ViewSetup")
        ET.SubElement(setup, "id").text = str(k)
        ET.SubElement(setup, "name").text = name
        ET.SubElement(setup, "size").text = " ".join(str(image.size(axis)) for axis in "xyz")
        voxel = ET.SubElement(setup, "voxelSize")
        ET.SubElement(voxel, "unit").text = "um" if _is_known(image) else "pixel"
        ET.SubElement(voxel, "size").text = _spelled(voxel_size(image))
        ET.SubElement(ET.SubElement(setup, "attributes"), "channel").text = str(k)
    channels = ET.SubElement(setups, "Attributes", name="channel")
    for k, name in enumerate(names):
        channel = ET.SubElement(channels, "Channel")
        ET.SubElement(channel, "id").text = str(k)
        ET.SubElement(channel, "name").text = name


def _name(image: Image, channel: int) -> str:
    """That of a channel, without what XML has no place for."""
    name = image.channels[channel].name if image.channels else ""
    return "".join(letter for letter in name if letter.isprintable()) or f"channel {channel}"


def _add_registrations(root: ET.Element, image: Image) -> None:
    """The same place for every view."""
    registrations = ET.SubElement(root, "ViewRegistrations")
    size = np.diag([*voxel_size(image), 1.0])
    place = _affine(image) @ np.linalg.inv(size)
    transforms = {"calibration": size} if np.allclose(place, np.eye(4)) else {"placement": place, "calibration": size}
    spelled = {name: _spelled(matrix[:3].ravel()) for name, matrix in transforms.items()}
    for time in range(image.size("t")):
        for channel in range(image.size("c")):
            view = ET.SubElement(registrations, "ViewRegistration", timepoint=str(time), setup=str(channel))
            for name, numbers in spelled.items():
                transform = ET.SubElement(view, "ViewTransform", type="affine")
                ET.SubElement(transform, "Name").text = name
                ET.SubElement(transform, "affine").text = numbers


def _is_known(image: Image) -> bool:
    """Whether lengths are."""
    return image.world is not None or all(axis.unit in METRES for axis in image.axes if axis.type == "space")


def voxel_size(image: Image) -> NDArray[np.float64]:
    """Its sides along x, y, z in micrometres, where lengths are known."""
    return pixel_sizes(image) * (MICROMETRES if _is_known(image) else 1.0)


def _affine(image: Image) -> NDArray[np.float64]:
    """From the indices x, y, z of a pixel to its centre, in the same unit."""
    unit = MICROMETRES if _is_known(image) else 1.0
    return np.diag([unit, unit, unit, 1.0]) @ pixel_affine(image)


def _spelled(numbers: NDArray[np.float64]) -> str:
    # Twelve digits: 0.1 µm is no more than that.
    return " ".join(f"{number:.12g}" for number in numbers + 0.0)
