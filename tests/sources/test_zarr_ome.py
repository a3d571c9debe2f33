"""What the metadata of OME-Zarr says of axes, positions, channels, labels, plates and collections."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from diascope.catalogue.address import is_single, scene_names
from diascope.catalogue.opening import Owner, opened
from diascope.errors import Unreadable
from diascope.image.cache import chunk_cache
from diascope.image.image import Image
from diascope.sources.dataset import Dataset
from diascope.sources.zarr import source
from diascope.stores.local import LocalStore
from diascope.stores.store import Blob, Stat


def dataset(path: Path) -> Dataset:
    return source.open(LocalStore(path.parent), path.name)


def only(path: Path) -> Image:
    found = dataset(path)
    assert len(found.images) == 1
    return next(iter(found.images.values()))


def ramp(shape: tuple[int, ...], dtype: Any = "u2") -> np.ndarray:
    return (np.arange(math.prod(shape)) % 251).reshape(shape).astype(dtype)


def image_group(  # noqa: PLR0913
    path: Path,
    shapes: list[tuple[int, ...]],
    axes: Any,
    *,
    version: str = "0.4",
    transformations: list[Any] | None = None,
    dtype: Any = "u2",
    paths: list[str] | None = None,
    multiscale: dict[str, Any] | None = None,
    attributes: dict[str, Any] | None = None,
) -> np.ndarray:
    """A multiscale group as its version has it; the pixels of the finest level."""
    v3 = version >= "0.5"
    group = zarr.open_group(path, mode="w", zarr_format=3 if v3 else 2)
    datasets: list[dict[str, Any]] = []
    for k, shape in enumerate(shapes):
        array = group.create_array(str(k), shape=shape, chunks=shape, dtype=dtype)
        array[...] = ramp(shape, dtype)
        datasets.append({"path": paths[k] if paths else str(k)})
        if transformations and transformations[k] is not None:
            datasets[-1]["coordinateTransformations"] = transformations[k]
    own = {"datasets": datasets, **({"axes": axes} if axes is not None else {}), **(multiscale or {})}
    if v3:
        group.attrs["ome"] = {"version": version, "multiscales": [own], **(attributes or {})}
    else:
        group.attrs.update({"multiscales": [{**own, "version": version}], **(attributes or {})})
    return ramp(shapes[0], dtype)


def spaces(names: str, unit: str | None = "micrometer") -> list[dict[str, str]]:
    types = {"t": "time", "c": "channel"}
    return [
        {"name": n, "type": types.get(n, "space"), **({"unit": unit} if unit and n in "zyx" else {})} for n in names
    ]


@pytest.mark.parametrize(
    ("axes", "shape", "house", "order"),
    [
        (spaces("yx"), (4, 5), "yx", (0, 1)),
        (spaces("xyz"), (3, 4, 5), "zyx", (2, 1, 0)),
        (spaces("yxc"), (4, 5, 3), "cyx", (2, 0, 1)),
        (spaces("xyczt"), (2, 3, 4, 5, 6), "tczyx", (4, 2, 3, 1, 0)),
        (["z", "y", "x"], (3, 4, 5), "zyx", (0, 1, 2)),
        (["Y", "X"], (4, 5), "yx", (0, 1)),
        ([{"name": n, "type": "space"} for n in ("dim_0", "dim_1", "dim_2")], (3, 4, 5), "zyx", (0, 1, 2)),
        ([{"name": "angle"}, *spaces("zyx")], (2, 3, 4, 5), "czyx", (0, 1, 2, 3)),
        ([{"name": "time", "type": "time"}, {"name": "row"}, {"name": "col"}], (2, 3, 4), "tyx", (0, 1, 2)),
    ],
)
def test_axes_are_turned_into_house_order(tmp_path: Path, axes: Any, shape: Any, house: str, order: Any) -> None:
    for version in ("0.4", "0.5"):
        data = image_group(tmp_path / version, [shape], axes, version=version)
        image = only(tmp_path / version)
        assert image.axis_names == house
        np.testing.assert_array_equal(image[...], data.transpose(order))
        np.testing.assert_array_equal(image[..., 1:, 0], data.transpose(order)[..., 1:, 0])


def test_axes_that_are_more_than_five_are_refused_by_name(tmp_path: Path) -> None:
    image_group(tmp_path / "a", [(1, 1, 1, 1, 2, 2)], [*spaces("tczyx"), {"name": "angle"}])
    with pytest.raises(Unreadable, match="angle"):
        dataset(tmp_path / "a")


def test_without_axes_five_dimensions_are_t_c_z_y_x(tmp_path: Path) -> None:
    data = image_group(tmp_path / "a", [(1, 2, 3, 8, 6), (1, 2, 3, 4, 3)], None, version="0.1")
    image = only(tmp_path / "a")
    assert image.axis_names == "tczyx"
    assert image.levels[1].scale == (1, 1, 1, 2, 2)
    assert image.levels[1].translation == (0, 0, 0, 0.5, 0.5)
    np.testing.assert_array_equal(image[...], data)


def test_a_line_is_an_image_of_one_row(tmp_path: Path) -> None:
    data = image_group(tmp_path / "a", [(7,)], spaces("x"))
    image = only(tmp_path / "a")
    assert image.axis_names == "yx"
    np.testing.assert_array_equal(image[...], data[None])


PRIMARY = ("FF0000", "00FF00", "0000FF")


def scale(*numbers: float) -> dict[str, Any]:
    return {"type": "scale", "scale": list(numbers)}


def translation(*numbers: float) -> dict[str, Any]:
    return {"type": "translation", "translation": list(numbers)}


def test_transformations_of_level_and_image_are_combined(tmp_path: Path) -> None:
    image_group(
        tmp_path / "a",
        [(8, 6, 4), (4, 3, 4)],
        spaces("xyz"),
        transformations=[[scale(2, 3, 4)], [scale(4, 6, 4), translation(1, 1.5, 0)]],
        multiscale={"coordinateTransformations": [scale(10, 10, 1), translation(5, 6, 7)]},
    )
    image = only(tmp_path / "a")
    assert [level.scale for level in image.levels] == [(4, 30, 20), (4, 60, 40)]
    assert [level.translation for level in image.levels] == [(7, 6, 5), (7, 21, 15)]


@pytest.mark.parametrize(
    ("unit", "expected"), [("micrometer", "micrometer"), ("µm", "micrometer"), ("unit", None), ("second", None)]
)
def test_units_are_lengths_by_their_names(tmp_path: Path, unit: str, expected: str | None) -> None:
    image_group(tmp_path / "a", [(4, 5)], spaces("yx", unit), transformations=[[scale(1, 2)]])
    assert [axis.unit for axis in only(tmp_path / "a").axes] == [expected, expected]


def test_a_scale_of_zero_is_unknown(tmp_path: Path) -> None:
    image_group(tmp_path / "a", [(4, 4, 5)], spaces("zyx"), transformations=[[scale(0, 2, 2)]])
    image = only(tmp_path / "a")
    assert image.levels[0].scale == (1, 2, 2)
    assert [axis.unit for axis in image.axes] == [None, "micrometer", "micrometer"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"paths": ["../b"]}, "no path below"),
        ({"paths": ["/etc"]}, "no path below"),
        ({"paths": ["0/../../b"]}, "no path below"),
        ({"paths": ["missing"]}, "missing"),
        ({"axes": spaces("zyx")}, "3 axes"),
        ({"transformations": [[scale(1, 1, 1)]]}, "scale"),
        ({"transformations": [[{"type": "affine"}]]}, "affine"),
    ],
)
def test_metadata_that_cannot_be_true_is_refused(tmp_path: Path, wrong: dict[str, Any], reason: str) -> None:
    image_group(tmp_path / "b", [(4, 5)], spaces("yx"))
    image_group(tmp_path / "a", [(4, 5)], **{"axes": spaces("yx"), **wrong})
    with pytest.raises(Unreadable, match=reason):
        dataset(tmp_path / "a")


def omero(*colours: str, model: str = "color") -> dict[str, Any]:
    channels = [{"color": c, "label": f"dye {c}", "window": {"start": 1, "end": 9}} for c in colours]
    return {"channels": channels, "rdefs": {"model": model}}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_channels_are_shown_as_omero_has_them(tmp_path: Path, version: str) -> None:
    image_group(
        tmp_path / "a", [(3, 4, 5)], spaces("cyx"), version=version, attributes={"omero": omero("00FF7f", "nonsense")}
    )
    image = only(tmp_path / "a")
    assert image.kind == "intensity"
    assert [(c.name, c.colour, c.window) for c in image.channels] == [
        ("dye 00FF7f", "00ff7f", (1, 9)),
        ("dye nonsense", None, (1, 9)),
        ("", None, None),
    ]


@pytest.mark.parametrize(
    ("colours", "model", "dtype", "kind"),
    [
        (PRIMARY, "color", "u1", "rgb"),
        (PRIMARY, "greyscale", "u1", "intensity"),
        (PRIMARY, "color", "u2", "intensity"),
        (("FF0000", "00FF00", "FFFFFF"), "color", "u1", "intensity"),
    ],
)
def test_only_declared_bytes_are_a_colour_picture(
    tmp_path: Path, colours: Any, model: str, dtype: str, kind: str
) -> None:
    image_group(
        tmp_path / "a", [(3, 4, 5)], spaces("cyx"), dtype=dtype, attributes={"omero": omero(*colours, model=model)}
    )
    image = only(tmp_path / "a")
    assert image.kind == kind
    assert image.levels[0].chunk_shape == (3, 4, 5)
    np.testing.assert_array_equal(image[...], ramp((3, 4, 5), dtype))


def test_colours_stored_apart_are_one_chunk(tmp_path: Path) -> None:
    image_group(tmp_path / "a", [(3, 4, 5)], spaces("cyx"), dtype="u1", attributes={"omero": omero(*PRIMARY)})
    apart = zarr.create_array(tmp_path / "a" / "0", shape=(3, 4, 5), chunks=(1, 2, 8), dtype="u1", overwrite=True)
    apart[...] = ramp((3, 4, 5), "u1")
    image = only(tmp_path / "a")
    assert (image.kind, image.levels[0].chunk_shape) == ("rgb", (3, 2, 5))
    np.testing.assert_array_equal(image[:, 1:3], ramp((3, 4, 5), "u1")[:, 1:3])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_stand_beside_their_image(tmp_path: Path, version: str) -> None:
    image_group(tmp_path / "a", [(4, 5)], spaces("yx"), version=version)
    colours = {"colors": [{"label-value": 1, "rgba": [255, 0, 0, 255]}]}
    image_group(
        tmp_path / "a" / "labels" / "cells",
        [(4, 5)],
        spaces("yx"),
        version=version,
        dtype="i4",
        attributes={"image-label": colours},
    )
    labels = zarr.open_group(tmp_path / "a" / "labels", mode="a", zarr_format=3 if version == "0.5" else 2)
    labels.attrs.update({"ome": {"labels": ["cells"]}} if version == "0.5" else {"labels": ["cells", "../../b"]})
    found = dataset(tmp_path / "a")
    assert list(found.images) == ["a"]
    assert list(found.labels) == ["cells"]
    cells = found.labels["cells"]
    assert cells.kind == "labels"
    assert cells.metadata.extra["image-label"] == colours
    np.testing.assert_array_equal(cells[...], ramp((4, 5), "i4"))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_bare_arrays_are_images_by_the_names_of_their_dimensions(tmp_path: Path, zarr_format: Any) -> None:
    names = {"dimension_names": ["x", "t", "y"]} if zarr_format == 3 else {}
    array = zarr.create_array(tmp_path / "a", shape=(3, 4, 5), dtype="f4", zarr_format=zarr_format, **names)
    array[...] = ramp((3, 4, 5), "f4")
    if zarr_format == 2:
        array.attrs["_ARRAY_DIMENSIONS"] = ["x", "t", "y"]
    image = only(tmp_path / "a")
    assert image.axis_names == "tyx"
    np.testing.assert_array_equal(image[...], ramp((3, 4, 5), "f4").transpose(1, 2, 0))
    for rank, expected in ((2, "yx"), (3, "zyx"), (4, "czyx"), (5, "tczyx")):
        zarr.create_array(tmp_path / str(rank), shape=(2,) * rank, dtype="u1", zarr_format=zarr_format)
        assert only(tmp_path / str(rank)).axis_names == expected


def test_series_of_bioformats2raw_are_images_in_their_order(tmp_path: Path) -> None:
    root = tmp_path / "a"
    zarr.open_group(root, mode="w", zarr_format=2).attrs["bioformats2raw.layout"] = 3
    for k in range(12):
        image_group(root / str(k), [(k + 1, 5)], spaces("yx"))
    image_group(root / "2" / "labels" / "cells", [(3, 5)], spaces("yx"), attributes={"image-label": {}})
    found = dataset(root)
    assert list(found.images) == [str(k) for k in range(12)]
    assert [image.shape[0] for image in found.images.values()] == list(range(1, 13))
    assert list(found.labels) == ["2/cells"]
    zarr.open_group(root / "OME", mode="w", zarr_format=2).attrs["series"] = ["5", "3", "../b"]
    listed = dataset(root)
    assert list(listed.images) == ["5", "3"]
    assert list(listed.labels) == []
    labels = zarr.open_group(root / "3" / "labels", mode="a", zarr_format=2)
    labels.attrs["labels"] = ["cells"]
    image_group(root / "3" / "labels" / "cells", [(4, 5)], spaces("yx"))
    assert list(dataset(root).labels) == ["3/cells"]
    assert dataset(root).labels["3/cells"].kind == "labels"


def test_a_group_without_images_says_so(tmp_path: Path) -> None:
    zarr.open_group(tmp_path / "a", mode="w")
    with pytest.raises(Unreadable, match="no image"):
        dataset(tmp_path / "a")


def test_a_group_too_deep_is_not_walked_to_its_end(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "/".join("d" * 30)
    image_group(deep, [(4, 5)], spaces("yx"))
    zarr.open_group(tmp_path / "a", mode="a", zarr_format=2)
    with pytest.raises(Unreadable, match="no image"):
        dataset(tmp_path / "a")


class Counting(LocalStore):
    """A store that counts what is asked of it."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        object.__setattr__(self, "asked", Counter())

    asked: Counter[str]

    def stat(self, path: str) -> Stat | None:
        self.asked["stat"] += 1
        return super().stat(path)

    def names(self, path: str) -> Iterator[tuple[str, bool]]:
        self.asked["names"] += 1
        return super().names(path)

    def open(self, path: str) -> Blob:
        self.asked["open"] += 1
        return super().open(path)

    def read(self, path: str) -> bytes | None:
        self.asked["read"] += 1
        return super().read(path)


def plate(path: Path, version: str = "0.4") -> None:
    """384 wells, of which three have images, one is corrupt, and the others were not imaged."""
    v3 = version >= "0.5"
    rows, columns = "ABCDEFGHIJKLMNOP", range(1, 25)
    wells = [
        {"path": f"{row}/{column}", "rowIndex": r, "columnIndex": c}
        for r, row in enumerate(rows)
        for c, column in enumerate(columns)
    ]
    own = {
        "rows": [{"name": r} for r in rows],
        "columns": [{"name": str(c)} for c in columns],
        "wells": wells,
        "version": version,
    }
    group = zarr.open_group(path, mode="w", zarr_format=3 if v3 else 2)
    group.attrs.update({"ome": {"version": version, "plate": own}} if v3 else {"plate": own})
    for well, fields in (("A/1", 2), ("C/5", 1), ("P/24", 1)):
        here = zarr.open_group(path / well, mode="w", zarr_format=3 if v3 else 2)
        images = {"well": {"images": [{"path": str(k)} for k in range(fields)]}}
        here.attrs.update({"ome": {"version": version, **images}} if v3 else images)
        for k in range(fields):
            image_group(path / well / str(k), [(4 + k, 5)], spaces("yx"), version=version)
    corrupt = path / "B" / "2"
    corrupt.mkdir(parents=True)
    (corrupt / ("zarr.json" if v3 else ".zattrs")).write_text("{")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_plate_opens_without_opening_its_wells(tmp_path: Path, version: str) -> None:
    plate(tmp_path / "p.zarr", version)
    store = Counting(tmp_path)
    found = opened(source, store, "p.zarr", Owner("test", chunk_cache(1 << 20)))
    assert not is_single(found)
    assert store.asked.total() < 64
    before = store.asked.copy()
    assert found.images["P/24/0"].shape == (4, 5)
    assert (store.asked - before).total() <= 8
    assert "A/1/2" not in found.images
    assert "Z/9/0" not in found.images
    assert store.asked["names"] == 0
    before = store.asked.copy()
    assert list(found.images) == ["A/1/0", "A/1/1", "B/2/0", "C/5/0", "P/24/0"]
    assert (store.asked - before).total() <= 384
    before = store.asked.copy()
    assert list(scene_names(found)) == list(found.images)
    assert (store.asked - before).total() <= 1
    np.testing.assert_array_equal(found.images["A/1/1"][...], ramp((5, 5)))
    with pytest.raises(Unreadable):
        found.images["B/2/0"]


def test_labels_in_a_plate_are_found_without_listing_it(tmp_path: Path) -> None:
    plate(tmp_path / "p.zarr")
    for k in range(2):
        field = tmp_path / "p.zarr" / "A" / "1" / str(k)
        image_group(field / "labels" / "cells", [(4 + k, 5)], spaces("yx"))
        zarr.open_group(field / "labels", mode="a", zarr_format=2).attrs["labels"] = ["cells"]
    store = Counting(tmp_path)
    found = opened(source, store, "p.zarr", Owner("test", chunk_cache(1 << 20)))
    store.asked.clear()
    assert "P/24/0/cells" not in found.labels
    cells = found.labels["A/1/1/cells"]
    assert store.asked.total() < 20
    assert cells.kind == "labels"
    np.testing.assert_array_equal(cells[...], ramp((5, 5)))
    assert list(found.labels) == ["A/1/0/cells", "A/1/1/cells"]


def test_a_well_alone_has_its_fields(tmp_path: Path) -> None:
    plate(tmp_path / "p.zarr")
    assert list(dataset(tmp_path / "p.zarr" / "A" / "1").images) == ["0", "1"]


@pytest.mark.parametrize("path", ["../b", "A/../../b", "/A/1", "A//1"])
def test_wells_that_climb_out_of_their_plate_are_refused(tmp_path: Path, path: str) -> None:
    zarr.open_group(tmp_path / "p", mode="w", zarr_format=2).attrs["plate"] = {"wells": [{"path": path}]}
    with pytest.raises(Unreadable, match="no path below"):
        dataset(tmp_path / "p")


def test_the_version_changes_with_the_metadata(tmp_path: Path) -> None:
    image_group(tmp_path / "a", [(4, 5)], spaces("yx"))
    store = LocalStore(tmp_path)
    first = source.version(store, "a")
    assert first == source.version(store, "a") == source.open(store, "a").version
    attributes = tmp_path / "a" / ".zattrs"
    attributes.write_text(json.dumps({**json.loads(attributes.read_text()), "omero": omero("00ff00")}))
    assert source.version(store, "a") != first
    assert source.version(store, "a") == source.open(store, "a").version
