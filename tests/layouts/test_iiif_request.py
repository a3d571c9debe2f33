"""The grammar of IIIF Image API 3.0, clause 4."""

from __future__ import annotations

import pytest

from diascope.errors import BadRequest, Unimplemented
from diascope.layouts.iiif_request import MAX_AREA, MAX_SIDE, Box, Size, request

PICTURE = Size(1001, 667)


def box(region: str, picture: Size = PICTURE) -> tuple[int, ...]:
    return tuple(request(picture, region, "max", "0", "default.jpg").box)


def size(text: str, region: str = "full", picture: Size = PICTURE) -> tuple[int, int]:
    return request(picture, region, text, "0", "default.jpg").size


@pytest.mark.parametrize(
    ("region", "expected"),
    [
        ("full", (0, 0, 1001, 667)),
        ("square", (167, 0, 667, 667)),
        ("0,0,1001,667", (0, 0, 1001, 667)),
        ("10,20,30,40", (10, 20, 30, 40)),
        ("1000,666,1,1", (1000, 666, 1, 1)),
        ("900,600,500,500", (900, 600, 101, 67)),
        ("0,0,999999999999999999,1", (0, 0, 1001, 1)),
        ("pct:0,0,100,100", (0, 0, 1001, 667)),
        ("pct:50,50,50,50", (501, 334, 500, 333)),
        ("pct:10.5,.5,25,33.333", (105, 3, 250, 222)),
        ("pct:90,0,50,10", (901, 0, 100, 67)),
    ],
)
def test_a_region_is_a_box_inside_the_picture(region: str, expected: tuple[int, ...]) -> None:
    assert box(region) == expected


@pytest.mark.parametrize(
    "region",
    ["", "Full", "all", "1,2,3", "1,2,3,4,5", "-1,0,5,5", "1.5,0,5,5", "0,0,0,5", "0,0,5,0", "1001,0,5,5", "0,667,5,5",
     "pct:0,0,0,50", "pct:100,0,5,5", "pct:0,0,.01,50", "pct:a,0,5,5", "pct:0,0,5", "+1,0,5,5", " 0,0,5,5", "0,0,5,5 ",
     "0,0,5,5\n", "\u0660,0,5,5", "pct:1e1,0,5,5", "pct:nan,0,5,5", "0," * 1000, "9" * 500 + ",0,5,5", "square,"],
)  # fmt: skip
def test_a_malformed_or_empty_region_is_refused(region: str) -> None:
    with pytest.raises(BadRequest):
        box(region)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max", (1001, 667)),
        ("500,", (500, 333)),
        (",333", (500, 333)),
        ("1,", (1, 1)),
        (",1", (2, 1)),
        ("pct:50", (501, 334)),
        ("pct:100", (1001, 667)),
        ("pct:.1", (1, 1)),
        ("300,400", (300, 400)),
        ("1001,667", (1001, 667)),
        ("!500,500", (500, 333)),
        ("!5000,333", (500, 333)),
        ("!1001,667", (1001, 667)),
        ("!1,1", (1, 1)),
        ("^2002,", (2002, 1334)),
        ("^,1334", (2002, 1334)),
        ("^pct:200", (2002, 1334)),
        ("^2000,3000", (2000, 3000)),
        ("^!2002,5000", (2002, 1334)),
        ("^500,", (500, 333)),
    ],
)
def test_a_size_is_that_of_the_picture_sent(text: str, expected: tuple[int, int]) -> None:
    assert size(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", ",", "^", "full", "Max", "0,", ",0", "0,5", "5,0", "!0,5", "!5,", "!,5", "!", "pct:0", "pct:", "pct:-5",
     "pct:1e1", "pct:.0001", "1.5,", "5;5", "5,5,5", "^^5,", "5,5^", " 5,", "5,\n", "\u0665,", "^0,", "^!0,0",
     "9" * 400 + ","],
)  # fmt: skip
def test_a_malformed_or_empty_size_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        size(text)


@pytest.mark.parametrize("text", ["1002,", ",668", "1002,10", "10,668", "pct:101", "!2000,2000", "1002,668"])
def test_nothing_is_enlarged_unless_the_address_says_so(text: str) -> None:
    with pytest.raises(BadRequest, match=r"larger than the region.*\^"):
        size(text)
    assert max(size(f"^{text}")) > 10


def test_sizes_are_counted_from_the_part_of_the_region_in_the_picture() -> None:
    assert size("max", "900,600,500,500") == (101, 67)
    assert size("50,", "900,600,500,500") == (50, 33)
    with pytest.raises(BadRequest):
        size("102,", "900,600,500,500")


@pytest.mark.parametrize(
    ("picture", "text", "expected"),
    [
        (Size(1_000_000, 1_000_000), "max", (4096, 4096)),
        (Size(1_000_000, 1_000_000), "^max", (4096, 4096)),
        (Size(1_000_000, 1), "max", (MAX_SIDE, 1)),
        (Size(10, 10), "max", (10, 10)),
        (Size(10, 10), "^max", (4096, 4096)),
        (Size(2, 1), "^max", (5792, 2896)),
        (Size(1_000_000, 500_000), "!99999,99999", (5792, 2896)),
    ],
)
def test_the_largest_picture_keeps_to_the_limits(picture: Size, text: str, expected: tuple[int, int]) -> None:
    width, height = size(text, picture=picture)
    assert (width, height) == expected
    assert width * height <= MAX_AREA


@pytest.mark.parametrize("text", ["^16384,1", "^1,16384", "5000,5000", "^pct:100000", "^5000,", "pct:1"])
def test_a_size_over_the_limits_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="over the limits"):
        size(text, picture=Size(1_000_000, 1_000_000))


@pytest.mark.parametrize(
    ("rotation", "expected"),
    [("0", (False, 0)), ("90", (False, 1)), ("180.0", (False, 2)), ("!270", (True, 3)), ("360", (False, 0))],
)
def test_rotations_are_quarters(rotation: str, expected: tuple[bool, int]) -> None:
    asked = request(PICTURE, "full", "max", rotation, "default.jpg")
    assert (asked.mirrored, asked.turns) == expected


@pytest.mark.parametrize(
    "rotation", ["", "!", "-90", "361", "90!", "!!90", "ninety", "9e1", "90 ", "\u0669\u0660", "9" * 400]
)
def test_a_malformed_rotation_is_refused(rotation: str) -> None:
    with pytest.raises(BadRequest) as raised:
        request(PICTURE, "full", "max", rotation, "default.jpg")
    assert not isinstance(raised.value, Unimplemented)


@pytest.mark.parametrize(
    ("rotation", "name"), [("45", "default.jpg"), ("!0.5", "default.jpg"), ("0", "default.tif"), ("0", "default.pdf")]
)
def test_what_is_optional_and_not_served_says_so(rotation: str, name: str) -> None:
    with pytest.raises(Unimplemented):
        request(PICTURE, "full", "max", rotation, name)


@pytest.mark.parametrize(
    "name", ["", "default", "default.", "default.jpeg", "native.jpg", "default.jpg.png", "grey.jpg"]
)
def test_an_unknown_quality_or_format_is_refused(name: str) -> None:
    with pytest.raises(BadRequest) as raised:
        request(PICTURE, "full", "max", "0", name)
    assert not isinstance(raised.value, Unimplemented)


def test_a_request_has_all_its_parts() -> None:
    asked = request(PICTURE, "10,20,300,400", "^600,", "!90", "gray.webp")
    assert asked == (Box(10, 20, 300, 400), Size(600, 800), True, 1, "gray", "webp")
