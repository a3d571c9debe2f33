"""The pages in a real browser: what they show is what the files hold, and nothing is fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from playwright.sync_api import Browser, expect

from diascope.image.metadata import Metadata
from diascope.layouts.ome_tiff import ome_tiff
from diascope.testing.synthetic import ramp
from tests.virtual import all_bytes
from tests.web.blocks import Picture, assert_shows, blocks, grey, screenshot, seen_picture
from tests.web.conftest import PATIENCE, visit

pytestmark = pytest.mark.judge

SIDE = 256
PLANES = 3
SHIFT = 16
"""Half a block."""


def plane(z: int) -> Picture:
    return grey(blocks((SIDE, SIDE), 2 * SHIFT, seed=z))


OPTICS = Metadata(
    magnification=40.0, objective="Plan 40x", aperture=0.95, instrument="Scope 3", position={"x": 49481.8, "z": -0.25}
)
MICROGRAPH = replace(ramp("yx", (64, 64), np.uint8), metadata=OPTICS)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, server: Callable[[Path], str]) -> str:
    folder = tmp_path_factory.mktemp("pages") / "pictures"
    (folder / "inner folder" / "broken files").mkdir(parents=True)
    tifffile.imwrite(folder / "flat.tif", plane(7))
    stack = np.stack([blocks((SIDE, SIDE), 2 * SHIFT, seed=z) for z in range(PLANES)])
    tifffile.imwrite(
        folder / "stack #1.tif",
        np.round(stack * 60000).astype(np.uint16),
        imagej=True,
        resolution=(2, 2),
        metadata={"axes": "ZYX", "unit": "um", "spacing": 1.5},
    )
    (folder / "inner folder" / "broken files" / "broken.tif").write_bytes(b"II*\0" + bytes(60))
    (folder / "notes.txt").write_text("nothing to see")
    (folder / "inner folder" / "scope.ome.tif").write_bytes(all_bytes(ome_tiff(MICROGRAPH)))
    (folder / "inner folder" / "plate").mkdir()
    for well in ("A01", "A02", "C01"):
        for site in (1, 2):
            tifffile.imwrite(folder / "inner folder" / "plate" / f"x_{well}_s{site}_w1.tif", plane(site))
    return server(folder)


def test_the_fields_of_a_well_are_chosen_on_its_plate(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/pictures/inner%20folder/plate")
        wells = page.get_by_role("table", name="Wells")
        expect(wells.get_by_role("button")).to_have_count(6, timeout=PATIENCE)
        expect(page.locator(".card .name")).to_have_count(6)
        expect(wells.get_by_role("button", name="B1, empty")).to_be_disabled()
        wells.get_by_role("button", name="C1, 2 fields").click()
        expect(page.locator(".card .name")).to_have_text(["C/1/1", "C/1/2"])
        wells.get_by_role("button", name="C1, 2 fields").click()
        expect(page.locator(".card .name")).to_have_count(6)


def test_a_folder_shows_what_lies_in_it(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/")
        expect(page.get_by_role("link", name="pictures", exact=True)).to_be_visible()
        page.get_by_role("link", name="Browse all of pictures").click()
        expect(page.get_by_role("heading", name="pictures")).to_be_visible()
        assert page.url == f"{host}/browse/pictures"
        expect(page.get_by_role("list", name="Folders")).to_contain_text("inner folder")
        expect(page.get_by_role("list", name="Other files")).to_contain_text("notes.txt")
        thumbnail = page.get_by_role("link", name="flat.tif").locator("img.arrived")
        expect(thumbnail).to_be_visible()
        page.wait_for_timeout(400)  # it fades in
        assert_shows(screenshot(thumbnail.screenshot()), plane(7), SHIFT)


def test_what_cannot_be_read_is_shown_with_the_reason(chromium: Browser, host: str):
    with visit(chromium, host, "light") as visited:
        page = visited.go("/browse/pictures/inner%20folder/broken%20files")
        card = page.get_by_role("link", name="broken.tif")
        expect(card).to_contain_text("unreadable")
        expect(card).to_contain_text("broken.tif:")
        card.click()
        expect(page.get_by_role("alert")).to_contain_text("The image is there and its bytes cannot be understood")
        expect(page.get_by_role("alert")).to_contain_text("broken.tif")
        # The browser itself tells of answers that are errors.
        assert {text.partition(":")[0] for text in visited.troubles} == {"Failed to load resource"}
        visited.troubles.clear()


def test_what_is_not_there_is_said(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/browse/pictures/nowhere")
        expect(page.get_by_role("alert")).to_contain_text("There is no such path")
        visited.troubles.clear()


def test_search_finds_by_name_as_one_types(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/")
        page.get_by_role("searchbox").press_sequentially("STA")
        expect(page.get_by_role("link", name="stack #1.tif")).to_be_visible()
        expect(page.get_by_role("link", name="flat.tif")).to_have_count(0)
        page.get_by_role("link", name="stack #1.tif").click()
        expect(page.get_by_role("heading", name="stack #1.tif")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("searchbox")).to_have_value("STA")


def test_the_live_view_shows_the_picture(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/pictures/flat.tif")
        assert_shows(seen_picture(page), plane(7), SHIFT)


def test_the_slider_leafs_through_a_stack(chromium: Browser, host: str):
    with visit(chromium, host, "light") as visited:
        page = visited.go("/image/pictures/stack%20%231.tif")
        assert_shows(seen_picture(page), plane(1), SHIFT)
        slider = page.get_by_role("slider", name="Depth z")
        slider.focus()
        with page.expect_response(lambda response: "/render,z=2/" in response.url and "_files/" in response.url):
            slider.press("ArrowRight")
        expect(page.locator(".slider output")).to_contain_text("3 µm")
        assert_shows(seen_picture(page), plane(2), SHIFT)
        expect(page.locator(".scale-bar")).to_be_visible()


def test_the_page_tells_what_the_image_is(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/pictures/stack%20%231.tif")
        expect(page.get_by_role("list", name="In short")).to_contain_text("256 \u00d7 256 \u00d7 3")
        axes = page.get_by_role("table", name="Axes")
        assert axes.get_by_role("row", name="z space").inner_text().split("\t")[1:] == ["3", "1.5 µm", "4.5 µm"]
        assert axes.get_by_role("row", name="x space").inner_text().split("\t")[1:] == ["256", "0.5 µm", "128 µm"]
        expect(page.locator(".histogram-text")).to_contain_text("60\u202f000")


def test_the_page_tells_what_the_image_was_made_with(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/pictures/inner%20folder/scope.ome.tif")
        told = page.locator(".facts .pairs")
        expect(told).to_contain_text("Stage position")
        pairs = dict(zip(told.locator("dt").all_inner_texts(), told.locator("dd").all_inner_texts(), strict=True))
        assert (pairs["Instrument"], pairs["Objective"]) == ("Scope 3", "Plan 40x")
        assert (pairs["Magnification"], pairs["Numerical aperture"]) == ("40×", "0.95")
        assert pairs["Stage position"] == "x 49\u202f481.8 µm, z -0.25 µm"


def test_every_representation_has_an_address_that_works(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/pictures/stack%20%231.tif")
        fields = page.locator(".address .url")
        expect(fields.first).to_be_visible()
        addresses = [field.inner_text() for field in fields.all()]
        assert len(addresses) >= 6
        for address in addresses:
            assert address.startswith(f"{host}/data/pictures/stack%20%231.tif/")
            assert page.request.get(address, headers={"range": "bytes=0-0"}).ok, address
        page.get_by_role("button", name="napari").click()
        expect(page.locator(".steps").first).to_contain_text(f"{host}/data/")
        refused = page.locator(".representation.refused")
        page.get_by_role("button", name="All formats").click()
        expect(refused.filter(has_text="JPEG")).to_contain_text("uint16")


def test_the_address_is_copied(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        visited.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = visited.go("/image/pictures/flat.tif")
        page.get_by_role("button", name="Copy the address of OME-Zarr 0.5").click()
        expect(page.get_by_text("Copied", exact=True)).to_be_visible()
        address = page.get_by_role("article", name="OME-Zarr 0.5").locator(".url").inner_text()
        assert page.evaluate("navigator.clipboard.readText()") == address


def test_it_is_used_without_a_mouse(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/image/pictures/flat.tif")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        before = page.locator(".coordinates").inner_text()
        page.get_by_role("button", name="Zoom in").focus()
        page.keyboard.press("Enter")
        expect(page.locator(".coordinates")).not_to_have_text(before)


def test_the_reference_of_the_rest_part_tries_a_request_out(chromium: Browser, host: str):
    with visit(chromium, host) as visited:
        page = visited.go("/")
        page.get_by_role("link", name="REST part").click()
        page.get_by_role("button", name="GET /api/repositories All repositories").click()
        page.get_by_role("button", name="Try it out").click()
        page.get_by_role("button", name="Execute").click()
        expect(page.locator(".response .microlight").first).to_contain_text("pictures")
