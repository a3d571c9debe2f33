"""The Range header, as RFC 9110 has it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diascope.access.ranges import NotSatisfiable, parts


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-499", [(0, 100)]),
        ("bytes=10-", [(10, 100)]),
        ("bytes=-10", [(90, 100)]),
        ("bytes=-500", [(0, 100)]),
        ("Bytes = 1-2 , 5-6", [(1, 3), (5, 7)]),
        ("bytes=0-1,200-300,-1", [(0, 2), (99, 100)]),
        ("bytes=50-60,,0-1", [(50, 61), (0, 2)]),
    ],
)
def test_ranges_are_resolved_against_the_size(header: str, expected: list[tuple[int, int]]) -> None:
    assert parts(header, 100) == expected


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=a-b", "bytes=5-1", "items=0-1", "bytes=1", "bytes=--1", "bytes=1-2-3",
     "bytes=٣-٤"],
)  # fmt: skip
def test_what_is_malformed_or_of_another_unit_is_ignored(header: str | None) -> None:
    assert parts(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=" + "0-1," * 65])
def test_ranges_without_a_byte_and_far_too_many_are_not_satisfiable(header: str) -> None:
    with pytest.raises(NotSatisfiable):
        parts(header, 100)


@given(st.text(max_size=60), st.integers(0, 10**30))
def test_whatever_the_header_parts_lie_inside(text: str, size: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            found = parts(header, size)
        except NotSatisfiable:
            continue
        assert all(0 <= part.start < part.stop <= size for part in found or ())
