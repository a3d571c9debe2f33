"""Images as layers, without napari: what is in the tuples."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
import pytest

from diascope.errors import TooLarge, Unsupported
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel, Metadata
from diascope.image.pyramid import with_pyramid
from diascope.image.region import Region
from diascope.napari.layers import layers
from diascope.testing.synthetic import ramp

CHANNELS = (
    Channel(name="DAPI", colour="0060ff", window=(10, 500)),
    Channel(colour="ff5000", window=(900, 100)),
    Channel(name="white", colour="ffffff", window=(7, 7)),
)


def of(image: Image, **options: Any) -> list[tuple[Any, dict[str, Any], str]]:
    return layers(image, "somewhere", **options)


def test_each_channel_is_a_layer_with_its_name_colour_and_limits() -> None:
    image = replace(ramp("tczyx", (2, 3, 4, 300, 310), levels=2), channels=CHANNELS)
    found = of(image)
    assert [kind for _, _, kind in found] == ["image"] * 3
    first, second, third = (arguments for _, arguments, _ in found)
    assert [each["name"] for each in (first, second, third)] == ["DAPI · ramp", "channel 1 · ramp", "white · ramp"]
    assert (first["colormap"], first["contrast_limits"]) == ("#0060ff", (10, 500))
    assert second["contrast_limits"] == (100, 900)
    assert np.allclose(second["colormap"]["colors"], [(1, 0x50 / 255, 0), (0, 0, 0)]), "exchanged ends invert"
    assert (third["colormap"], third["contrast_limits"]) == ("gray", (7, 8))
    for number, (data, arguments, _) in enumerate(found):
        assert arguments["blending"] == "additive"
        assert arguments["rgb"] is False
        assert arguments["axis_labels"] == ("t", "z", "y", "x")
        assert arguments["metadata"] == {"diascope": "somewhere"}
        assert [level.shape for level in data] == [(2, 4, 300, 310), (2, 4, 150, 155)]
        assert np.array_equal(np.asarray(data[0][1, 2]), image[1, number, 2])


def test_channels_without_colours_have_those_that_render_gives_them() -> None:
    assert [arguments["colormap"] for _, arguments, _ in of(ramp("cyx", (3, 5, 6)))] == [
        "#ff0000",
        "#00ff00",
        "#0000ff",
    ]
    ((data, arguments, _),) = of(ramp("zyx", (3, 5, 6)))
    assert arguments["colormap"] == "gray"
    assert arguments["name"] == "ramp"
    assert arguments["multiscale"] is False
    assert data.shape == (3, 5, 6)


def test_a_picture_is_one_layer_with_its_colours_last() -> None:
    image = ramp("tcyx", (2, 3, 300, 310), np.uint8, levels=2, kind="rgb")
    ((data, arguments, kind),) = of(image, visible=False)
    assert (kind, arguments["rgb"], arguments["visible"], arguments["multiscale"]) == ("image", True, False, True)
    assert [level.shape for level in data] == [(2, 300, 310, 3), (2, 150, 155, 3)]
    assert np.array_equal(np.asarray(data[0][1]), np.moveaxis(image[1], 0, -1))
    assert len(arguments["scale"]) == len(arguments["axis_labels"]) == len(arguments["units"]) == 3


def test_labels_are_labels_that_nobody_paints_on() -> None:
    ((data, arguments, kind),) = of(ramp("zyx", (3, 30, 31), np.uint32, kind="labels"))
    assert (kind, arguments["multiscale"], data[0].dtype) == ("labels", True, np.uint32)
    assert [level.shape for level in data] == [(3, 30, 31), (3, 15, 16)]
    assert set(np.unique(np.asarray(data[1]))) <= set(np.unique(np.asarray(data[0])))
    assert "contrast_limits" not in arguments
    assert "colormap" not in arguments


def test_indices_of_a_palette_have_its_colours() -> None:
    image = replace(
        ramp("yx", (5, 6), np.uint8, kind="labels"), metadata=Metadata(palette=("ff0000", "00ff00", "0000ff"))
    )
    ((_, arguments, kind),) = of(image)
    assert kind == "image"
    assert arguments["colormap"]["interpolation"] == "zero"
    assert np.allclose(arguments["colormap"]["colors"], np.eye(3))
    assert arguments["contrast_limits"] == (-0.5, 2.5)


def test_opening_reads_nothing_but_a_part_of_a_coarse_level_for_limits() -> None:
    image = ramp("zyx", (50, 4000, 4000), levels=5)
    read: list[tuple[int, Region]] = []

    def watched(k: int) -> Level:
        level = image.levels[k]

        def read_pixels(region: Region) -> Pixels:
            read.append((k, region))
            return level.read_pixels(region)

        return replace(level, read_pixels=read_pixels)

    watched_image = replace(image, levels=tuple(watched(k) for k in range(5)), channels=())
    of(watched_image)
    assert {k for k, _ in read} == {4}
    assert sum(np.prod(region.shape) for _, region in read) <= 250 * 250
    read.clear()
    of(replace(watched_image, channels=(Channel(window=(0, 9)),)))
    assert not read


def test_an_image_of_terabytes_is_opened_and_sliced_in_a_moment() -> None:
    huge = ramp("zyx", (10_000, 1_000_000, 1_000_000), levels=13, chunk_shape=(64, 64, 64))
    start = perf_counter()
    ((data, _, _),) = of(huge)
    visible = data[0][:, 500_000:500_300, 700_000:700_400][9_999]
    assert np.array_equal(np.asarray(visible)[0, :3], huge[9_999, 500_000, 700_000:700_003])
    assert np.asarray(data[-1][5_000]).shape == (245, 245)
    assert perf_counter() - start < 10


def test_what_napari_cannot_show_is_refused_with_the_way_out() -> None:
    with pytest.raises(Unsupported, match="complex64: open the view window"):
        of(ramp("yx", (5, 6), np.complex64))
    flat = ramp("yx", (200_000, 200_000))
    with pytest.raises(TooLarge, match=r"no pyramid.*crop"):
        of(with_pyramid(flat))
    with pytest.raises(TooLarge):
        of(flat)
