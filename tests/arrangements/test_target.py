"""Paths are made of fields, and none that a door could not show."""

from __future__ import annotations

import re

import pytest

from diascope.arrangements.target import checked, filled, target

FIELDS = {
    "s": "M1",
    "n": "007",
    "f": "a/b",
    "none": "",
    "odd": "a/b",
    "up": "..",
    "nul": "\0",
    "far": "9" * 31,
    "long": "\u00fc" * 120,
}


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("sub-{s}/x.tif", "sub-M1/x.tif"),
        ("{n}-{n:0}-{n:02}-{n:05}", "007-7-07-00007"),
        ("{f}/{s}", "a/b/M1"),
        ("{none}/{s}", "M1"),
        ("{none}/{none}/{s}", "M1"),
        ("{{{s}}}", "{M1}"),
        (".bidsignore", ".bidsignore"),
        ("u\u0308", "\u00fc"),
    ],
)
def test_is_filled(text: str, path: str) -> None:
    assert target(text).path(FIELDS, {"f", "none"}) == path


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{x}", "there is no field 'x'; there are: f, far, long, n,"),
        ("{s:03}", "no whole number"),
        ("{far:03}", "no whole number"),
        ("a/{odd}", "has a slash"),
        ("{up}/a", "is no path"),
        ("a/{up}", "is no path"),
        ("a{nul}", "not printed"),
        ("{s}" * 128, "255 bytes"),
        ("{long}/" * 5 + "a", "1000 bytes"),
    ],
)
def test_says_what_does_not_fit(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        target(text).path(FIELDS, {"f"})


def test_an_empty_value_makes_no_name() -> None:
    with pytest.raises(ValueError, match="is no path"):
        target("a/{none}/b").path(FIELDS)


@pytest.mark.parametrize(
    "text", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\0", "a\n", "{s:4}", "{s:int}", "{", "\ud800"]
)
def test_refuses_what_is_never_a_path(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        target(text)


def test_any_text_may_be_filled() -> None:
    assert filled("/ {s}: {n:0}\n").filled(FIELDS) == "/ M1: 7\n"


def test_bytes_are_counted() -> None:
    assert checked("\u00fc" * 127)
    with pytest.raises(ValueError, match="255 bytes"):
        checked("\u00fc" * 128)
