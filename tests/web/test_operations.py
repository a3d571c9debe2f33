"""Operations on the page of an image: a form of the server's own parameters, and the picture that they make."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from playwright.sync_api import Browser, expect

from tests.web.blocks import assert_shows, blocks, grey, seen_picture
from tests.web.conftest import visit

pytestmark = pytest.mark.judge

SIDE = 256
SHIFT = 16
"""Half a block."""
PIXELS = np.round(blocks((SIDE, SIDE), 2 * SHIFT, seed=3) * 200).astype(np.uint16) + 100


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, server: Callable[[Path], str]) -> str:
    folder = tmp_path_factory.mktemp("operations") / "pictures"
    folder.mkdir()
    tifffile.imwrite(folder / "deep.tif", PIXELS)
    return server(folder)


def test_an_operation_is_chosen_filled_in_and_seen(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/pictures/deep.tif")
        page.get_by_role("heading", name="Operations").click()
        page.get_by_label("Add an operation").select_option("window")
        page.get_by_label("low required").fill("50")
        page.get_by_label("high required").fill("305")
        page.get_by_label("Add an operation").select_option("invert")
        page.get_by_role("button", name="Show", exact=True).click()
        page.wait_for_url("**view=window**invert")
        expect(page.locator(".operations-end code")).to_have_count(0)
        expected = 255 - np.clip(PIXELS.astype(int) - 50, 0, 255)
        assert_shows(seen_picture(page), grey(expected / 255), SHIFT)
        expect(page.get_by_text("window,low=50,high=305~invert").first).to_be_visible()
        page.get_by_role("button", name="Remove invert").click()
        page.get_by_role("button", name="Show", exact=True).click()
        page.wait_for_url("**view=window%2Clow%3D50%2Chigh%3D305")
        page.get_by_role("button", name="Back to the stored pixels").click()
        page.wait_for_url("**/image/pictures/deep.tif")


def test_what_a_look_decides_stands_in_the_address_and_the_form(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/pictures/deep.tif?view=autocontrast,low=0,high=100")
        low, high = PIXELS.min(), PIXELS.max()
        page.wait_for_url(f"**view=window%2Clow%3D{low}%2Chigh%3D{high}")
        expect(page.get_by_label("low required")).to_have_value(str(low))
        expect(page.get_by_label("high required")).to_have_value(str(high))


def test_a_view_that_means_nothing_is_told_and_can_be_mended(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/pictures/deep.tif?view=colormap,name=nothing")
        expect(page.get_by_role("alert")).to_contain_text("no map 'nothing'")
        page.get_by_label("name", exact=True).fill("viridis")
        page.get_by_role("button", name="Show", exact=True).click()
        expect(page.locator(".picture[data-state=loaded]")).to_be_visible()
        # The browser itself tells of answers that are errors.
        assert all("400" in trouble for trouble in visited.troubles)
        visited.troubles.clear()
