"""What a recipe may not say is refused with the line; trouble of a file is trouble of its regions, and never zeros."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from diascope.catalogue.catalogue import catalogue
from diascope.document import read
from diascope.errors import Overloaded, Unreadable
from diascope.image.level import Pixels
from diascope.image.region import Region
from diascope.settings import RepositorySettings, Settings
from diascope.sources.recipe.model import Recipe
from tests.sources.recipes import image, noise, placed, recipe, section, whole

SAID: dict[str, tuple[str, str]] = {
    "no kind": ("sections: []", r"made.recipe.yaml, line 1.*recipe"),
    "other kind": ("recipe: cake", r"line 1"),
    "both": (
        "recipe: stack\nthickness: 1 um\npattern: '{n:int}.tif'\nsections: [{file: 0.tif}]",
        r"line 1: either a pattern or a list",
    ),
    "neither": ("recipe: time\ninterval: 1 s", r"line 1: either a pattern or a list"),
    "thickness": ("recipe: stack\nthickness: 5 s\nsections: [{file: 0.tif}]", r"line 2, thickness: '5 s' is not such"),
    "no unit": ("recipe: stack\nthickness: '5'\nsections: [{file: 0.tif}]", r"line 2, thickness: '5' is no number"),
    "field": ("recipe: stack\nthickness: 1 um\nsections:\n- {fil: 0.tif}", r"line 4, sections\[0\].fil"),
    "two fields": ("recipe: time\npattern: '{a:int}_{b}.tif'", r"line 2, pattern: it has one field"),
    "matrix": (
        "recipe: stack\nthickness: 1 um\nsections:\n- file: 0.tif\n  affine: [1, 2]",
        r"line 5, sections\[0\].affine",
    ),
    "flat": (
        "recipe: stack\nthickness: 1 um\nsections:\n- file: 0.tif\n  affine: [1, 2, 0, 2, 4, 0]",
        r"line 5, sections\[0\].affine: its matrix flattens the section 0.tif",
    ),
    "nan": ("recipe: stack\nthickness: 1 um\nfill: .nan\nsections:\n- file: 0.tif", r"line 3, fill"),
    "out": ("recipe: time\nframes:\n- file: ../0.tif", r"line 3, frames\[0\].file: '../0.tif' leads out"),
    "deep out": ("recipe: time\nframes:\n- file: a/../../0.tif", r"line 3, frames\[0\].file: .* leads out"),
    "absolute": ("recipe: time\nframes:\n- file: /etc/passwd", r"line 3, frames\[0\].file: '/etc/passwd' leads out"),
    "hidden": ("recipe: time\nframes:\n- file: .git/0.tif", r"line 3, frames\[0\].file: '.git/0.tif' is hidden"),
    "nul": ('recipe: time\nframes:\n- file: "a\\0b"', r"line 3, frames\[0\].file"),
    "absent": ("recipe: time\nframes:\n- file: 0.tif\n- file: 7.tif", r"line 4, frames\[1\].file: there is no file '7"),
    "nothing": ("recipe: time\npattern: 'x{n:int}.tif'", r"line 2, pattern: no file fits it"),
    "view": ("recipe: time\nframes:\n- file: 0.tif\n  view: bake", r"line 4, frames\[0\].view: 'bake' is no operation"),
    "scene": (
        "recipe: time\nframes:\n- file: 0.tif\n  scene: second",
        r"line 3, frames\[0\]: 0.tif: it has no image 'second'",
    ),
    "place": ("recipe: time\nframes:\n- {file: 0.tif, at: 0}\n- {file: 1.tif, at: 0}", r"line 4, frames\[1\].at"),
    "gap": ("recipe: time\nframes:\n- file: 0.tif\n- {file: 1.tif, at: 2}", r"line 2, frames: there is no file at 1"),
    "far": ("recipe: time\nframes:\n- {file: 0.tif, at: 99999999999}", r"line 3, frames\[0\].at"),
    "axis": (
        "recipe: concatenate\naxis: z\nparts: [{file: 0.tif}]",
        r"line 3, parts\[0\]: 0.tif: it has no axis z, only 'yx'",
    ),
    "grid": (
        "recipe: stack\nthickness: 1 um\nsections:\n- {file: 0.tif, affine: [1.0e+11, 0, 0, 0, 1, 0]}",
        r"line 1: the stack would have 4e\+12 pixels",
    ),
    "far tile": (
        "recipe: mosaic\ntiles:\n- {file: 0.tif, position: [0, 0]}\n- {file: 1.tif, position: [1.0e+14, 0]}",
        r"line 1: the mosaic would have more than",
    ),
    "table": ("recipe: mosaic\ntable: no.csv", r"line 2, table: no.csv: there is no such file"),
    "anchor": ("recipe: &a time\nframes: [*a]", r"line 1, recipe: anchors and aliases are not read"),
    "deep": ("recipe: " + "[" * 40 + "]" * 40, r"deep"),
    "twice": ("recipe: time\nrecipe: time", r"line 2, recipe: this key is here twice"),
    "binary": ("\0\1\2", r"made.recipe.yaml"),
    "labels": ("recipe: channels\nchannels: [{file: 0.tif, view: 'bake'}]", r"line 2"),
}


@pytest.mark.parametrize("name", SAID)
def test_what_cannot_be_meant_is_refused_with_its_line(name: str, tmp_path: Path) -> None:
    text, told = SAID[name]
    for k in range(2):
        section(tmp_path / "lab", f"{k}.tif", noise(k))
    section(tmp_path, "0.tif", noise(0))
    section(tmp_path / "lab" / ".git", "0.tif", noise(0))
    path = tmp_path / "lab" / "made.recipe.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(Unreadable, match=told) as error:
        image(path)
    assert "made.recipe.yaml" in str(error.value)


def test_the_recipes_of_the_documentation_are_recipes() -> None:
    text = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text(encoding="utf-8")
    blocks = [
        block for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE) if "recipe:" in block
    ]
    kinds = {read(block, Recipe, "docs/recipes.md").root.recipe for block in blocks}
    assert kinds == {"stack", "channels", "mosaic", "overlay", "concatenate"}


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    section(tmp_path, "0.tif", noise(0))
    said = "recipe: time\nframes:\n- file: 5.tif\n- file: 0.tif\n- file: 6.tif\n"
    with pytest.raises(Unreadable) as error:
        image(recipe(tmp_path, said))
    assert str(error.value).splitlines() == [
        "made.recipe.yaml, line 3, frames[0].file: there is no file '5.tif'",
        "made.recipe.yaml, line 5, frames[2].file: there is no file '6.tif'",
    ]


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    section(tmp_path, "secret.tif", noise(0))
    lab = tmp_path / "lab"
    lab.mkdir()
    (lab / "0.tif").symlink_to(tmp_path / "secret.tif")
    recipe(lab, "{recipe: time, frames: [{file: 0.tif}]}")
    repository = catalogue(Settings(repositories={"lab": RepositorySettings(path=lab)})).repository("lab")
    place = repository.place("made.recipe.yaml")
    assert place is not None
    with pytest.raises(Unreadable, match=r"line 1, frames\[0\].file: 0.tif: .* leads out of its repository"):
        repository.opened(place)


CYCLES = {
    "itself": {"a": "a"},
    "two": {"a": "b", "b": "a"},
    "three": {"a": "b", "b": "c", "c": "b"},
}
CHAINS = {"itself": "a → a", "two": "a → b → a", "three": "b → c → b"}


@pytest.mark.parametrize("name", CYCLES)
def test_a_cycle_is_refused_with_the_way_that_it_goes(name: str, tmp_path: Path) -> None:
    for made, of in CYCLES[name].items():
        recipe(tmp_path, f"{{recipe: time, frames: [{{file: {of}.recipe.yaml}}]}}", f"{made}.recipe.yaml")
    told = " → ".join(f"{each}.recipe.yaml" for each in CHAINS[name].split(" → "))
    with pytest.raises(Unreadable, match=f"line 1, frames.0..file: it would be made of itself: {told}"):
        image(tmp_path / "a.recipe.yaml")


def test_recipes_of_recipes_are_not_deeper_than_eight(tmp_path: Path) -> None:
    section(tmp_path, "0.tif", noise(0))
    recipe(tmp_path, "{recipe: channels, channels: [{file: 0.tif}]}", "1.recipe.yaml")
    for k in range(2, 10):
        recipe(tmp_path, f"{{recipe: channels, channels: [{{file: {k - 1}.recipe.yaml}}]}}", f"{k}.recipe.yaml")
    assert np.array_equal(whole(image(tmp_path / "8.recipe.yaml"))[0], noise(0))
    with pytest.raises(Unreadable, match=r"more than 8 deep: 9.recipe.yaml → 8.recipe.yaml"):
        image(tmp_path / "9.recipe.yaml")


def test_recipes_of_recipes_are_looked_at_once_each(tmp_path: Path) -> None:
    section(tmp_path, "0.tif", noise(0))
    recipe(tmp_path, "{recipe: channels, channels: [{file: 0.tif}]}", "1.recipe.yaml")
    for k in range(2, 9):
        many = ", ".join([f"{{file: {k - 1}.recipe.yaml, view: 'crop,c=0..1'}}"] * 20)
        recipe(tmp_path, f"{{recipe: channels, channels: [{many}]}}", f"{k}.recipe.yaml")
    assert image(tmp_path / "8.recipe.yaml").shape == (20, 30, 40)


def test_an_unreadable_section_is_trouble_where_it_is_and_nowhere_else(tmp_path: Path) -> None:
    pixels = [section(tmp_path, f"{k}.tif", noise(k)) for k in range(5)]
    (tmp_path / "2.tif").write_bytes((tmp_path / "2.tif").read_bytes()[:60])
    section(tmp_path, "3.tif", noise(3, (31, 40)))
    section(tmp_path, "4.tif", noise(4, (30, 40), np.uint8))
    found = image(recipe(tmp_path, "{recipe: stack, pattern: '{n:int}.tif', thickness: 1 um, missing: fill}"))
    assert np.array_equal(found[:2], np.stack(pixels[:2]))
    for k, told in ((2, r"2\.tif"), (3, r"3\.tif: its shape is \(31, 40\)"), (4, r"4\.tif: it is intensity of uint8")):
        with pytest.raises(Unreadable, match=told):
            found.levels[0].read(Region((k, 0, 0), (k + 1, 5, 5)))
    with pytest.raises(Unreadable, match=r"2\.tif"):
        found.levels[0].read(Region((0, 0, 0), (5, 5, 5)))


def test_a_volume_is_no_section_and_a_palette_no_other(tmp_path: Path) -> None:
    section(tmp_path, "0.tif", noise(0))
    recipe(tmp_path, "{recipe: stack, thickness: 1 um, sections: [{file: 0.tif}]}", "inner.recipe.yaml")
    said = "{recipe: stack, thickness: 1 um, sections: [{file: inner.recipe.yaml}]}"
    with pytest.raises(Unreadable, match=r"line 1, sections\[0\]: inner.recipe.yaml: it has an axis z already"):
        image(recipe(tmp_path, said))
    for k in range(2):
        colours = PIL.Image.fromarray(noise(k, dtype=np.uint8), "P")
        colours.putpalette([(each * (k + 1)) % 256 for each in range(768)])
        colours.save(tmp_path / f"{k}.png")
    found = image(recipe(tmp_path, "{recipe: time, pattern: '{n:int}.png'}"))
    assert found.metadata.palette
    with pytest.raises(Unreadable, match=r"1.png: its pixels mean other colours"):
        whole(found)
    said = "{recipe: overlay, image: {file: 0.png}, labels: {file: 0.tif}}"
    with pytest.raises(Unreadable, match="give it a view such as `render`"):
        image(recipe(tmp_path, said))


def test_a_section_elsewhere_is_never_shifted_silently(tmp_path: Path) -> None:
    for k, at in enumerate((0.0, 7.0)):
        placed(tmp_path / f"{k}.zarr", noise(k), at)
    said = "{recipe: stack, pattern: '{n:int}.zarr', thickness: 1 um}"
    found = image(recipe(tmp_path, said))
    with pytest.raises(Unreadable, match=r"1\.zarr: along x it begins at 7, the first file at 0"):
        whole(found)
    found = image(recipe(tmp_path, said.replace("um}", "um, align: corner}")))
    assert np.array_equal(whole(found)[1], noise(1))
    given = "um, grid: {size: [47, 30], origin: [0, 3]}}"
    found = image(recipe(tmp_path, said.replace("um}", given)))
    assert np.array_equal(whole(found)[1, :, 7:], noise(1))


def test_a_section_that_is_replaced_makes_another_version(tmp_path: Path) -> None:
    for k in range(3):
        section(tmp_path, f"{k}.tif", noise(k))
    recipe(tmp_path, "{recipe: stack, pattern: '{n:int}.tif', thickness: 1 um}", "inner.recipe.yaml")
    recipe(tmp_path, "{recipe: channels, channels: [{file: inner.recipe.yaml}]}")
    settings = Settings(repositories={"lab": RepositorySettings(path=tmp_path)}, refresh_seconds=0)
    repository = catalogue(settings).repository("lab")

    def seen() -> tuple[str, Pixels]:
        place = repository.place("made.recipe.yaml")
        assert place is not None
        opened = repository.opened(place)
        return opened.identity, next(iter(opened.dataset.images.values()))[0, :, :, :]

    before, pixels = seen()
    assert seen()[0] == before
    new = section(tmp_path, "new", noise(9))
    os.replace(tmp_path / "new", tmp_path / "1.tif")  # noqa: PTH105
    after, others = seen()
    assert after != before
    assert np.array_equal(others[0], pixels[0])
    assert np.array_equal(others[1], new)


def test_a_section_that_is_replaced_meanwhile_is_no_part_of_the_old_image(tmp_path: Path) -> None:
    for k in range(2):
        section(tmp_path, f"{k}.tif", noise(k))
    found = image(recipe(tmp_path, "{recipe: stack, pattern: '{n:int}.tif', thickness: 1 um}"))
    section(tmp_path, "1.tif", noise(5))
    with pytest.raises(Overloaded, match=r"1\.tif has just been replaced"):
        whole(found)


def test_a_saved_view_that_changes_makes_another_version(tmp_path: Path) -> None:
    one = section(tmp_path, "0.tif", noise(0))
    recipe(tmp_path, "{recipe: time, frames: [{file: 0.tif, view: '@mine'}]}")
    seen = {}
    for view, expected in (("original", one), ("invert", 65535 - one)):
        settings = Settings(repositories={"lab": RepositorySettings(path=tmp_path, views={"mine": view})})
        repository = catalogue(settings).repository("lab")
        place = repository.place("made.recipe.yaml")
        assert place is not None
        opened = repository.opened(place)
        assert np.array_equal(next(iter(opened.dataset.images.values()))[0], expected)
        seen[view] = opened.identity
    assert len(set(seen.values())) == 2


def test_a_file_that_a_view_begins_from_makes_another_version(tmp_path: Path) -> None:
    section(tmp_path, "0.tif", noise(0))
    recipe(tmp_path, "{recipe: time, frames: [{file: 0.tif, view: 'affine,file=second.txt,domain=same'}]}")
    elastix = '(Transform "TranslationTransform")\n(FixedImageDimension 2)\n(TransformParameters {} 0)'
    begun = '\n(InitialTransformParameterFileName "first.txt")'
    (tmp_path / "second.txt").write_text(elastix.format(0) + begun)
    settings = Settings(repositories={"lab": RepositorySettings(path=tmp_path)}, refresh_seconds=0)
    repository = catalogue(settings).repository("lab")
    seen = {}
    for pixels in (0, 3):
        (tmp_path / "first.txt").write_text(elastix.format(pixels / 1000))
        place = repository.place("made.recipe.yaml")
        assert place is not None
        opened = repository.opened(place)
        found = next(iter(opened.dataset.images.values()))[0]
        assert np.array_equal(found[:, : 40 - pixels], noise(0)[:, pixels:])
        seen[pixels] = opened.identity
    assert len(set(seen.values())) == 2
