"""The REST part, over HTTP, on a repository with right, broken and other files."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from tests.servers import of_folder

RANDOM = np.random.default_rng(11)
STACK = RANDOM.integers(0, 4000, (2, 5, 300, 400)).astype(np.uint16)
Y, X = np.mgrid[0:200, 0:350]
RGB = np.stack([X * 255 // 350, Y * 255 // 200, (X + Y) * 255 // 550], axis=-1).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lab")
    (root / "day 1").mkdir()
    metadata: dict[str, Any] = {"axes": "CZYX", "Channel": {"Name": ["DAPI", "GFP"]}}
    for axis, size in {"X": 0.5, "Y": 0.5, "Z": 2.0}.items():
        metadata |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": "µm"}
    tifffile.imwrite(root / "day 1" / "stack.ome.tif", STACK, tile=(64, 64), metadata=metadata, ome=True)
    tifffile.imwrite(root / "picture.tif", RGB, photometric="rgb")
    tifffile.imwrite(root / "complex.tif", np.ones((20, 20), np.complex64))
    (root / "broken.tif").write_bytes((root / "picture.tif").read_bytes()[:100])
    (root / "cut.tif").write_bytes((root / "picture.tif").read_bytes()[:9000])
    (root / "empty.tif").write_bytes(b"")
    (root / "notes.txt").write_text("hello")
    (root / ".secret.tif").write_bytes((root / "picture.tif").read_bytes())
    return root


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[httpx.Client]:
    server = of_folder(folder, max_request=4 << 20)
    with httpx.Client(base_url=server.url, timeout=30) as client:
        yield client
    server.stop()


def path(folder: Path, name: str) -> str:
    return f"{folder.name}/{name}"


def test_repositories_and_folders_are_listed(client: httpx.Client, folder: Path) -> None:
    assert client.get("/api/repositories").json() == {"repositories": [{"name": folder.name}]}
    listed = client.get(f"/api/list/{folder.name}").json()
    assert [(e["name"], e["what"]) for e in listed["entries"]] == [
        ("broken.tif", "image"),
        ("complex.tif", "image"),
        ("cut.tif", "image"),
        ("day 1", "folder"),
        ("empty.tif", "image"),
        ("notes.txt", "file"),
        ("picture.tif", "image"),
    ]
    page = client.get(f"/api/list/{folder.name}", params={"limit": 2, "after": "cut.tif"}).json()
    assert [e["name"] for e in page["entries"]] == ["day 1", "empty.tif"]
    assert page["next"] == "empty.tif/"
    assert client.get(f"/api/list/{path(folder, 'nothing')}").status_code == 404


def test_search_finds_names_in_any_case(client: httpx.Client, folder: Path) -> None:
    found = client.get("/api/search", params={"q": "STACK"}).json()
    assert found == {
        "results": [{"name": "stack.ome.tif", "path": path(folder, "day 1/stack.ome.tif"), "what": "image"}],
        "complete": True,
        "indexed": None,
    }
    assert client.get("/api/search", params={"q": "secret"}).json()["results"] == []
    assert client.get("/api/search", params={"q": " "}).status_code == 400


def test_an_image_is_described(client: httpx.Client, folder: Path) -> None:
    told = client.get(f"/api/image/{path(folder, 'day 1/stack.ome.tif')}").json()
    assert told["dtype"] == "uint16"
    assert [(a["name"], a["size"], a["spacing"], a["unit"]) for a in told["axes"]] == [
        ("c", 2, 1.0, None),
        ("z", 5, 2.0, "micrometer"),
        ("y", 300, 0.5, "micrometer"),
        ("x", 400, 0.5, "micrometer"),
    ]
    assert [c["name"] for c in told["channels"]] == ["DAPI", "GFP"]
    assert told["levels"][1]["shape"] == [2, 5, 150, 200]
    assert told["format"].startswith("OME-TIFF")


@pytest.mark.parametrize("name", ["broken.tif", "empty.tif"])
def test_a_broken_file_is_told_clearly_and_hides_nothing(client: httpx.Client, folder: Path, name: str) -> None:
    for route in ("image", "thumbnail", "representations", "statistics"):
        answer = client.get(f"/api/{route}/{path(folder, name)}")
        assert answer.status_code == 502, route
        assert name in answer.json()["detail"]
        assert answer.headers["content-type"] == "application/problem+json"
    below = client.get(f"/data/{path(folder, name)}/").json()
    assert [e["name"] for e in below["entries"]] == ["stored"]
    stored = client.get(f"/data/{path(folder, name)}/stored/{name}")
    assert stored.content == (folder / name).read_bytes()
    assert client.get(f"/api/image/{path(folder, 'picture.tif')}").status_code == 200


def test_a_file_that_was_cut_off_gives_no_pixel_that_is_not_there(client: httpx.Client, folder: Path) -> None:
    for url in (
        f"/api/thumbnail/{path(folder, 'cut.tif')}",
        f"/data/{path(folder, 'cut.tif')}/original/cut.ome.zarr/0/c/0/0/0",
    ):
        answer = client.get(url)
        assert answer.status_code == 502
        assert "cut.tif" in answer.json()["detail"]


def test_every_representation_has_its_address_and_steps(client: httpx.Client, folder: Path) -> None:
    told = client.get(f"/api/representations/{path(folder, 'day 1/stack.ome.tif')}").json()
    rows = {row["layout"]: row for row in told["representations"]}
    assert rows["ome-zarr"]["view"] == "original"
    assert rows["dzi"]["view"] == "render"
    for row in rows.values():
        assert row["refused"] or row["steps"]
        assert row["refused"] or client.get(row["url"], follow_redirects=True).status_code == 200, row
        for step in row["steps"]:
            assert "{url}" not in step["text"]
    assert f"{client.base_url}".rstrip("/") in rows["ome-zarr"]["steps"][0]["text"]


def test_what_no_layout_can_hold_is_refused_with_the_way_out(client: httpx.Client, folder: Path) -> None:
    told = client.get(f"/api/representations/{path(folder, 'complex.tif')}").json()
    refused = {row["layout"]: row["refused"] for row in told["representations"] if row["refused"]}
    assert "complex" in refused["precomputed"]
    answer = client.get(f"/data/{path(folder, 'complex.tif')}/original/complex.precomputed/info")
    assert answer.status_code == 422
    assert answer.json()["detail"] == refused["precomputed"]


def test_a_thumbnail_is_the_picture_made_small(client: httpx.Client, folder: Path) -> None:
    answer = client.get(f"/api/thumbnail/{path(folder, 'picture.tif')}", params={"size": 70})
    assert answer.headers["content-type"] == "image/jpeg"
    small = np.asarray(Pillow.open(io.BytesIO(answer.content)), float)
    assert small.shape == (40, 70, 3)
    expected = RGB.reshape(40, 5, 70, 5, 3).mean((1, 3))
    assert np.abs(small - expected).mean() < 3
    assert np.abs(small[:, ::-1] - expected).mean() > 12, "a mirrored picture must not pass"
    tag = answer.headers["etag"]
    again = client.get(f"/api/thumbnail/{path(folder, 'picture.tif')}?size=70", headers={"if-none-match": tag})
    assert again.status_code == 304
    assert client.get(f"/api/thumbnail/{path(folder, 'picture.tif')}", params={"size": 5000}).status_code == 400


def test_a_thumbnail_of_several_images_is_that_of_the_first(client: httpx.Client, folder: Path) -> None:
    with tifffile.TiffWriter(folder / "day 1" / "two.ome.tif", ome=True) as writer:
        writer.write(RGB, photometric="rgb")
        writer.write(RGB[::-1], photometric="rgb")
    image = client.get(f"/api/image/{path(folder, 'day 1/two.ome.tif')}").json()
    first = client.get(f"/api/thumbnail/{image['scenes'][0]['path']}").content
    second = client.get(f"/api/thumbnail/{image['scenes'][1]['path']}").content
    assert client.get(f"/api/thumbnail/{path(folder, 'day 1/two.ome.tif')}").content == first != second


def test_a_thumbnail_that_would_read_too_much_is_refused(
    client: httpx.Client, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diascope.catalogue.thumbnail.MOST", 1000)
    answer = client.get(f"/api/thumbnail/{path(folder, 'picture.tif')}?size=71")
    assert answer.status_code == 413
    assert "200 by 350" in answer.json()["detail"]


def test_statistics_are_of_the_pixels(client: httpx.Client, folder: Path) -> None:
    told = client.get(f"/api/statistics/{path(folder, 'day 1/stack.ome.tif')}").json()
    assert told["level"] == 0
    for channel, pixels in zip(told["channels"], STACK, strict=True):
        assert channel["min"] == pixels.min()
        assert channel["max"] == pixels.max()
        assert channel["mean"] == pytest.approx(pixels.mean())
        assert channel["percentiles"]["99"] == pytest.approx(np.percentile(pixels, 99))
        assert sum(channel["histogram"]["counts"]) == pixels.size
    windowed = client.get(
        f"/api/statistics/{path(folder, 'day 1/stack.ome.tif')}", params={"view": "window,low=0,high=4000"}
    ).json()
    assert windowed["channels"][0]["max"] <= 255
    assert client.get(f"/api/statistics/{path(folder, 'complex.tif')}").status_code == 422


def cutout(client: httpx.Client, folder: Path, **query: str) -> httpx.Response:
    return client.get(f"/api/cutout/{path(folder, 'day 1/stack.ome.tif')}", params=query)


def test_a_cutout_at_a_level_is_exactly_the_pixels(client: httpx.Client, folder: Path) -> None:
    answer = cutout(client, folder, x="10..50", y="..30", z="2..3")
    np.testing.assert_array_equal(np.load(io.BytesIO(answer.content)), STACK[:, 2:3, :30, 10:50])
    tiff = tifffile.TiffFile(io.BytesIO(cutout(client, folder, x="10..50", format="tiff").content))
    assert tiff.series[0].axes == "CZYX"
    np.testing.assert_array_equal(tiff.asarray(), STACK[..., 10:50])
    nii = nibabel.Nifti1Image.from_bytes(cutout(client, folder, c="1..2", format="nii").content)
    np.testing.assert_array_equal(np.asarray(nii.dataobj).transpose(2, 1, 0), STACK[1])
    np.testing.assert_allclose(nii.header.get_zooms(), (0.0005, 0.0005, 0.002))


def test_a_cutout_at_the_native_spacing_is_exactly_the_pixels(client: httpx.Client, folder: Path) -> None:
    answer = cutout(client, folder, spacing="0.5 um", x="5..25", y="0..10", c="0..1")
    pixels = np.load(io.BytesIO(answer.content))
    # Planes lie 2 µm apart: three of four samples lie between them.
    assert pixels.shape == (1, 20, 20, 40)
    between = np.linspace(-0.375, 4.375, 20).clip(0, 4)
    low = np.minimum(between.astype(int), 3)
    part = (between - low)[:, None, None]
    planes = STACK[0, :, :20, 10:50].astype(float)
    assert np.abs(pixels[0] - (planes[low] * (1 - part) + planes[low + 1] * part)).max() <= 0.5


def test_a_cutout_at_twice_the_spacing_is_the_binned_level(client: httpx.Client, folder: Path) -> None:
    pixels = np.load(io.BytesIO(cutout(client, folder, spacing="0.001 mm", c="1..2", z="0..0.002").content))
    assert pixels.shape == (1, 2, 150, 200)
    binned = (STACK[1, 0].astype(int).reshape(150, 2, 200, 2).sum((1, 3)) + 2) // 4
    np.testing.assert_array_equal(pixels[0, 0], binned)


@pytest.mark.parametrize(
    ("query", "status", "told"),
    [
        ({"x": "0..500"}, 400, "leaves 0..400"),
        ({"x": "50..10"}, 400, "empty"),
        ({"x": "abc"}, 400, "no range"),
        ({"x": "1.5..7"}, 400, "whole pixels"),
        ({"t": "0..1"}, 400, "axes"),
        ({"level": "9"}, 400, "levels 0 to"),
        ({"spacing": "2 parsnips"}, 400, "no length"),
        ({"spacing": "0 um"}, 400, "no length"),
        ({"format": "exe"}, 400, "npy"),
        ({"spacing": "0.1 um"}, 413, "max_request"),
        ({"view": "nonsense"}, 400, "no operation"),
    ],
)
def test_bad_cutouts_are_refused_with_the_reason(
    client: httpx.Client, folder: Path, query: dict[str, str], status: int, told: str
) -> None:
    answer = cutout(client, folder, **query)
    assert answer.status_code == status
    assert told in answer.json()["detail"]


def test_errors_of_the_framework_have_the_same_shape(client: httpx.Client) -> None:
    for url, status in (("/api/nothing", 404), ("/api/search", 400)):
        answer = client.get(url)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) == {"type", "title", "status", "detail", "instance", "request"}


def test_the_rest_part_describes_itself(client: httpx.Client) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert "/api/cutout/{path}" in paths
    assert all("summary" in each for methods in paths.values() for each in methods.values())


def test_a_replaced_file_is_seen(tmp_path: Path) -> None:
    live = of_folder(tmp_path, refresh_seconds=0)
    url = f"{live.url}/data/{tmp_path.name}/a.tif/original/a.ome.zarr"
    seen = []
    for value in (1, 2):
        tifffile.imwrite(tmp_path / "new.part", np.full((64, 64), value, np.uint8))
        os.replace(tmp_path / "new.part", tmp_path / "a.tif")  # noqa: PTH105
        chunk = httpx.get(f"{url}/0/c/0/0")
        seen.append((chunk.content, chunk.headers["etag"]))
    live.stop()
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] != seen[1][1]
