"""Every kind of recipe is what numpy makes of the same files, whole and in parts, bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import tifffile
import urllib3
import zarr

from diascope.errors import Unreadable
from diascope.image.halving import means, modes
from diascope.image.label_colours import label_colours
from diascope.image.level import Pixels
from diascope.operations.view import view
from tests.servers import of_folder
from tests.sources.recipes import image, made, noise, placed, recipe, section, whole


def halved(pixels: Pixels, *factors: int) -> Pixels:
    return means(pixels, factors)


def test_a_stack_is_its_sections_on_top_of_each_other(tmp_path: Path) -> None:
    sections = [section(tmp_path, f"s/a{k:02}.tif", noise(k, (290, 310))) for k in (7, 8, 9)]
    found = made(tmp_path, "{recipe: stack, pattern: 's/a{n:int}.tif', thickness: 1.5 um}")
    assert [(axis.name, axis.unit) for axis in found.axes] == [(name, "micrometer") for name in "zyx"]
    assert found.levels[0].scale == (1.5, 1.0, 1.0)
    assert np.array_equal(whole(found), np.stack(sections))
    coarse = np.stack([halved(each, 2, 2) for each in sections])
    assert found.levels[1].scale == (3.0, 2.0, 2.0)
    assert found.levels[1].translation == (0.75, 0.5, 0.5)
    assert np.array_equal(whole(found, 1), halved(coarse, 2, 1, 1))


def test_thick_sections_stay_apart_in_coarse_levels(tmp_path: Path) -> None:
    sections = [section(tmp_path, f"{k}.tif", noise(k, (290, 310))) for k in range(3)]
    found = made(tmp_path, "{recipe: stack, pattern: '{n:int}.tif', thickness: 50 um}")
    assert np.array_equal(whole(found, 1), np.stack([halved(each, 2, 2) for each in sections]))


def test_missing_sections_are_filled_where_that_is_said(tmp_path: Path) -> None:
    pixels = {k: section(tmp_path, f"{k}.tif", noise(k)) for k in (2, 4, 8)}
    said = (
        "{recipe: stack, pattern: '{n:int}.tif', thickness: 1 um, first: 0, last: 9, step: 2, missing: fill, fill: 9}"
    )
    expected = np.stack([pixels.get(k, np.full((30, 40), 9, np.uint16)) for k in (0, 2, 4, 6, 8)])
    assert np.array_equal(whole(made(tmp_path, said)), expected)
    with pytest.raises(Unreadable, match=r"line 1, pattern: of 2 numbers there is no file, the first being 0"):
        image(recipe(tmp_path, said.replace(", missing: fill", "")))
    with pytest.raises(Unreadable, match=r"line 1, fill: 70000 is no value of uint16"):
        image(recipe(tmp_path, said.replace("fill: 9", "fill: 70000")))


def test_listed_sections_stand_where_they_are_told(tmp_path: Path) -> None:
    one, two = (section(tmp_path, f"{name}.tif", noise(k)) for k, name in enumerate("ab"))
    said = """
        recipe: stack
        sections:
          - file: b.tif
          - {file: a.tif, at: 3}
          - {file: a.tif, view: invert}
        thickness: 2 um
        missing: fill
    """
    gap = np.zeros((30, 40), np.uint16)
    assert np.array_equal(whole(made(tmp_path, said)), np.stack([two, gap, gap, one, 65535 - one]))


@pytest.mark.parametrize("interpolation", ["nearest", "linear", "cubic"])
def test_moved_sections_are_what_the_operation_makes_of_each(tmp_path: Path, interpolation: str) -> None:
    matrices = {"a": (0.9, -0.2, 3.5, 0.25, 1.1, -2), "b": (1, 0, 0, 0, 1, 0), "c": (0, -1.5, 20, 1, 0.5, 7.25)}
    for k, name in enumerate(matrices):
        section(tmp_path, f"{name}.tif", noise(k, (270, 290)))
    listed = "\n".join(f"          - {{file: {name}.tif, affine: {list(by)}}}" for name, by in matrices.items())
    said = f"""
        recipe: stack
        sections:
{listed}
        thickness: 40 um
        interpolation: {interpolation}
        unit: um
        grid: {{size: [300, 320], origin: [-10, 5.5], pixel: [1.25, 0.75]}}
    """
    found = made(tmp_path, said)
    for k, (name, by) in enumerate(matrices.items()):
        told = "+".join(map(str, by))
        spelled = (
            f"affine,matrix={told},unit=um,interpolation={interpolation},size=300+320,origin=-10+5.5,pixel=1.25+0.75"
        )
        expected = view(spelled).applied(image(tmp_path / f"{name}.tif"))
        assert len(found.levels) == len(expected.levels)
        for level in range(len(found.levels)):
            assert np.array_equal(whole(found, level)[k], whole(expected, level)), (name, level)


def test_a_table_moves_the_sections_of_a_pattern(tmp_path: Path) -> None:
    pixels = [section(tmp_path, f"s{k}.tif", noise(k)) for k in (5, 6)]
    (tmp_path / "moves.csv").write_text("section,x,y\n6,-2,3\n5,0,0\n")
    found = made(
        tmp_path,
        "{recipe: stack, pattern: 's{n:int}.tif', thickness: 9 um, transformations: moves.csv}",
    )
    expected = np.zeros((2, 33, 42), np.uint16)
    expected[0, :30, 2:], expected[1, 3:, :40] = pixels
    assert np.array_equal(whole(found), expected)
    (tmp_path / "moves.csv").write_text("section,x,y\n6,-2,3\n")
    with pytest.raises(Unreadable, match=r"moves.csv has no row of section 5, s5.tif"):
        image(tmp_path / "made.recipe.yaml")
    (tmp_path / "moves.csv").write_text("section,x,y\n6,-2,3\n\n5,0,far\n")
    with pytest.raises(Unreadable, match=r"moves.csv, line 4, y: 'far' is no number"):
        image(tmp_path / "made.recipe.yaml")


def test_a_table_gives_sections_views_of_their_own(tmp_path: Path) -> None:
    one, two = (section(tmp_path, f"s{k}.tif", noise(k)) for k in range(2))
    (tmp_path / "views.csv").write_text('section,view\n0,"flip,axes=x"\n1,invert\n')
    said = "{recipe: stack, pattern: 's{n:int}.tif', thickness: 9 um, transformations: views.csv}"
    assert np.array_equal(whole(made(tmp_path, said)), np.stack([one[:, ::-1], 65535 - two]))
    (tmp_path / "views.csv").write_text("section,view\n0,invert\n1,bake\n")
    with pytest.raises(Unreadable, match=r"views.csv, line 3, view: 'bake' is no operation"):
        image(tmp_path / "made.recipe.yaml")


def test_a_view_and_a_matrix_are_one_interpolation(tmp_path: Path) -> None:
    section(tmp_path, "0.tif", noise(1, (60, 70), np.float32))
    turned = "affine,matrix=0.9+0.2+1+-0.2+0.9+3"
    said = f"""
        recipe: stack
        thickness: 1 um
        sections: [{{file: 0.tif, view: "{turned}", affine: [1.1, 0, -2, 0.1, 1, 5]}}]
        grid: {{size: [50, 40]}}
    """
    once = view(f"{turned}~affine,matrix=1.1+0+-2+0.1+1+5,size=50+40").applied(image(tmp_path / "0.tif"))
    assert once.resampling is not None
    assert once.resampling.source.shape == (60, 70)
    assert np.array_equal(whole(made(tmp_path, said))[0], whole(once))


def test_stacks_of_labels_stay_labels(tmp_path: Path) -> None:
    pixels = [noise(k, (270, 260), np.uint8) % 5 for k in range(3)]
    for k, each in enumerate(pixels):
        labelled(tmp_path / f"{k}.ome.zarr", each)
    names = ", ".join(f"{{file: {k}.ome.zarr, scene: labels/cells}}" for k in range(3))
    found = made(tmp_path, f"{{recipe: stack, sections: [{names}], thickness: 1 um}}")
    assert found.kind == "labels"
    assert np.array_equal(whole(found), np.stack(pixels))
    coarse = modes(np.stack([modes(each, (2, 2)) for each in pixels]), (2, 1, 1))
    assert np.array_equal(whole(found, 1), coarse)


def labelled(path: Path, labels: Pixels) -> None:
    """An OME-Zarr of nothing, with labels."""
    placed(path, np.zeros_like(labels), 0.0)
    placed(path / "labels" / "cells", labels, 0.0)
    zarr.create_group(path / "labels", overwrite=False, attributes={"ome": {"version": "0.5", "labels": ["cells"]}})


def test_a_time_series_has_its_interval(tmp_path: Path) -> None:
    frames = [section(tmp_path, f"t{k}.tif", noise(k, (20, 30, 3), np.uint8)) for k in range(3)]
    found = made(tmp_path, "{recipe: time, pattern: 't{n:int}.tif', interval: 2.5 s}")
    assert (found.axis_names, found.kind) == ("tcyx", "rgb")
    assert (found.levels[0].scale[0], found.axes[0].unit) == (2.5, "second")
    assert np.array_equal(whole(found), np.stack(frames).transpose(0, 3, 1, 2))


def test_channels_of_several_files_are_one_image(tmp_path: Path) -> None:
    one, two = section(tmp_path, "1.tif", noise(1)), section(tmp_path, "2.tif", noise(2))
    said = """
        recipe: channels
        channels:
          - {file: 1.tif, name: DAPI, colour: 0000ff}
          - file: 2.tif
    """
    found = made(tmp_path, said)
    assert np.array_equal(whole(found), np.stack([one, two]))
    assert [(channel.name, channel.colour) for channel in found.channels] == [("DAPI", "0000ff"), ("", None)]


def test_channels_of_other_shapes_are_resampled_where_that_is_said(tmp_path: Path) -> None:
    one, two = section(tmp_path, "1.tif", noise(1)), section(tmp_path, "2.tif", noise(2, (20, 50)))
    said = "{recipe: channels, channels: [{file: 1.tif}, {file: 2.tif}]}"
    with pytest.raises(Unreadable, match=r"2.tif: its shape is \(1, 20, 50\), that of the first file \(1, 30, 40\)"):
        image(recipe(tmp_path, said))
    found = made(tmp_path, said.replace("]}", "], resample: true}"))
    expected = np.zeros((2, 30, 40), np.uint16)
    expected[0], expected[1, :20] = one, two[:, :40]
    assert np.array_equal(whole(found), expected)


@pytest.mark.parametrize("axis", ["y", "x"])
def test_images_are_put_together_along_an_axis(tmp_path: Path, axis: str) -> None:
    shapes = ((260, 300), (256, 300)) if axis == "y" else ((300, 260), (300, 256))
    parts = [section(tmp_path, f"{k}.tif", noise(k, shape)) for k, shape in enumerate(shapes)]
    found = made(tmp_path, f"{{recipe: concatenate, axis: {axis}, parts: [{{file: 0.tif}}, {{file: 1.tif}}]}}")
    both = np.concatenate(parts, axis="yx".index(axis))
    assert np.array_equal(whole(found), both)
    assert np.array_equal(whole(found, 1), halved(both, 2, 2))


def test_volumes_are_put_together_along_z_and_t(tmp_path: Path) -> None:
    for k in range(3):
        section(tmp_path, f"{k}.tif", noise(k))
    recipe(tmp_path, "{recipe: stack, pattern: '{n:int}.tif', thickness: 1 um}", "volume.recipe.yaml")
    recipe(tmp_path, "{recipe: time, frames: [{file: volume.recipe.yaml}]}", "series.recipe.yaml")
    said = """
        recipe: concatenate
        axis: z
        parts: [{file: volume.recipe.yaml, view: "crop,z=1..3"}, {file: volume.recipe.yaml}]
    """
    pixels = np.stack([noise(k) for k in range(3)])
    assert np.array_equal(whole(made(tmp_path, said)), np.concatenate([pixels[1:], pixels]))
    said = "{recipe: concatenate, axis: t, parts: [{file: series.recipe.yaml}, {file: series.recipe.yaml}]}"
    assert np.array_equal(whole(made(tmp_path, said)), np.stack([pixels, pixels]))


def test_channels_are_put_together_along_c(tmp_path: Path) -> None:
    one, two = section(tmp_path, "1.tif", noise(1)), section(tmp_path, "2.tif", noise(2))
    listed = "{file: 1.tif, name: a}, {file: 2.tif, name: b}"
    recipe(tmp_path, f"{{recipe: channels, channels: [{listed}]}}", "two.recipe.yaml")
    parts = "{file: two.recipe.yaml}, {file: two.recipe.yaml, view: 'crop,c=1..2'}"
    found = made(tmp_path, f"{{recipe: concatenate, axis: c, parts: [{parts}]}}")
    assert np.array_equal(whole(found), np.stack([one, two, two]))
    assert [channel.name for channel in found.channels] == ["a", "b", "b"]


PLACES = ((0, 0), (31, 2), (3, 24), (33, 26))
"""Of tiles of 30 rows and 40 columns, as x and y."""


def blended(tiles: list[Pixels]) -> Pixels:
    """The mosaic by the formula."""
    total, weight = np.zeros((56, 73)), np.zeros((56, 73))
    for (x, y), tile in zip(PLACES, tiles, strict=True):
        rows, columns = np.arange(30), np.arange(40)
        by = (np.minimum(rows, 29 - rows) + 1.0)[:, None] * (np.minimum(columns, 39 - columns) + 1.0)
        total[y : y + 30, x : x + 40] += by * tile
        weight[y : y + 30, x : x + 40] += by
    mean = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    return np.floor(mean + 0.5).astype(np.uint16)


def test_a_mosaic_blends_its_tiles_where_they_overlap(tmp_path: Path) -> None:
    tiles = [section(tmp_path, f"{k}.tif", noise(k)) for k in range(4)]
    rows = "\n".join(f"{k}.tif,{100 + x},{50 + y}" for k, (x, y) in enumerate(PLACES))
    (tmp_path / "stage.csv").write_text(f"file,x,y\n{rows}\n")
    found = made(tmp_path, "{recipe: mosaic, table: stage.csv, unit: um}")
    assert found.levels[0].translation == (50.0, 100.0)
    assert np.array_equal(whole(found), blended(tiles))
    seam = whole(made(tmp_path, "{recipe: mosaic, table: stage.csv, blend: none}"))
    assert np.array_equal(seam[:24, :31], tiles[0][:24, :31])
    assert np.array_equal(seam[10, 31:40], [*tiles[0][10, 31:36], *tiles[1][8, 5:9]])


def test_a_mosaic_of_colours_and_of_volumes_blends_each(tmp_path: Path) -> None:
    tiles = [section(tmp_path, f"{k}.tif", noise(k, (30, 40, 3), np.uint8)) for k in range(2)]
    found = made(
        tmp_path, "{recipe: mosaic, tiles: [{file: 0.tif, position: [0, 0]}, {file: 1.tif, position: [30, 0]}]}"
    )
    assert (found.kind, found.shape) == ("rgb", (3, 30, 70))
    by = (np.arange(10) + 1.0)[None, :, None]
    overlap = np.floor((tiles[0][:, 30:] * by[:, ::-1] + tiles[1][:, :10] * by) / 11 + 0.5)
    expected = np.concatenate([tiles[0][:, :30], overlap, tiles[1][:, 10:]], axis=1)
    assert np.array_equal(whole(found), expected.transpose(2, 0, 1))
    for k in range(2):
        recipe(tmp_path, f"{{recipe: time, frames: [{{file: {k}.tif}}, {{file: {k}.tif}}]}}", f"{k}.recipe.yaml")
    listed = "[{file: 0.recipe.yaml, position: [0, 0]}, {file: 1.recipe.yaml, position: [30, 0]}]"
    series = made(tmp_path, f"{{recipe: mosaic, tiles: {listed}}}")
    assert np.array_equal(whole(series)[1], whole(found))


def test_floats_that_are_alone_are_themselves(tmp_path: Path) -> None:
    tiles = [section(tmp_path, f"{k}.tif", noise(k, dtype=np.float32)) for k in range(2)]
    tiles[0][3, 3] = np.nan
    section(tmp_path, "0.tif", tiles[0])
    found = made(
        tmp_path, "{recipe: mosaic, tiles: [{file: 0.tif, position: [0, 0]}, {file: 1.tif, position: [30, 0]}]}"
    )
    assert np.array_equal(whole(found)[:, :30], tiles[0][:, :30], equal_nan=True)
    assert np.array_equal(whole(found)[:, 40:], tiles[1][:, 10:])


def test_a_mosaic_of_one_picture_cut_in_tiles_is_the_picture(tmp_path: Path) -> None:
    y, x = np.mgrid[:600, :700]
    picture = (20 * y + 31 * x).astype(np.uint16)
    listed = []
    for k, (top, left) in enumerate((y, x) for y in (0, 256) for x in (0, 200, 356)):
        section(tmp_path, f"{k}.tif", picture[top : top + 344, left : left + 344])
        listed.append(f"{{file: {k}.tif, position: [{left}, {top}]}}")
    found = made(tmp_path, f"{{recipe: mosaic, tiles: [{', '.join(listed)}]}}")
    assert np.array_equal(whole(found), picture)
    for level, factor in ((1, 2), (2, 4)):
        expected = (
            halved(picture.astype(np.float64), 2, 2)
            if factor == 2
            else halved(halved(picture.astype(np.float64), 2, 2), 2, 2)
        )
        inside = tuple(slice(1, n - 1) for n in whole(found, level).shape)
        assert np.abs(whole(found, level)[inside] - expected[inside]).max() <= 1


def test_tiles_may_lie_where_their_files_say(tmp_path: Path) -> None:
    for k, at in enumerate((0.0, 35.0)):
        placed(tmp_path / f"{k}.zarr", noise(k), at)
    found = made(tmp_path, "{recipe: mosaic, tiles: [{file: 0.zarr}, {file: 1.zarr}]}")
    assert found.shape == (30, 75)
    assert np.array_equal(whole(found)[:, 40:], noise(1)[:, 5:])


def test_labels_lie_in_colours_on_a_picture(tmp_path: Path) -> None:
    grey = section(tmp_path, "grey.tif", noise(1, (280, 300), np.uint8))
    labels = section(tmp_path, "labels.tif", noise(2, (280, 300)) % 4)
    said = (
        "{recipe: overlay, image: {file: grey.tif}, labels: {file: labels.tif}, opacity: 0.25, colours: {'3': ff8000}}"
    )
    found = made(tmp_path, said)
    assert (found.kind, found.axis_names) == ("rgb", "cyx")

    def expected(grey: Pixels, labels: Pixels) -> Pixels:
        colours = label_colours(labels)
        colours[labels == 3] = (255, 128, 0)
        mixed = np.floor(grey[..., None] * 0.75 + colours * 0.25 + 0.5).astype(np.uint8)
        return np.where((labels != 0)[..., None], mixed, grey[..., None]).transpose(2, 0, 1)

    assert np.array_equal(whole(found), expected(grey, labels))
    assert np.array_equal(whole(found, 1), expected(halved(grey, 2, 2), modes(labels, (2, 2))))


def test_labels_without_planes_lie_on_every_plane(tmp_path: Path) -> None:
    greys = [section(tmp_path, f"g{k}.tif", noise(k, dtype=np.uint8)) for k in range(3)]
    labels = section(tmp_path, "labels.tif", noise(5) % 3)
    recipe(tmp_path, "{recipe: stack, pattern: 'g{n:int}.tif', thickness: 1 um}", "volume.recipe.yaml")
    said = "{recipe: overlay, image: {file: volume.recipe.yaml}, labels: {file: labels.tif}, opacity: 1}"
    found = made(tmp_path, said)
    assert found.axis_names == "czyx"
    shown = np.where(labels != 0, label_colours(labels).transpose(2, 0, 1)[:, None], np.stack(greys))
    assert np.array_equal(whole(found), shown)
    with pytest.raises(Unreadable, match=r"the labels have an axis z, which the picture lacks"):
        image(recipe(tmp_path, "{recipe: overlay, image: {file: g0.tif}, labels: {file: volume.recipe.yaml}}"))


def test_a_picture_that_is_none_is_refused_with_what_helps(tmp_path: Path) -> None:
    section(tmp_path, "deep.tif", noise(1))
    said = "{recipe: overlay, image: {file: deep.tif}, labels: {file: deep.tif}}"
    with pytest.raises(Unreadable, match="give it a view such as `render`"):
        image(recipe(tmp_path, said))
    found = made(tmp_path, said.replace("{file: deep.tif}, l", "{file: deep.tif, view: render}, l"))
    assert found.kind == "rgb"


def test_real_files_through_zarr_python(tmp_path: Path, shared_data: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    for name in ("xyz_16bit__spots.tif", "xyc_16bit__cell_dna_mts_actin.tif"):
        (folder / name).write_bytes((shared_data / "imagej-tiff" / name).read_bytes())
    spots = tifffile.imread(folder / "xyz_16bit__spots.tif")
    cells = tifffile.imread(folder / "xyc_16bit__cell_dna_mts_actin.tif")
    planes = ", ".join(
        f'{{file: xyz_16bit__spots.tif, view: "crop,z={k}..{k + 1}~project,axis=z"}}'
        for k in reversed(range(len(spots)))
    )
    recipe(folder, f"{{recipe: stack, sections: [{planes}], thickness: 1 um}}", "turned.recipe.yaml")
    listed = ", ".join(
        f"{{file: xyc_16bit__cell_dna_mts_actin.tif, view: 'crop,c={k}..{k + 1}', name: n{k}}}" for k in (2, 0)
    )
    recipe(folder, f"{{recipe: channels, channels: [{listed}]}}", "two.recipe.yaml")
    server = of_folder(folder)
    try:
        for name, expected in (("turned", spots[::-1]), ("two", cells[[2, 0]])):
            url = f"{server.url}/data/lab/{name}.recipe.yaml/original/{name}.ome.zarr"
            array = zarr.open_group(url, mode="r")["0"]
            assert np.array_equal(array[...], expected), name
    finally:
        server.stop()


def fetched(url: str) -> tuple[int, dict[str, str], bytes]:
    response = urllib3.request("GET", url, retries=False)
    return response.status, {key.lower(): value for key, value in response.headers.items()}, response.data


def test_over_http_a_replaced_section_is_another_file_and_trouble_is_no_hole(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    for k in range(3):
        section(folder, f"{k}.tif", noise(k))
    recipe(folder, "{recipe: stack, pattern: '{n:int}.tif', thickness: 1 um}", "s.recipe.yaml")
    server = of_folder(folder, refresh_seconds=0)
    try:
        base = f"{server.url}/data/lab/s.recipe.yaml/original/s.ome.zarr"
        chunks = [f"{base}/0/c/{k}/0/0" for k in range(3)]
        before = [fetched(url) for url in chunks]
        assert [status for status, _, _ in before] == [200, 200, 200]
        section(folder, "new", noise(9))
        (folder / "new").replace(folder / "1.tif")
        after = [fetched(url) for url in chunks]
        assert all(new[1]["etag"] != old[1]["etag"] for new, old in zip(after, before, strict=True))
        assert after[0][2] == before[0][2]
        assert np.array_equal(zarr.open_array(f"{base}/0", mode="r")[1], noise(9))
        (folder / "1.tif").write_bytes((folder / "0.tif").read_bytes()[:100])
        assert [fetched(url)[0] for url in chunks] == [200, 502, 200]
        assert b"1.tif" in fetched(chunks[1])[2]
        (folder / "1.tif").unlink()
        status, _, told = fetched(chunks[0])
        assert status == 502
        assert b"of 1 numbers there is no file, the first being 1" in told
    finally:
        server.stop()


def test_the_schema_is_published(tmp_path: Path) -> None:
    server = of_folder(tmp_path)
    try:
        status, _, told = fetched(f"{server.url}/api/schemas/recipe")
        assert status == 200
        validator = jsonschema.Draft202012Validator(json.loads(told))
        validator.validate({"recipe": "stack", "pattern": "{n:int}.tif", "thickness": "1 um"})
        assert not validator.is_valid({"recipe": "stack", "patern": "{n:int}.tif", "thickness": "1 um"})
    finally:
        server.stop()
