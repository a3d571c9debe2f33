"""What is published of an image names no person, and no folder of the machine that made it."""

from __future__ import annotations

import json
from dataclasses import replace
from time import thread_time
from typing import Any

import numpy as np
import pytest

from diascope.catalogue.description import of_image
from diascope.catalogue.impersonal import impersonal, impersonal_text
from diascope.image.metadata import Metadata
from diascope.testing.synthetic import ramp


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ({"User": "ann", "UserName": "ann", "user-id": 7, "Users": 3}, {"Users": 3}),
        ({"a": [{"Operator": "ann", "gain": 2}], "Tag path": "Session Info:Operator"},
         {"a": [{"gain": 2}], "Tag path": "Session Info:Operator"}),
        ({"saved as": r"Z:\Ann Lee\2019-05-14\001-EELS Spectrum"}, {"saved as": "001-EELS Spectrum"}),
        (r"\\server\share\ann\a b.tif", "a b.tif"),
        ("mincresample /home/ann/opt/spm2/avg.mnc x.mnc -step 1 2 3", "mincresample avg.mnc x.mnc -step 1 2 3"),
        ("C:/Users/ann/x.lif and D:\\data\\y.lif", "x.lif and y.lif"),
        ("Gain: 3\r\nUser Name: ann lee\r\nZoom: 2", "Gain: 3\r\n\r\nZoom: 2"),
        ("https://example.org/home/a/b", "https://example.org/home/a/b"),
        ("/Data/Image/26f6/Data", "/Data/Image/26f6/Data"),
        ("ratio a/b: 1:2, µm/px", "ratio a/b: 1:2, µm/px"),
        ((1, None, True, 2.5), [1, None, True, 2.5]),
    ],
)  # fmt: skip
def test_persons_and_folders_are_left_out(told: Any, kept: Any) -> None:
    assert impersonal(told) == kept


@pytest.mark.parametrize("text", ["a:/" * 40_000, "C:\\" + "x" * 120_000, "/home/" * 20_000, "user" * 30_000])
def test_long_texts_take_no_time(text: str) -> None:
    start = thread_time()
    impersonal_text(text)
    assert thread_time() - start < 1


def test_deep_documents_come_to_an_end() -> None:
    document: Any = 1
    for _ in range(2000):
        document = [document]
    assert json.dumps(impersonal(document)).count("[") == 64


def test_the_description_of_an_image_is_without_them() -> None:
    known = Metadata(description="from /home/ann/a.tif", extra={"User": "ann", "folder": "/home/ann/a.tif"})
    told = of_image(replace(ramp("yx", (3, 4), np.uint8), metadata=known))["metadata"]
    assert (told["description"], told["extra"]) == ("from a.tif", {"folder": "a.tif"})
