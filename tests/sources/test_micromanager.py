"""Micro-Manager's folders, judged by ndtiff and Bio-Formats."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from ndtiff import NDTiffDataset

import diascope
from diascope.errors import DiascopeError, Unreadable
from diascope.image.order import moved
from diascope.registry import registry
from diascope.stores.local import LocalStore
from tests.judges import bioformats
from tests.sources.micro_files import COLOURS, PIXELS, ndtiff, ndtiff_colours, ndtiff_positions, new, old

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:Index appears:UserWarning")


@pytest.mark.parametrize(("write", "order"), [(old, (0, 1)), (new, (0, 1)), (ndtiff, (1, 0))])
def test_planes_and_metadata_are_told(tmp_path: Path, write: Callable[[Path], None], order: tuple[int, ...]) -> None:
    write(tmp_path / "run")
    image = diascope.open(tmp_path / "run")
    assert (image.name, image.axis_names) == ("run", "tczyx")
    np.testing.assert_array_equal(image[...], PIXELS[:, list(order)])
    np.testing.assert_array_equal(image[1, :, 1:3, 4:9, 7:11], PIXELS[1, list(order), 1:3, 4:9, 7:11])
    assert image.levels[0].scale == pytest.approx((0.25, 1.0, 1.5, 0.65, 0.65))
    assert [axis.unit for axis in image.axes] == ["second", None, "micrometer", "micrometer", "micrometer"]
    told = [("GFP", "00ff00"), ("DAPI", "0000ff")]
    assert [(channel.name, channel.colour) for channel in image.channels] == [told[k] for k in order]
    assert image.metadata.position == {"x": -5.5, "y": 7.25, "z": 10.0}
    assert (image.metadata.description, image.metadata.instrument) == ("a rat", "Andor")
    assert image.metadata.acquired == "2021-05-04T10:00:00+02:00"


def test_frames_are_ndtiffs(tmp_path: Path) -> None:
    ndtiff_positions(tmp_path / "run")
    dataset = diascope.open_dataset(tmp_path / "run")
    assert list(dataset.images) == ["0", "1"]
    known = NDTiffDataset(str(tmp_path / "run"))
    for name, image in dataset.images.items():
        for c, channel in enumerate(channel.name for channel in image.channels):
            theirs = known.read_image(position=int(name), time=1, channel=channel, z=2)
            np.testing.assert_array_equal(image[1, c, 2], theirs)
    known.close()


def test_colours_of_ndtiff_are_rgb(tmp_path: Path) -> None:
    ndtiff_colours(tmp_path / "run")
    image = diascope.open(tmp_path / "run")
    assert (image.kind, image.axis_names) == ("rgb", "cyx")
    np.testing.assert_array_equal(np.moveaxis(image[...], 0, -1), COLOURS)


def test_an_index_that_grows_is_seen(tmp_path: Path) -> None:
    ndtiff(tmp_path / "run")
    index = tmp_path / "run" / "NDTiff.index"
    whole = index.read_bytes()
    source, store = registry("sources")["ndtiff"], LocalStore(tmp_path)
    entry = whole.index(b"NDTiffStack.tif") + len(b"NDTiffStack.tif") + 32
    index.write_bytes(whole[: entry + 17])
    assert diascope.open(tmp_path / "run").shape == (20, 30)
    before = source.version(store, "run")
    index.write_bytes(whole)
    assert source.version(store, "run") != before
    assert diascope.open(tmp_path / "run").shape == (2, 2, 3, 20, 30)


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (4, 1 << 31, "another size"),
        (0, 0xFFFFFFF0, "ends before"),
        (12, 77, "type 77"),
        (16, 1, "compression 1"),
    ],
)
def test_lies_of_an_index_are_refused(tmp_path: Path, at: int, value: int, reason: str) -> None:
    ndtiff(tmp_path / "run")
    index = tmp_path / "run" / "NDTiff.index"
    data = bytearray(index.read_bytes())
    struct.pack_into("<I", data, data.index(b"NDTiffStack.tif") + len(b"NDTiffStack.tif") + at, value)
    index.write_bytes(data)
    with pytest.raises(DiascopeError, match=reason):
        diascope.open(tmp_path / "run")[...]


def test_metadata_that_is_cut_off_tells_what_is_left(tmp_path: Path) -> None:
    old(tmp_path / "run")
    path = tmp_path / "run" / "metadata.txt"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index('"FrameKey-0-0-1"') + 40], encoding="utf-8")
    image = diascope.open(tmp_path / "run")
    assert image.levels[0].scale[2:] == (1.5, 0.65, 0.65)
    np.testing.assert_array_equal(image[...], PIXELS)


def test_planes_that_are_missing_are_black_and_lonely_ones_flat(tmp_path: Path) -> None:
    old(tmp_path / "run")
    (tmp_path / "run" / "img_000000001_DAPI_002.tif").unlink()
    assert not diascope.open(tmp_path / "run")[1, 1, 2].any()
    for path in sorted((tmp_path / "run").glob("img_*.tif"))[1:]:
        path.unlink()
    assert diascope.open(tmp_path / "run").axis_names == "yx"


def test_other_folders_with_such_a_text_are_no_image(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "metadata.txt").write_text(json.dumps({"Summary": {}}), encoding="utf-8")
    with pytest.raises(Unreadable, match="no source knows"):
        diascope.open(tmp_path / "run")


@pytest.mark.judge
def test_bio_formats_reads_the_same(tmp_path: Path) -> None:
    old(tmp_path / "run")
    out = bioformats.converted(tmp_path / "run" / "metadata.txt", tmp_path / "out.ome.tif")
    assert isinstance(out, Path), out
    with tifffile.TiffFile(out) as file:
        theirs = moved(file.series[0].asarray(), file.series[0].axes, "TCZYX")
    np.testing.assert_array_equal(diascope.open(tmp_path / "run")[...], theirs)
