"""Filters of filters: bounded together, not only each by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from diascope.errors import TooLarge
from diascope.image.image import Image
from diascope.operations.view import view
from diascope.testing.synthetic import ramp
from tests.sources.recipes import image, noise, recipe, section

PLANE, VOLUME = ramp("yx", (200_000, 200_000)), ramp("zyx", (4000, 4000, 4000))


@pytest.mark.parametrize(
    ("seen", "steps"),
    [
        (PLANE, ["gaussian,sigma=25"]),
        (PLANE, ["morphology,radius=25,method=dilate"]),
        (PLANE, ["clahe,tile=100,low=0,high=60000"]),
        (VOLUME, ["gaussian,sigma=8,axes=zyx"]),
        (PLANE, ["gaussian,sigma=25", "gamma,gamma=2", "crop,x=5..,y=5..", "translate,x=0.1", "rotate90"]),
    ],
)
def test_chains_that_would_hold_too_many_pixels_are_refused(seen: Image, steps: list[str]) -> None:
    view("~".join(steps)).applied(seen)
    with pytest.raises(TooLarge, match="filters of filters"):
        view("~".join(steps * (32 // len(steps)))).applied(seen)


def test_chains_of_small_filters_are_not() -> None:
    small = ["tophat,radius=2", "median,radius=1", "gaussian,sigma=1", "unsharp,sigma=0.5"]
    view("~".join(small * 4)).applied(PLANE)
    view("~".join(["gaussian,sigma=25,axes=yx"] * 3)).applied(PLANE)
    view("~".join(["gaussian,sigma=25"] * 32)).applied(ramp("yx", (100, 100)))


def test_a_recipe_tells_how_far_the_views_of_its_files_reach(tmp_path: Path) -> None:
    section(tmp_path, "0.tif", noise(0, (600, 700)))
    recipe(tmp_path, "{recipe: stack, sections: [{file: 0.tif, view: 'gaussian,sigma=25'}], thickness: 1 um}")
    assert image(tmp_path / "made.recipe.yaml").levels[0].spread > 1
