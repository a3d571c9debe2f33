"""N5 of BigDataViewer: what its XML says, and blocks judged by TensorStore; pybdv judges both in the matrix."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from diascope.image.affine import affine
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, read_whole
from diascope.image.metadata import Channel
from diascope.image.order import moved
from diascope.image.pyramid import with_pyramid
from diascope.layouts.bdv_n5 import layout
from diascope.testing.synthetic import ramp
from diascope.tree.file import Tree
from tests.judges.tensor_store import array as by_tensorstore

FIVE = ramp("tczyx", (2, 3, 4, 30, 21), levels=2, name="five axes")
PLANE = ramp("yx", (37, 53), np.uint8, name="plane")
PYRAMID = with_pyramid(ramp("zyx", (5, 700, 533), np.uint16, chunk_shape=(2, 100, 90), name="pyramid"))
LABELS = ramp("zyx", (5, 37, 53), np.int32, kind="labels", levels=2, name="labels")
TRUTH = ramp("tyx", (2, 30, 21), "bool", name="truth")


def document(image: Image, name: str) -> Any:
    file = layout.tree(image).file(f"{image.name}.bdv.n5/{name}")
    assert file is not None
    return json.loads(file.read(0, None))


def xml(image: Image) -> ET.Element:
    file = layout.tree(image).file(f"{image.name}.bdv.xml")
    assert file is not None
    return ET.fromstring(file.read(0, None))  # noqa: S314 — our own


def text(element: ET.Element, path: str) -> str:
    found = element.find(path)
    assert found is not None, path
    return found.text or ""


def place(image: Image) -> np.ndarray[Any, Any]:
    """The product of the transforms of the first view."""
    found = np.eye(4)
    (registration, *_) = xml(image).iterfind("ViewRegistrations/ViewRegistration")
    for transform in registration:
        assert transform.get("type") == "affine"
        numbers = [float(number) for number in text(transform, "affine").split()]
        found = found @ np.array([*numbers, 0, 0, 0, 1]).reshape(4, 4)
    return found


@pytest.mark.judge
@pytest.mark.parametrize("image", [FIVE, PLANE, PYRAMID, LABELS, TRUTH], ids=lambda image: image.name)
def test_tensorstore_reads_every_view_over_http(image: Image, tree_server: Callable[[Tree], str]) -> None:
    url = f"{tree_server(layout.tree(image))}/data/{image.name.replace(' ', '%20')}.bdv.n5"
    for k, level in enumerate(image.levels):
        pixels = moved(read_whole(level), image.axis_names, "tczyx")
        for time in range(image.size("t")):
            for setup in range(image.size("c")):
                read = by_tensorstore("n5", f"{url}/setup{setup}/timepoint{time}/s{k}")
                np.testing.assert_array_equal(read.T, pixels[time, setup])


def test_the_xml_has_what_bigdataviewer_reads() -> None:
    image = replace(FIVE, channels=(Channel(name="DAPI <1>"), Channel(name="a\x01b"), Channel()))
    root = xml(image)
    assert (root.tag, root.get("version")) == ("SpimData", "0.2")
    assert text(root, "BasePath") == "."
    loader = root.find("SequenceDescription/ImageLoader")
    assert loader is not None
    assert loader.get("format") == "bdv.n5"
    assert text(loader, "n5[@type='relative']") == "five axes.bdv.n5"
    setups = root.findall("SequenceDescription/ViewSetups/ViewSetup")
    assert [text(setup, "id") for setup in setups] == ["0", "1", "2"]
    assert [text(setup, "name") for setup in setups] == ["DAPI <1>", "ab", "channel 2"]
    assert {text(setup, "size") for setup in setups} == {"21 30 4"}
    assert {text(setup, "voxelSize/unit") for setup in setups} == {"um"}
    assert {text(setup, "voxelSize/size") for setup in setups} == {"0.25 0.5 2"}
    assert [text(setup, "attributes/channel") for setup in setups] == ["0", "1", "2"]
    channels = root.findall("SequenceDescription/ViewSetups/Attributes[@name='channel']/Channel")
    assert [text(channel, "name") for channel in channels] == ["DAPI <1>", "ab", "channel 2"]
    assert text(root, "SequenceDescription/Timepoints[@type='range']/last") == "1"
    views = root.findall("ViewRegistrations/ViewRegistration")
    assert [(view.get("timepoint"), view.get("setup")) for view in views] == [
        (time, setup) for time in "01" for setup in "012"
    ]


def test_the_attributes_have_what_bigdataviewer_reads() -> None:
    assert document(PYRAMID, "setup0/attributes.json") == {
        "downsamplingFactors": [[1, 1, 1], [2, 2, 1], [4, 4, 1]],
        "dataType": "uint16",
    }
    level = document(PYRAMID, "setup0/timepoint0/s1/attributes.json")
    assert level["dimensions"] == list(PYRAMID.levels[1].shape[::-1])
    assert level["downsamplingFactors"] == [2, 2, 1]
    assert document(PLANE, "setup0/timepoint0/s0/attributes.json")["dimensions"] == [53, 37, 1]
    assert layout.tree(PYRAMID).file("pyramid.bdv.n5/setup1/attributes.json") is None


def shifted(image: Image, by: tuple[float, ...]) -> Image:
    def level(each: Level) -> Level:
        return replace(each, translation=by)

    return replace(image, levels=tuple(map(level, image.levels)))


def test_pixels_lie_where_they_are() -> None:
    image = shifted(LABELS, (6.0, 20.0, -10.0))
    wanted = np.array([[0.25, 0, 0, -10], [0, 0.5, 0, 20], [0, 0, 2, 6], [0, 0, 0, 1]])
    np.testing.assert_allclose(place(image), wanted)
    np.testing.assert_allclose(place(LABELS), np.diag([0.25, 0.5, 2, 1]))


def test_a_world_is_told_in_micrometres() -> None:
    matrix = np.array([[-1.0, 0.1, 0, 30], [0, 2, 0, -20], [0.2, 0, 3, 10], [0, 0, 0, 1]])
    image = replace(shifted(LABELS, (6.0, 20.0, -10.0)), world=affine(matrix, "scanner"))
    pixel = np.array([7, 11, 3])
    world = matrix @ [*(pixel * [0.25, 0.5, 2] + [-10, 20, 6]), 1]
    np.testing.assert_allclose((place(image) @ [*pixel, 1])[:3], world[:3] * 1000, rtol=1e-9)


def test_other_units_are_said_in_micrometres_and_unknown_ones_not_at_all() -> None:
    inches = replace(LABELS, axes=axes_named("zyx", dict.fromkeys("zyx", "inch")))
    (setup,) = xml(inches).iterfind("SequenceDescription/ViewSetups/ViewSetup")
    assert (text(setup, "voxelSize/unit"), text(setup, "voxelSize/size")) == ("um", "6350 12700 50800")
    unknown = replace(LABELS, axes=axes_named("zyx"))
    (setup,) = xml(unknown).iterfind("SequenceDescription/ViewSetups/ViewSetup")
    assert (text(setup, "voxelSize/unit"), text(setup, "voxelSize/size")) == ("pixel", "0.25 0.5 2")


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (ramp("cyx", (3, 20, 30), np.uint8, kind="rgb"), "colours"),
        (ramp("yx", (3, 4), np.complex64), "complex64"),
        (ramp("tcyx", (60_000, 2, 3, 4)), "too many"),
    ],
)
def test_what_cannot_be_held_is_refused_with_the_reason(image: Image, reason: str) -> None:
    assert reason in (layout.refuses(image) or "")
    assert "OME-Zarr" in (layout.refuses(image) or "")
