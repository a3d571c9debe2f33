"""Patterns of paths fit what they say, in linear time, and refuse what they cannot say."""

from __future__ import annotations

import re
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from diascope.pattern import pattern


@pytest.mark.parametrize(
    ("text", "path", "fields"),
    [
        ("a/b.tif", "a/b.tif", {}),
        ("a/b.tif", "a/b.tiff", None),
        ("{subject}.tif", "M1.tif", {"subject": "M1"}),
        ("{subject}.tif", ".tif", None),
        ("{subject}.tif", "a/M1.tif", None),
        ("{subject}/{stain}_{n:int}.tif", "M1/CD8_a_012.tif", {"subject": "M1", "stain": "CD8_a", "n": "012"}),
        ("{a}_{b}.tif", "x_y_z.tif", {"a": "x", "b": "y_z"}),
        ("{name}{n:int}.tif", "slice0012.tif", {"name": "slice", "n": "0012"}),
        ("{n:int}.tif", "1a.tif", None),
        ("{n:int}.tif", "٣.tif", None),
        ("{stain:DAPI|GFP}*.tif", "GFP.tif", {"stain": "GFP"}),
        ("{stain:DAPI|GFP}*.tif", "gfp.tif", None),
        ("{a:x|xy}{b}.tif", "xy.tif", {"a": "x", "b": "y"}),
        ("{a:x|xy}{b}.tif", "xyz.tif", {"a": "xy", "b": "z"}),
        ("*_{n:int}*", "a_b_3", {"n": "3"}),
        ("*", "a", {}),
        ("*", "a/b", None),
        ("**/*.tif", "a.tif", {}),
        ("**/*.tif", "a/b/c.tif", {}),
        ("raw/**/{s}/x.tif", "raw/a/b/x.tif", {"s": "b"}),
        ("raw/**/{s}/x.tif", "raw/x.tif", None),
        ("raw/{f:**}/{s}.tif", "raw/a/b/c.tif", {"f": "a/b", "s": "c"}),
        ("raw/{f:**}/{s}.tif", "raw/c.tif", {"f": "", "s": "c"}),
        ("**/a/**/b", "x/a/y/a/z/b", {}),
        ("**/a/**/b", "x/a/y/z/c", None),
        ("{s}/{s}_{n:int}.tif", "A_1/A_1_2.tif", {"s": "A_1", "n": "2"}),
        ("{s}/{s}_{n:int}.tif", "A_1/A_2.tif", None),
        ("**/{s}/{s}.tif", "A/B/B.tif", {"s": "B"}),
        ("{s}/{s:**}/x.tif", "A/B/x.tif", None),
        ("{s}/{s:**}/x.tif", "A/A/x.tif", {"s": "A"}),
        ("{{{s}}}", "{a}", {"s": "a"}),
        ("{Animal ID}.tif", "7.tif", {"Animal ID": "7"}),
        ("{s}\n", "a\n", {"s": "a"}),
    ],
)
def test_fits(text: str, path: str, fields: dict[str, str] | None) -> None:
    assert pattern(text).match(path) == fields


def test_texts_are_compared_composed() -> None:
    assert pattern("K\u00f6rper/{s}.tif").match("Ko\u0308rper/u\u0308.tif") == {"s": "\u00fc"}
    assert pattern("Ko\u0308rper/{s}.tif").match("K\u00f6rper/\u00fc.tif") == {"s": "\u00fc"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "relative"),
        ("/a", "relative"),
        ("a/", "relative"),
        ("a//b", "relative"),
        ("../a", "relative"),
        ("a/./b", "relative"),
        ("a\0", "NUL"),
        ("a/**", "which files"),
        ("a**/b", "alone between slashes"),
        ("{a", "a brace at character 1"),
        ("a}", "a brace at character 2"),
        ("{}", "a brace"),
        ("{a:b}", "behind the colon"),
        ("{a:.*}", "behind the colon"),
        ("{a:b|c*}", "behind the colon"),
        ("{a}{b}", "between two fields"),
        ("{a}*", "between two fields"),
        ("{a:int}{b:int}", "takes all the digits"),
        ("{a:int}0.tif", "takes all the digits"),
        ("{a}_{a}.tif", "twice in one name"),
        ("**/{a}/**/{a}.tif", "once at the most"),
        ("a" * 1001, "the limit is 1000"),
        ("/".join("*" * 70), "more than 64 parts"),
    ],
)
def test_says_what_is_wrong_with_a_pattern(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        pattern(text)


def test_the_folder_to_begin_in() -> None:
    assert pattern("raw/2026/{s}/x.tif").folder == "raw/2026"
    assert pattern("raw/x.tif").folder == "raw"
    assert not pattern("{s}/x.tif").folder
    assert not pattern("x.tif").folder
    assert not pattern("K\u00f6rper/x.tif").folder


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/".join(["**/a"] * 20) + "/b", "/".join("a" * 2000)),
        ("*a" * 30 + "b", "a" * 4000),
        ("_".join(f"{{f{k}}}" for k in range(30)) + "_{n:int}", "_".join("a" * 2000)),
        ("".join(f"{{f{k}:a|aa|aaa}}" for k in range(30)) + "b", "a" * 200),
        ("{c:" + "|".join("a" * k for k in range(1, 25)) + "}{x}a{n:int}", "a" * 4000),
        ("**/{s}/{s}/{t}_{n:int}", "/".join(["a" * 30] * 100)),
    ],
)
def test_no_path_takes_long(text: str, path: str) -> None:
    start = process_time()
    assert pattern(text).match(path) is None
    assert process_time() - start < 2


SPELLED = {
    "a": "a", "b": "b", "_": "_", "1": "1", "/": "/", "/**/": "/(?:[^/]+/)*", "*": "[^/]*",
    "{%d}": "[^/]+", "{%d:int}": "[0-9]+(?![0-9])", "{%d:a|b1}": "(?:a|b1)",
}  # fmt: skip


@given(some.lists(some.sampled_from(list(SPELLED)), max_size=7), some.text("ab_1/", max_size=9))
@settings(max_examples=400, deadline=None)
def test_fits_where_a_regular_expression_does(parts: list[str], path: str) -> None:
    try:
        found = pattern("".join(part.replace("%d", f"f{k}") for k, part in enumerate(parts)))
    except ValueError:
        return
    if all(path.split("/")):
        expression = "".join(SPELLED[part] for part in parts)
        assert (found.match(path) is not None) == (re.fullmatch(expression, path) is not None), expression
