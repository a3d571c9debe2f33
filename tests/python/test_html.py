"""Images as notebooks show them."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import numpy as np
from PIL import Image as Picture

import diascope
from diascope.errors import Unreadable
from diascope.image.metadata import Channel, Metadata
from diascope.image.region import Region
from diascope.testing.synthetic import ramp

HOSTILE = '<script>alert("x")</script>'


def picture(html: str) -> Picture.Image:
    found = re.search(r'src="data:image/jpeg;base64,([A-Za-z0-9+/=]+)"', html)
    assert found
    return Picture.open(BytesIO(b64decode(found[1])))


def test_it_shows_a_small_picture_and_the_axes(cells: str) -> None:
    html = diascope.open(cells)._repr_html_()
    shown = picture(html)
    assert max(shown.size) == 192
    assert np.asarray(shown).std() > 5
    assert "<td>x</td><td>640</td>" in html
    assert "0.25 micrometer" in html
    assert "DAPI" in html
    assert len(html) < 50_000


def test_texts_of_a_file_cannot_become_markup() -> None:
    image = replace(
        ramp("cyx", (1, 9, 9)),
        name=HOSTILE,
        channels=(Channel(name=HOSTILE),),
        metadata=Metadata(format=HOSTILE),
    )
    html = image._repr_html_()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 4


def test_a_picture_that_cannot_be_read_is_told_and_hides_nothing_else() -> None:
    def read_pixels(_: Region) -> np.ndarray:
        raise Unreadable(f"chunk {HOSTILE} is corrupt")

    image = ramp("yx", (300, 300))
    html = replace(image, levels=(replace(image.levels[0], read_pixels=read_pixels),))._repr_html_()
    assert "no picture" in html
    assert "<script" not in html
    assert "<td>300</td>" in html


def test_a_picture_that_would_take_long_is_not_made() -> None:
    read: list[int] = []
    image = ramp("yx", (100_000, 100_000))

    def read_pixels(region: Region) -> np.ndarray:
        read.append(int(np.prod(region.shape)))
        return image.levels[0].read_pixels(region)

    html = replace(image, levels=(replace(image.levels[0], read_pixels=read_pixels),))._repr_html_()
    assert "no coarse level" in html
    assert sum(read) < 1 << 24


def test_its_representation_is_one_line() -> None:
    assert repr(ramp("czyx", (2, 3, 40, 50), levels=2)) == (
        "<Image 'ramp': intensity, c=2 z=3 y=40 x=50, uint16, "
        "z 2 micrometer, y 0.5 micrometer, x 0.25 micrometer, 2 levels>"
    )
    assert "\n" not in repr(replace(ramp("yx", (4, 5)), name="two\nlines"))
