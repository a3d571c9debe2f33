"""Views are read in any spelling, written in one, and refused with a reason."""

from __future__ import annotations

import pytest

from diascope.errors import BadRequest, TooLarge
from diascope.operations.view import LONGEST, MOST_STEPS, view


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("original", "original"),
        ("render", "render"),
        ("render,z=-0", "render,z=0"),
        ("window,high=4.095e3,low=0.0", "window,low=0,high=4095"),
        ("window,gamma=1,low=-0,high=1e22", "window,low=0,high=1e22"),
        ("window,low=0,high=1,gamma=.5", "window,low=0,high=1,gamma=0.5"),
        ("crop,y=007..9.0,x=..1e1", "crop,x=..10,y=7..9"),
        ("crop,x=-5..,unit=µm", "crop,x=-5..,unit=um"),
        ("crop,x=1..2,unit=micrometers", "crop,x=1..2,unit=um"),
        ("crop,x=1..2,unit=angstrom", "crop,x=1..2,unit=angstrom"),
        ("channels,colours=FF8000+00ff00,show=02+0", "channels,show=2+0,colours=ff8000+00ff00"),
        ("channels,low=1e+2+3,blend=TRUE", "channels,low=100+3,blend=true"),
        ("channels,blend=false", "channels"),
        ("channels,low=1e22+.5", "channels,low=1e22+0.5"),
        ("project,axis=z,method=max", "project"),
        ("project,method=sum~window,low=0,high=9", "project,method=sum~window,low=0,high=9"),
        ("gaussian,sigma=1.50,unit=micrometer", "gaussian,sigma=1.5,unit=um"),
        ("@mine", "window,low=0,high=9~project"),
    ],
)
def test_a_view_has_one_spelling(text, canonical):
    steps = view(text, {"mine": "window,high=9,low=0~project,axis=z"})
    assert str(steps) == canonical
    assert str(view(canonical)) == canonical
    assert view(canonical) == steps


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no operation"),
        ("nothing", "is no operation"),
        ("threshold,value=3~components", "cannot be read a part at a time: whether two pixels belong together"),
        ("watershed,markers=3", "what flows where"),
        ("@nothing", "no saved view"),
        ("render,z", "not one key=value"),
        ("render,z=1,z=2", "comes twice"),
        ("render,q=1", "q: Extra inputs"),
        ("window,low=0", "high: Field required"),
        ("window,low=nan,high=1", "low: "),
        ("window,low=0,high=inf", "high: "),
        ("window,low=1,high=1", "the same"),
        ("window,low=0,high=1,gamma=0", "gamma: "),
        ("crop", "at least one axis"),
        ("crop,x=5", "start..stop"),
        ("crop,x=..", "start..stop"),
        ("crop,x=9..5", "stops behind its start"),
        ("crop,x=1..2..3", "is no number"),
        ("crop,x=1..1e999", "is no number"),
        ("crop,x=1..2,unit=parsec", "no unit of length or time"),
        ("select,axis=x,index=1", "axis: "),
        ("select,axis=z", "either index or position"),
        ("select,axis=z,index=1,position=2", "either index or position"),
        ("select,axis=z,index=1,unit=um", "goes with a position"),
        ("channels,colours=red", "six hexadecimal digits"),
        ("channels,show=-1", "whole numbers"),
        ("channels,show=", "whole numbers"),
        ("channels,low=1++2", "is no number"),
        ("channels,show=" + "+".join(["1"] * 65), "at most 64"),
        ("project,method=mode", "method: "),
        ("gaussian,sigma=0", "sigma: "),
        ("gaussian,sigma=-1", "sigma: "),
        ("render~", "is no operation"),
    ],
)
def test_a_view_that_means_nothing_is_refused_with_the_reason(text, reason):
    with pytest.raises(BadRequest, match=reason.replace(".", r"\.")):
        view(text)


def test_a_view_is_bounded():
    with pytest.raises(TooLarge, match=str(LONGEST)):
        view("render,z=" + "1" * LONGEST)
    with pytest.raises(TooLarge, match=str(MOST_STEPS)):
        view("~".join(["render"] * (MOST_STEPS + 1)))
