"""Plates of wells in folders of files, judged by tifffile and Bio-Formats."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
import tifffile

import diascope
from diascope.errors import DiascopeError, Unreadable
from diascope.image.order import moved
from diascope.registry import registry
from diascope.sources.wells import plane_of
from diascope.stores.local import LocalStore
from diascope.stores.store import Stat, Store
from diascope.testing.counting import CountingStore
from tests.judges import bioformats
from tests.sources import plate_files
from tests.sources.plate_files import At, cellvoyager, field, imagexpress, operetta, operetta_6, tiff, wells

FIELDS = ["A/2/1", "A/2/2", "B/11/1", "B/11/2"]


@pytest.mark.parametrize("write", [operetta, operetta_6, imagexpress, cellvoyager])
def test_fields_are_their_files(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "plate")
    dataset = diascope.open_dataset(tmp_path / "plate")
    assert list(dataset.images) == FIELDS
    for name, (row, column, number) in zip(FIELDS, ((1, 2, 1), (1, 2, 2), (2, 11, 1), (2, 11, 2)), strict=True):
        image = dataset.images[name]
        assert image.axis_names == "tczyx"
        np.testing.assert_array_equal(image[...], field(row, column, number))
    np.testing.assert_array_equal(image[1, 0, 1:3, 4:9, 7:11], field(2, 11, 2)[1, 0, 1:3, 4:9, 7:11])


def test_operetta_tells_sizes_channels_and_places(tmp_path: Path) -> None:
    operetta(tmp_path / "plate")
    image = diascope.open_dataset(tmp_path / "plate").images["B/11/2"]
    assert image.levels[0].scale == pytest.approx((30.0, 1.0, 2.5, 0.65, 0.65))
    assert [axis.unit for axis in image.axes] == ["second", None, "micrometer", "micrometer", "micrometer"]
    assert [(c.name, c.excitation, c.emission) for c in image.channels] == [("Hoechst", 405, 445), ("GFP", 488, 525)]
    told = image.metadata
    assert told.position == pytest.approx({"x": 200.0, "y": -200.0, "z": 0.0})
    assert (told.magnification, told.aperture, told.instrument) == (20, 0.8, "Phenix")
    assert (told.description, told.acquired) == ("livers", "2021-05-04T10:00:00.000+02:00")
    assert told.extra["PlateID"] == "P1"


def test_operetta_6_tells_the_same_in_maps(tmp_path: Path) -> None:
    operetta_6(tmp_path / "plate")
    image = diascope.open_dataset(tmp_path / "plate").images["A/2/1"]
    assert image.levels[0].scale[2:] == pytest.approx((2.5, 0.65, 0.65))
    assert [(channel.name, channel.emission) for channel in image.channels] == [("Hoechst", 445), ("GFP", 525)]


def test_imagexpress_tells_channels_and_opens_by_its_text(tmp_path: Path) -> None:
    imagexpress(tmp_path / "plate")
    dataset = diascope.open_dataset(tmp_path / "plate" / "rats.HTD")
    assert list(dataset.images) == FIELDS
    image = dataset.images["B/11/1"]
    np.testing.assert_array_equal(image[...], field(2, 11, 1))
    assert [channel.name for channel in image.channels] == ["DAPI", "FITC"]
    assert image.metadata.description == "rats"
    assert dataset.files == ("rats.HTD", *(f"TimePoint_{t}/ZStep_{z}" for t in (1, 2) for z in (1, 2, 3)))


def test_cellvoyager_tells_places_and_steps(tmp_path: Path) -> None:
    cellvoyager(tmp_path / "plate")
    image = diascope.open_dataset(tmp_path / "plate").images["A/2/2"]
    assert image.levels[0].scale[:3] == (60.0, 1.0, 2.5)
    assert image.metadata.position == {"x": 200.5, "y": -7.0, "z": 0.0}


def test_the_shared_cellvoyager_plate_is_tifffiles(shared_data: Path) -> None:
    folder = next(path for path in (shared_data / "hcs/cv8000_minimal").iterdir() if path.is_dir())
    dataset = diascope.open_dataset(folder)
    assert list(dataset.images) == [f"{well}/{k}" for well in ("D/8", "E/3", "F/8") for k in range(1, 5)]
    image = dataset.images["D/8/3"]
    assert (image.axis_names, image.shape) == ("czyx", (2, 4, 2000, 2000))
    for c, z in ((1, 4), (2, 2)):
        path = folder / f"{folder.name}_D08_T0001F003L01A{c:02}Z{z:02}C{c:02}.tif"
        np.testing.assert_array_equal(image[c - 1, z - 1], tifffile.imread(path))
    assert image.levels[0].scale == pytest.approx((1.0, 3.0, 0.325, 0.325))
    assert [(c.colour, c.excitation, c.emission) for c in image.channels] == [
        ("002fff", 405, 445),
        ("00ffa1", 488, 525),
    ]
    assert (image.metadata.magnification, image.metadata.objective) == (20, "20x v2")
    assert image.metadata.instrument == "Yokogawa CV8000"


def test_a_file_that_the_index_names_and_that_is_missing_is_told(shared_data: Path) -> None:
    folder = next(path for path in (shared_data / "hcs/cv8000_minimal").iterdir() if path.is_dir())
    with pytest.raises(Unreadable, match=r"E03_T0001F001L01A01Z01C01\.tif, which is a part of it, is missing"):
        diascope.open_dataset(folder).images["E/3/1"]


def test_the_shared_plate_without_a_description_is_tifffiles(shared_data: Path) -> None:
    folder = shared_data / "hcs/cellprofiler_ExampleSBS"
    dataset = diascope.open_dataset(folder)
    assert list(dataset.images) == ["A/1/1", "A/2/1"]
    for column in (1, 2):
        for c in (1, 2):
            known = tifffile.imread(folder / f"Channel{c}-{column:02}-A-{column:02}.tif")
            np.testing.assert_array_equal(dataset.images[f"A/{column}/1"][c - 1], known)


@pytest.mark.parametrize(
    ("name", "plane"),
    [
        ("Channel2-13-B-01.tif", (1, 1, "1", 1, "2", 1)),
        ("a_b_H12_s4_w3.TIF", (7, 12, "4", 1, "3", 1)),
        ("a_B03_s2_z04_t002_w1.tif", (1, 3, "2", 2, "1", 4)),
        ("a_C07_T0005F012L01A01Z03C02.tif", (2, 7, "12", 5, "2", 3)),
        ("r03c11f09p02-ch4sk6fk1fl1.tiff", (2, 11, "9", 6, "4", 2)),
    ],
)
def test_names_are_understood(name: str, plane: tuple[object, ...]) -> None:
    found = plane_of(name, "folder")
    assert found is not None
    assert (*found[:3], found.t[1], found.c, found.z, found.path) == (*plane, f"folder/{name}")


def test_a_folder_with_other_pictures_is_no_plate(tmp_path: Path) -> None:
    wells(tmp_path / "plate")
    assert list(diascope.open_dataset(tmp_path / "plate").images) == FIELDS
    (tmp_path / "plate" / "overview.tif").write_bytes(b"")
    with pytest.raises(Unreadable, match="no source knows"):
        diascope.open_dataset(tmp_path / "plate")


def test_planes_that_were_not_taken_are_black(tmp_path: Path) -> None:
    wells(tmp_path / "plate")
    (tmp_path / "plate" / "rats_B11_s2_w2.tif").unlink()
    image = diascope.open_dataset(tmp_path / "plate").images["B/11/2"]
    np.testing.assert_array_equal(image[0], field(2, 11, 2)[0, 0, 0])
    assert not image[1].any()


def test_planes_unlike_the_first_are_told(tmp_path: Path) -> None:
    wells(tmp_path / "plate")
    tifffile.imwrite(tmp_path / "plate" / "rats_A02_s1_w2.tif", np.zeros((20, 31), np.uint16))
    image = diascope.open_dataset(tmp_path / "plate").images["A/2/1"]
    with pytest.raises(Unreadable, match=r"rats_A02_s1_w2\.tif: its \(20, 31\) pixels"):
        image[...]


def test_a_plane_that_is_replaced_never_mixes(tmp_path: Path) -> None:
    wells(tmp_path / "plate")
    image = diascope.open_dataset(tmp_path / "plate").images["A/2/1"]
    path = tmp_path / "plate" / "rats_A02_s1_w1.tif"
    path.unlink()
    tiff(path, At(8, 8, 8, 8, 8, 8))
    os.utime(path, ns=(1, 1))
    with pytest.raises(DiascopeError, match="replaced"):
        image[...]


class Timeless(CountingStore):
    """A store that keeps no time of folders, as those of objects."""

    def stat(self, path: str) -> Stat | None:
        stat = super().stat(path)
        return replace(stat, version="") if stat and stat.is_folder else stat


@pytest.mark.parametrize("store_of", [LocalStore, lambda path: Timeless(LocalStore(path))])
def test_wells_that_are_added_change_the_version(tmp_path: Path, store_of: Callable[[Path], Store]) -> None:
    wells(tmp_path / "plate")
    source, store = registry("sources")["wells"], store_of(tmp_path)
    before = source.version(store, "plate")
    tiff(tmp_path / "plate" / "rats_C01_s1_w1.tif", At(3, 1, 1, 1, 1, 1))
    assert source.version(store, "plate") != before


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('bts:Row="1"', 'bts:Row="99"', "no plate has a well"),
        ('bts:Column="2"', 'bts:Column="x"', "no number"),
        (">rats_A02", ">../../rats_A02", "does not lie in its folder"),
        ("<bts:MeasurementData ", "<!DOCTYPE x><bts:MeasurementData ", "document type"),
        ("</bts:MeasurementData>", "", "cannot be parsed"),
    ],
)
def test_lies_of_an_index_are_refused(tmp_path: Path, old: str, new: str, reason: str) -> None:
    cellvoyager(tmp_path / "plate")
    path = tmp_path / "plate" / "MeasurementData.mlf"
    path.write_text(path.read_text(encoding="utf-8-sig").replace(old, new), encoding="utf-8")
    with pytest.raises(Unreadable, match=reason):
        diascope.open_dataset(tmp_path / "plate")


def test_a_plate_of_a_thousand_wells_opens_at_once(tmp_path: Path) -> None:
    (tmp_path / "plate").mkdir()
    tiff(tmp_path / "first.tif", At(1, 1, 1, 1, 1, 1))
    for row in "ABCDEFGHIJKLMNOP":
        for column in range(1, 25):
            for site in range(1, 5):
                os.link(tmp_path / "first.tif", tmp_path / "plate" / f"x_{row}{column:02}_s{site}_w1.tif")
    begun = perf_counter()
    dataset = diascope.open_dataset(tmp_path / "plate")
    assert len(dataset.images) == 16 * 24 * 4
    np.testing.assert_array_equal(dataset.images["P/24/4"][...], plate_files.pixels(At(1, 1, 1, 1, 1, 1)))
    assert perf_counter() - begun < 20


@pytest.mark.judge
@pytest.mark.parametrize(
    ("write", "opened"),
    [(operetta, "Images/Index.idx.xml"), (imagexpress, "rats.HTD"), (cellvoyager, "rats.wpi")],
)
def test_bio_formats_reads_the_same(tmp_path: Path, write: Callable[[Path], None], opened: str) -> None:
    write(tmp_path / "plate")
    out = bioformats.converted(tmp_path / "plate" / opened, tmp_path / "out.ome.tif")
    assert isinstance(out, Path), out
    dataset = diascope.open_dataset(tmp_path / "plate")
    with tifffile.TiffFile(out) as file:
        known = [moved(series.asarray(), series.axes, "TCZYX") for series in file.series]
    assert len(known) == len(dataset.images)
    for theirs, name in zip(known, dataset.images, strict=True):
        np.testing.assert_array_equal(dataset.images[name][...], theirs)


def test_sources_cost_little_to_import() -> None:
    code = "import sys, diascope.sources.wells, diascope.sources.operetta; print('tifffile' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"
