"""Images by path and URL, and in other processes."""

from __future__ import annotations

import multiprocessing
import pickle
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

import diascope
from diascope.errors import BadRequest, NotFound, Unreadable
from diascope.image.image import Image
from diascope.image.level import read_whole
from diascope.testing.synthetic import ramp


def corner_sum(image: Image) -> tuple[str, int]:
    return repr(image), int(image[..., :50, :60].sum(dtype=np.int64))


def in_other_processes(images: list[Image]) -> list[tuple[str, int]]:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return pool.map_async(corner_sum, images, chunksize=1).get(timeout=60)


def test_a_path_opens_the_pixels_that_tifffile_reads(cells: str) -> None:
    image = diascope.open(cells)
    assert np.array_equal(image[...], np.moveaxis(tifffile.imread(cells), 1, 0))


def test_a_view_stands_behind_the_path(cells: str) -> None:
    highest = diascope.open(f"{cells}/project,method=max,axis=z")
    assert np.array_equal(highest[...], diascope.open(cells)[...].max(axis=1))


def test_a_label_stands_behind_the_path(folder: Path) -> None:
    labels = diascope.open_dataset(folder / "microscopy" / "cells-labels.ome.zarr")
    name = next(iter(labels.labels), None)
    opened = diascope.open(folder / "microscopy" / "cells-labels.ome.zarr" / (f"labels/{name}" if name else "original"))
    assert opened.kind == "labels"


@pytest.mark.parametrize(
    ("rest", "error"),
    [("/nothing", BadRequest), ("/original/more", BadRequest), ("/project,axis=q", BadRequest), ("x", NotFound)],
)
def test_what_is_wrong_behind_a_path_is_told(cells: str, rest: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        diascope.open(cells + rest)


def test_a_folder_is_no_image(folder: Path) -> None:
    with pytest.raises(NotFound, match="no file"):
        diascope.open(folder / "microscopy" / "missing.tif")
    with pytest.raises(Unreadable, match="no source knows"):
        diascope.open(folder / "microscopy")


def test_images_open_again_in_other_processes_with_their_views(
    cells: str, folder: Path, server: Callable[[Path], str]
) -> None:
    url = f"{server(folder)}/data/{folder.name}/microscopy/cells.ome.tif/crop,x=100..300"
    images = [
        diascope.open(cells),
        diascope.open(f"{cells}/project,axis=z~crop,x=100..300"),
        diascope.open_dataset(folder / "microscopy" / "cells-labels.ome.zarr").images["cells-labels"],
        diascope.open(url),
    ]
    assert in_other_processes(images) == [corner_sum(image) for image in images]


def test_a_pickled_image_is_small_and_the_next_one_of_its_file_opens_nothing(
    cells: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pickled = pickle.dumps(diascope.open(f"{cells}/project,axis=z"))
    assert len(pickled) < 500
    first = pickle.loads(pickled)  # noqa: S301
    monkeypatch.setattr("diascope.python.opening.opened_file", None)
    second = pickle.loads(pickled)  # noqa: S301
    assert np.array_equal(first[...], second[...])


def test_a_changed_file_is_opened_anew(cells: str, tmp_path: Path) -> None:
    copy = Path(shutil.copy(cells, tmp_path / "copy.ome.tif"))
    pickled = pickle.dumps(diascope.open(copy))
    before = pickle.loads(pickled)  # noqa: S301
    tifffile.imwrite(copy, np.full((70, 80), 7, np.uint8))
    assert before.shape != (70, 80)
    assert pickle.loads(pickled)[...].tolist() == [[7] * 80] * 70  # noqa: S301


def test_an_image_made_of_another_does_not_pretend_to_be_that(cells: str) -> None:
    image = diascope.open(cells)
    assert image.origin is not None
    for made in (replace(image, levels=image.levels[1:]), replace(image, name="other"), ramp("yx", (4, 4))):
        with pytest.raises(pickle.PicklingError, match="open it there"):
            pickle.dumps(made)


def test_a_server_gives_the_same_pixels_names_and_distances(
    cells: str, folder: Path, server: Callable[[Path], str]
) -> None:
    base = f"{server(folder)}/data/{folder.name}/microscopy/cells.ome.tif"
    local = diascope.open(cells)
    addresses = ("", "/", "/original", "/original/cells.ome.zarr", "/original/cells.zarr2.ome.zarr/")
    for image in (diascope.open(base + each) for each in addresses):
        assert image.axes == local.axes
        assert [channel.name for channel in image.channels] == [channel.name for channel in local.channels]
        assert [level.scale for level in image.levels] == [level.scale for level in local.levels]
        pairs = zip(image.levels, local.levels, strict=True)
        assert all(np.array_equal(read_whole(a), read_whole(b)) for a, b in pairs)


def test_what_a_server_does_not_have_is_told(folder: Path, server: Callable[[Path], str]) -> None:
    base = f"{server(folder)}/data/{folder.name}"
    for path, error in (
        ("/nothing.tif", NotFound),
        ("/microscopy", NotFound),
        ("/microscopy/cells.ome.tif?query", BadRequest),
        ("/microscopy/cells.ome.tif/nothing", BadRequest),
    ):
        with pytest.raises(error):
            diascope.open(base + path)


def test_a_broken_file_on_a_server_is_unreadable(tmp_path: Path, server: Callable[[Path], str]) -> None:
    (tmp_path / "broken.tif").write_bytes(b"II*\0\xff\xff\xff\xff")
    with pytest.raises(Unreadable, match=r"broken\.tif"):
        diascope.open(f"{server(tmp_path)}/data/{tmp_path.name}/broken.tif")


def test_a_server_that_is_not_there_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="does not answer"):
        diascope.open("http://127.0.0.1:9/data/sample/cells.ome.tif")


def test_of_several_images_each_opens_by_name_and_the_first_without(
    tmp_path: Path, server: Callable[[Path], str]
) -> None:
    with tifffile.TiffWriter(tmp_path / "two.ome.tif", ome=True) as out:
        for k, name in enumerate(("first", "second")):
            out.write(
                np.full((20, 30 + k), k, np.uint8), photometric="minisblack", metadata={"Name": name, "axes": "YX"}
            )
    path = tmp_path / "two.ome.tif"
    names = list(diascope.open_dataset(path).images)
    assert len(names) == 2
    assert diascope.open(path).shape == (20, 30)
    second = diascope.open(path / names[1] / "crop,x=1..5")
    assert second[...].tolist() == [[1] * 4] * 20
    assert pickle.loads(pickle.dumps(second))[...].tolist() == second[...].tolist()  # noqa: S301
    assert pickle.loads(pickle.dumps(diascope.open_dataset(path).images[names[1]])).shape == (20, 31)  # noqa: S301
    base = f"{server(tmp_path)}/data/{tmp_path.name}/two.ome.tif"
    assert diascope.open(base).shape == (20, 30)
    assert diascope.open(f"{base}/{names[1]}").shape == (20, 31)
    with pytest.raises(NotFound, match=f"it has: {names[0]}"):
        diascope.open(path / "third")
    with pytest.raises(BadRequest, match="whole file"):
        diascope.open_dataset(path / names[1])


def test_a_volume_keeps_its_place_in_the_world(folder: Path, server: Callable[[Path], str]) -> None:
    path = "volumes/head.nii.gz"
    remote = diascope.open(f"{server(folder)}/data/{folder.name}/{path}")
    assert remote.world is not None
    assert remote.world == diascope.open(folder / path).world
