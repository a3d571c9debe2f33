"""Expressions give what Python gives for them, and are never executed."""

from __future__ import annotations

import ast
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diascope.errors import BadRequest, TooLarge, Unsupported
from diascope.image.image import Image
from diascope.image.metadata import Channel
from diascope.image.region import Region
from diascope.operations.expression import evaluated, parsed, written
from diascope.operations.operation import mapped
from diascope.operations.pointwise import Mapped
from diascope.operations.view import view
from tests.operations.pictures import noise, pictured, seen

KNOWN = {
    "abs": np.abs, "sqrt": np.sqrt, "where": lambda c, a, b: np.where(np.asarray(c) != 0, a, b),
    "min": np.minimum, "max": np.maximum, "double": np.float64,
}  # fmt: skip

atoms = st.sampled_from(["c0", "c1", "c2", "2", "0.5", "1e3", "3"])


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.tuples(inner, st.sampled_from([*"+-*/%<>", "//", "**", "<=", ">=", "==", "!="]), inner)
    # Python chains comparisons, which ours do not: each stands in parentheses.
    return st.one_of(
        binary.map(lambda each: f"(({each[0]} {each[1]} {each[2]})*1)" if each[1][0] in "<>=!" else "".join(each)),
        inner.map(lambda each: f"-{each}"),
        inner.map(lambda each: f"({each})"),
        inner.map(lambda each: f"abs({each})"),
        st.tuples(inner, inner).map(lambda each: f"min({each[0]}, {each[1]})"),
        st.tuples(inner, inner, inner).map(lambda each: f"where({each[0]},{each[1]},{each[2]})"),
    )


@settings(max_examples=200, deadline=None)
@given(st.recursive(atoms, _grown, max_leaves=8))
def test_an_expression_means_what_it_means_in_python(text):
    values = {f"c{k}": np.random.default_rng(k).integers(-4, 5, 40).astype(float) for k in range(3)}
    try:
        tree = parsed(text)
    except ValueError as error:
        assert "names no channel" in str(error) or "deep" in str(error)  # noqa: PT017
        return
    python = compile(ast.fix_missing_locations(_Doubles().visit(ast.parse(text, mode="eval"))), "test", "eval")
    with np.errstate(all="ignore"):
        expected = np.asarray(eval(python, {"__builtins__": {}, **KNOWN}, values), float)  # noqa: S307
        np.testing.assert_array_equal(evaluated(tree, values), expected)
    assert parsed(written(tree)) == tree
    assert not set(written(tree)) & set("/~,=% <>!")


class _Doubles(ast.NodeTransformer):
    """Makes numbers those of numpy, which divide by zero as pixels do."""

    def visit_Constant(self, node: ast.Constant) -> ast.Call:
        return ast.Call(ast.Name("double", ast.Load()), [node], [])


def test_numbers_alone_follow_the_same_rules():
    got = seen("calculate,expression=c0*0+1:0", pictured(np.ones((2, 3), "u1"), "yx"))
    assert np.isinf(got).all()


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("c0 / c1", "c0:c1"),
        ("c0 - (c1 - c2)", "c0-(c1-c2)"),
        ("(c0 - c1) - c2", "c0-c1-c2"),
        ("((c0))", "c0"),
        ("c0//2 % 3", "mod(c0::2;3)"),
        ("-c0**2", "-c0**2"),
        ("(-c0)**2", "(-c0)**2"),
        ("2**-c0**2", "2**-c0**2"),
        ("(c0**2)**3", "(c0**2)**3"),
        ("where(c0 >= 1.50, c1, 1e3)", "where(ge(c0;1.5);c1;1000)"),
        ("c0 < c1 == 1", "eq(lt(c0;c1);1)"),
        ("- - +c0", "--c0"),
        ("1e22*c0", "1e22*c0"),
        ("DAPI*.5", "DAPI*0.5"),
    ],
)
def test_it_has_one_spelling(text, canonical):
    assert written(parsed(text)) == canonical
    assert str(view(f"calculate,expression={canonical}")) == f"calculate,expression={canonical}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "stands where a number"),
        ("1+2", "names no channel"),
        ("c0+", "stands where a number"),
        ("c0 c1", "does not belong"),
        ("(c0", "stands where \\)"),
        ("c0)", "does not belong"),
        ("max()", "stands where a number"),
        ("max(c0;)", "stands where a number"),
        ("max(c0:c1", "stands where"),
        ("abs(c0;c1)", "takes 1 arguments"),
        ("where(c0;1)", "takes 3 arguments, not 2"),
        ("max(" + ";".join(["c0"] * 17) + ")", "takes 1 to 16"),
        ("__import__('os')", "is nothing that stands"),
        ("__import__(c0)", "is no function"),
        ("c0.__class__", "is nothing that stands"),
        ("c0.real", "is nothing that stands"),
        ("().__class__", "is nothing that stands"),
        ("c0[0]", "is nothing that stands"),
        ("eval(c0)", "is no function"),
        ("c0 if 1 else 2", "does not belong"),
        ("c0;c1", "does not belong"),
        ("'c0'", "is nothing that stands"),
        ("c0\x00", "is nothing that stands"),
        ("c0+٣", "is nothing that stands"),
        ("é0", "is nothing that stands"),
        ("1e999*c0", "too large"),
        ("c0**1e9999", "does not belong|too large"),
        ("(" * 100 + "c0" + ")" * 100, "deep"),
        ("-" * 100 + "c0", "deep"),
        ("**".join(["c0"] * 60), "deep"),
        ("abs(" * 60 + "c0" + ")" * 60, "deep"),
        ("+".join(["c0"] * 120), "parts"),
        ("c0+" * 1000 + "c0", "at most 500"),
        ("9" * 501, "at most 500"),
    ],
)
def test_what_is_hostile_is_refused_at_once(text, reason):
    start = time.perf_counter()
    with pytest.raises(ValueError, match=reason):
        parsed(text)
    assert time.perf_counter() - start < 0.2


def test_what_is_wrong_is_told_in_the_address():
    with pytest.raises(BadRequest, match=r"expression: .*is no function; there are: abs"):
        view("calculate,expression=open(c0)")
    with pytest.raises(TooLarge):
        view("calculate,expression=" + "(" * 5000)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="c01(){}[];:,.+-*/%<>=!eE \"'_abs\\\n\x00é", max_size=60))
def test_any_text_is_an_expression_or_a_reason(text):
    try:
        tree = parsed(text)
    except ValueError as error:
        assert str(error)  # noqa: PT017
    else:
        assert parsed(written(tree)) == tree


CHANNELS = (Channel(name="DAPI"), Channel(name="Alexa 488"), Channel(name="Alexa-488"))


def test_channels_have_names():
    pixels = noise((3, 4, 5), "u2", 1000)
    image = pictured(pixels, "cyx", channels=CHANNELS)
    np.testing.assert_array_equal(seen("calculate,expression=DAPI-c1", image), pixels[0].astype("f4") - pixels[1])
    with pytest.raises(BadRequest, match="'Alexa_488' means several channels"):
        seen("calculate,expression=Alexa_488", image)
    with pytest.raises(BadRequest, match="'c3' is no channel; there are: c0, c1, c2, DAPI"):
        seen("calculate,expression=c3", image)
    # No name takes the number of another channel for itself.
    image = pictured(pixels, "cyx", channels=(Channel(name="c1"), Channel(), Channel(name="488")))
    np.testing.assert_array_equal(seen("calculate,expression=c1+0*_488", image), pixels[1])


@pytest.mark.parametrize(("dtype", "result"), [("u1", "f4"), ("i2", "f4"), ("?", "f4"), ("u4", "f8"), ("f4", "f4")])
def test_the_result_is_of_the_type_that_is_said(dtype, result):
    pixels = noise((2, 4, 5), dtype, 200)
    made = view("calculate,expression=(c0-c1):(c0+c1)").applied(pictured(pixels, "cyx", levels=2))
    assert (made.dtype, made.axis_names, made.kind) == (result, "yx", "intensity")
    assert made.channels == (Channel(name="(c0-c1):(c0+c1)"),)
    first, second = pixels.astype(float)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(made[...], ((first - second) / (first + second)).astype(result))


def test_rgb_has_colours_by_name():
    pixels = noise((4, 6, 5), "u1", 256)
    made = view("calculate,expression=2*green-red-blue+0*opacity").applied(pictured(pixels, "cyx", kind="rgb"))
    assert (made.kind, made.axis_names) == ("intensity", "yx")
    red, green, blue, _ = pixels.astype("f4")
    np.testing.assert_array_equal(made[...], 2 * green - red - blue)


def test_only_the_channels_that_are_named_are_read():
    image, read = _watched(pictured(noise((4, 6, 5)), "cyx"))
    view("calculate,expression=c3-c1").applied(image).levels[0].read(Region((1, 2), (3, 4)))
    assert read == [Region((1, 1, 2), (2, 3, 4)), Region((3, 1, 2), (4, 3, 4))]


def _watched(image: Image) -> tuple[Image, list[Region]]:
    regions: list[Region] = []

    def watched(level):
        def read_pixels(region):
            regions.append(region)
            return level.read(region)

        return replace(level, chunk_shape=(1, 6, 5), read_pixels=read_pixels)

    return mapped(image, watched), regions


def test_of_one_channel_it_is_a_point_operation():
    image = pictured(noise((9, 8)), "yx")
    made = view("invert~calculate,expression=sqrt(c0):2~window,low=0,high=128").applied(image)
    read = made.levels[0].read_pixels
    assert isinstance(read, Mapped)
    assert len(read.functions) == 3
    halves = pictured(np.sqrt(65535.0 - image[...]).astype("f8") / 2, "yx")
    np.testing.assert_array_equal(made[...], seen("window,low=0,high=128", halves))


def test_names_are_refused():
    with pytest.raises(Unsupported, match="labels are names"):
        seen("calculate,expression=c0", pictured(noise((4, 5)), "yx", kind="labels"))
    with pytest.raises(Unsupported, match="real numbers"):
        seen("calculate,expression=c0", pictured(noise((4, 5), "c8"), "yx"))
