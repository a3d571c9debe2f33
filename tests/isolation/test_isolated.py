"""Datasets that are opened in worker processes are like any other."""

from __future__ import annotations

import gc
import json
import os
import pickle
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import pytest
import tifffile

import diascope
from diascope.catalogue.opening import opened_file
from diascope.errors import NotFound, Overloaded, Unreadable
from diascope.image.axes import Axis
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.metadata import Channel, Metadata
from diascope.image.region import Region, whole
from diascope.isolation.channel import _encoded
from diascope.isolation.description import image_told
from diascope.isolation.desk import Desk
from diascope.isolation.isolated import isolated
from diascope.isolation.rebuilding import AxisTold, ChannelTold, ImageTold, LevelTold, MetadataTold, rebuilt
from diascope.isolation.remote_store import Line, RemoteCopies, RemoteStore
from diascope.registry import registry
from diascope.sources.dataset import Dataset
from diascope.stores.copies import Copies
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from diascope.testing.sources import check_image
from tests.isolation.misbehaving import SHAPE, pixels, source, written


def files(folder: Path) -> Iterator[tuple[str, str]]:
    """Small files of several formats, with the names of their sources."""
    random = np.random.default_rng(5)
    volume = random.integers(0, 60_000, (3, 2, 50, 70)).astype(np.uint16)
    ome = {"axes": "ZCYX", "PhysicalSizeX": 0.5, "Channel": {"Name": ["DAPI", "GFP"]}}
    tifffile.imwrite(folder / "it.ome.tif", volume, metadata=ome, tile=(32, 32))
    yield "it.ome.tif", "tiff"
    colours = random.integers(0, 255, (40, 60, 3)).astype(np.uint8)
    tifffile.imwrite(folder / "rgb.tif", colours, photometric="rgb", iccprofile=b"profile" * 100)
    yield "rgb.tif", "tiff"
    nibabel.save(nibabel.Nifti1Image(volume[:, 0].astype(np.float32), np.diag([2, 3, 4, 1])), folder / "it.nii.gz")
    yield "it.nii.gz", "nifti"


@pytest.fixture
def pairs(workers, tmp_path) -> Iterator[tuple[str, Dataset, Dataset]]:
    """Datasets opened here and in a worker."""
    workers()
    store = LocalStore(tmp_path)

    def both():
        for name, format in files(tmp_path):
            found = registry("sources")[format]
            yield name, found.open(store, name), isolated(found, store, name, "test")

    return both()


def test_everything_is_told(pairs) -> None:
    for name, here, there in pairs:
        assert (there.version, there.files, list(there.images)) == (here.version, here.files, list(here.images)), name
        for each in here.images:
            check_same(here.images[each], there.images[each])


def check_same(one: Image, other: Image) -> None:
    for name in ("name", "kind", "axes", "channels", "world", "stored"):
        assert getattr(one, name) == getattr(other, name)
    assert asdict(one.metadata) == asdict(other.metadata)
    assert len(one.levels) == len(other.levels)
    for mine, its in zip(one.levels, other.levels, strict=True):
        for each in fields(Level):
            if each.name not in {"read_pixels", "stored"}:
                assert getattr(mine, each.name) == getattr(its, each.name), each.name
        there = its.read(whole(its.shape))
        assert np.array_equal(mine.read(whole(mine.shape)), there)


def test_regions_and_threads(pairs) -> None:
    """The contract of sources holds through the workers."""
    for _, _, there in pairs:
        for image in there.images.values():
            check_image(image)


@pytest.mark.parametrize(
    ("model", "record", "without"),
    [
        (MetadataTold, Metadata, set()),
        (ChannelTold, Channel, set()),
        (AxisTold, Axis, set()),
        (LevelTold, Level, {"read_pixels", "stored"}),
        (ImageTold, Image, {"stored", "resampling", "origin"}),
    ],
)
def test_no_field_is_forgotten(model, record, without) -> None:
    assert set(model.model_fields) == {each.name for each in fields(record)} - without


def test_all_metadata_come_through(workers, tmp_path) -> None:
    workers()
    told = Metadata(
        format="It", acquired="2020-01-01", magnification=20.0, aperture=0.8, position={"x": 1.5}, rescale=(2.0, -1.0),
        palette=("ff0000",), icc=b"\0\1", extra={"a": {"b": [1, None, "c", 2.5, True]}},
    )  # fmt: skip
    image = next(iter(opened_file(written(tmp_path / "it.mis")).images.values()))
    channels = (Channel(name="x", colour="00ff00", window=(0.0, 9.5), excitation=488.0, emission=510.5),)
    image = replace(image, metadata=told, channels=channels)
    check = rebuilt(json.loads(_encoded(image_told(image))), lambda k, level: image.levels[k].read_pixels)
    assert check.metadata == told
    assert check.channels == channels


def test_hdf5(workers, tmp_path) -> None:
    workers()
    stored = np.random.default_rng(1).integers(0, 60_000, (20, 70, 90)).astype(np.uint16)
    with h5py.File(tmp_path / "it.tinyh5", "w") as file:
        file.create_dataset("it", data=stored, chunks=(8, 32, 32), compression="gzip")
    image = diascope.open(tmp_path / "it.tinyh5")
    assert np.array_equal(image[:], stored)
    assert np.array_equal(image[3:9, 60:, 5], stored[3:9, 60:, 5])
    data = bytearray((tmp_path / "it.tinyh5").read_bytes())
    (tmp_path / "cut.tinyh5").write_bytes(data[: len(data) // 3])
    with pytest.raises(Unreadable, match=r"cut\.tinyh5"):
        diascope.open(tmp_path / "cut.tinyh5")


def test_a_store_of_the_server_stays_there(workers, tmp_path) -> None:
    """The worker asks the server for its bytes; many files are not left open, and errors come through."""
    pool = workers(workers=1)
    for name, format in files(tmp_path):
        store = CountingStore(LocalStore(tmp_path))
        found = replace(registry("sources")[format], is_isolated=True)
        dataset = isolated(found, store, name, "counting")
        image = dataset.images[next(iter(dataset.images))]
        plain = registry("sources")[format].open(LocalStore(tmp_path), name)
        assert np.array_equal(image[:], next(iter(plain.images.values()))[:])
        assert store.count >= (tmp_path / name).stat().st_size // 2
    (process,) = pool._processes
    del dataset, image
    gc.collect()
    wait_until(lambda: not process.datasets)
    assert not process.desk._stores
    assert not process.desk._blobs


def test_libraries_that_want_local_files_get_copies(workers, tmp_path) -> None:
    """One of each version for all workers, in the folder of the settings, for which there is more time."""
    pool = workers(workers=2, seconds=5.0)
    folder = tmp_path / "copies"
    (tmp_path / "images").mkdir()
    path = written(tmp_path / "images" / "it.mis", 8, local="yes")
    store = Distant(LocalStore(path.parent), copies=Copies(folder, 10_000))
    dataset = isolated(source, store, path.name, "distant")
    assert np.array_equal(dataset.images["it"].levels[0].read(whole(SHAPE)), pixels(8, whole(SHAPE)))
    copies = [each for each in folder.iterdir() if each.is_dir()]
    assert [each.name for each in copies[0].iterdir()] == ["it.mis"]
    assert len(copies) == 1
    (process,) = pool._processes
    os.kill(process.pid, 9)
    assert np.array_equal(dataset.images["it"].levels[0].read(whole(SHAPE)), pixels(8, whole(SHAPE)))
    with pytest.raises(Unreadable, match="local_copies"):
        isolated(source, Distant(LocalStore(path.parent), copies=Copies(folder, 10)), path.name, "small")
    pool.close()
    assert not [each for each in folder.iterdir() if each.is_dir()]


@dataclass
class Distant(CountingStore):
    """A store that says where copies of its files go."""

    copies: Copies = field(default_factory=Copies)


@pytest.mark.parametrize("error", [NotFound, Overloaded, Unreadable, PermissionError])
def test_trouble_of_a_store_is_what_it_is(error, workers, tmp_path) -> None:
    class Failing(CountingStore):
        def open(self, path):
            raise error("the store says so")

    workers()
    written(tmp_path / "it.mis")
    with pytest.raises(Unreadable if error is PermissionError else error, match="the store says so"):
        isolated(source, Failing(LocalStore(tmp_path)), "it.mis", "failing")


def test_long_listings_and_large_reads(workers, tmp_path) -> None:
    """Through the store of a worker, as the server's own."""
    for k in range(5_000):
        (tmp_path / f"{k}.txt").touch()
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(40 << 20)
        file.seek(33 << 20)
        file.write(b"here")
    desk = Desk()
    desk.lend(1, LocalStore(tmp_path))
    channel: Any = Loop(desk)
    line = Line(channel)
    store = RemoteStore(line, 1, "it", RemoteCopies(line, 1, Copies(tmp_path / "copies")))
    assert len(list(store.names(""))) == 5_001
    data = store.open("large.bin").read((1 << 20) + 5, 40 << 20)
    assert len(data) == (39 << 20) - 5
    assert data.index(b"here") == (32 << 20) - 5
    assert store.read("no") is None
    assert store.stat("no") is None
    assert store.local_path("large.bin") == str(tmp_path / "large.bin")
    with pytest.raises(NotFound):
        store.open("no")


class Loop:
    """A channel whose other side is a desk."""

    def __init__(self, desk) -> None:
        self.desk = desk
        self.replies: Iterator[Any] = iter(())

    def send(self, message) -> None:
        self.desk.drop(message["drop"])
        self.replies = self.desk.replies(message["ask"])

    def receive(self):
        reply, data = next(self.replies)
        return json.loads(_encoded(reply)), data


def test_names_are_listed_only_when_they_are_wanted(workers, tmp_path) -> None:
    workers()
    images = opened_file(written(tmp_path / "many.mis", many="3000000", list="hang")).images
    assert images["2999999"].name == "2999999"
    assert "3000000" not in images
    assert "no number" not in images
    with pytest.raises(KeyError):
        images["3000000"]
    short = opened_file(written(tmp_path / "few.mis", many="12")).images
    assert list(short) == [str(k) for k in range(12)]
    assert len(short) == 12


def test_a_lost_worker_is_replaced_unseen(workers, tmp_path) -> None:
    pool = workers(workers=1)
    level = isolated(source, LocalStore(tmp_path), written(tmp_path / "it.mis", 9).name, "test").images["it"].levels[0]
    for _ in range(3):
        (process,) = pool._processes
        os.kill(process.pid, 9)
        assert np.array_equal(level.read(whole(SHAPE)), pixels(9, whole(SHAPE)))
    assert len(pool.seen) == 4


def test_a_file_that_changed_is_not_opened_again_as_another(workers, tmp_path) -> None:
    pool = workers(workers=1)
    dataset = isolated(source, LocalStore(tmp_path), written(tmp_path / "it.mis", 1).name, "test")
    level = dataset.images["it"].levels[0]
    one = Region((0, 0, 0), (1, 1, 9))
    level.read(one)
    time.sleep(0.02)
    written(tmp_path / "it.mis", 2)
    assert np.array_equal(level.read(one), pixels(1, one)), "what is open stays what it was"
    (process,) = pool._processes
    os.kill(process.pid, 9)
    for _ in range(2):
        with pytest.raises(Unreadable, match="changed"):
            level.read(one)
    fresh = isolated(source, LocalStore(tmp_path), "it.mis", "test")
    assert np.array_equal(fresh.images["it"].levels[0].read(one), pixels(2, one))


def test_few_datasets_are_open_in_a_worker_at_once(workers, tmp_path) -> None:
    pool = workers(workers=1, datasets=4)
    images = [opened_file(written(tmp_path / f"{k}.mis", k)).images["it"] for k in range(20)]
    (process,) = pool._processes
    assert len(process.datasets) == 4
    for k, image in enumerate(images):
        assert np.array_equal(image[:], pixels(k, whole(SHAPE)))
        assert len(process.datasets) == 4


def test_a_dataset_that_nobody_holds_is_closed(workers, tmp_path) -> None:
    pool = workers(workers=1)
    held = opened_file(written(tmp_path / "held.mis", 1)).images["it"]
    for k in range(5):
        opened_file(written(tmp_path / f"{k}.mis", k)).images["it"][:]
    (process,) = pool._processes

    def is_alone() -> bool:
        # A thread that has just read may still be about to let go of it.
        gc.collect()
        return len(process.datasets) == 1

    wait_until(is_alone)
    assert np.array_equal(held[:], pixels(1, whole(SHAPE)))


def wait_until(holds) -> None:
    deadline = time.monotonic() + 10
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert holds()


def test_images_pickle_and_are_dask_arrays(workers, tmp_path) -> None:
    workers()
    image = diascope.open(written(tmp_path / "it.mis", 6) / "it")
    again = pickle.loads(pickle.dumps(image))  # noqa: S301
    assert np.array_equal(again[:], pixels(6, whole(SHAPE)))
    assert np.array_equal(image.to_dask().compute(scheduler="threads"), pixels(6, whole(SHAPE)))
    assert np.array_equal(
        image.to_dask().sum(axis=0).compute(scheduler="processes", num_workers=1),
        pixels(6, whole(SHAPE)).sum(axis=0),
    )


def test_only_what_is_marked_is_isolated() -> None:
    """Formats that were read before workers were there still are read where they were."""
    for name in ("jpeg2000", "nifti", "picture", "recipe", "tiff", "zarr"):
        assert not registry("sources")[name].is_isolated
