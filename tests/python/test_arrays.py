"""Images as dask, xarray and zarr see them."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace

import dask.array
import numpy as np
import pytest
import xarray
import zarr

import diascope
from diascope.errors import Unavailable, Unsupported
from diascope.image.image import Image
from diascope.image.level import read_whole
from diascope.image.metadata import Channel
from diascope.image.region import Region
from diascope.python.dask_array import WORTH
from diascope.testing.synthetic import ramp


@pytest.fixture
def image() -> Image:
    return ramp("czyx", (2, 5, 300, 400), levels=2)


def test_dask_has_the_pixels_of_each_level(image: Image) -> None:
    assert isinstance(image.dask, dask.array.Array)
    assert np.array_equal(image.dask.compute(), image[...])
    coarse = image.levels[1]
    assert np.array_equal(image.to_dask(1)[:, 2, 7:, ::3].compute(), read_whole(coarse)[:, 2, 7:, ::3])


def test_pieces_are_whole_chunks_and_worth_a_task(image: Image) -> None:
    pieces = ramp("zyx", (3, 5000, 5000), chunk_shape=(1, 24, 40)).dask.chunksize
    assert [side % chunk for side, chunk in zip(pieces[1:], (24, 40), strict=True)] == [0, 0]
    assert np.prod(pieces) * 2 >= WORTH
    large = ramp("yx", (5000, 5000), chunk_shape=(1024, 1024))
    assert large.dask.chunksize == (1024, 1024)


def test_computing_a_part_reads_no_more(image: Image) -> None:
    seen: list[Region] = []
    level = image.levels[0]

    def read_pixels(region: Region) -> np.ndarray:
        seen.append(region)
        return level.read_pixels(region)

    watched = replace(image, levels=(replace(level, read_pixels=read_pixels),))
    array = watched.dask
    assert seen == []
    array[1, 0, 10:20, 30:40].compute()
    assert [region.shape for region in seen] == [(1, 1, 10, 10)]


def test_dask_computes_in_other_processes(cells: str) -> None:
    image = diascope.open(f"{cells}/crop,x=0..200,y=0..200")
    total = image.dask.sum(dtype=np.int64).compute(scheduler="processes", num_workers=2)
    assert total == image[...].sum(dtype=np.int64)


def test_xarray_selects_by_channel_name_and_place(image: Image) -> None:
    array = image.xarray
    assert isinstance(array, xarray.DataArray)
    assert array.dims == ("c", "z", "y", "x")
    assert array.x.attrs["units"] == "micrometer"
    found = array.sel(c="channel 1").sel(z=4.0, y=10.0, x=slice(5.0, 6.0))
    assert np.array_equal(found.values, image[1, 2, 20, 20:25])


def test_coordinates_are_those_of_the_level() -> None:
    level = replace(ramp("yx", (9, 9)).levels[0], translation=(3.0, 0.5), scale=(2.0, 0.25))
    array = replace(ramp("yx", (9, 9)), levels=(level,)).xarray
    assert array.y.values.tolist() == [3 + 2 * k for k in range(9)]
    assert array.x.values.tolist() == [0.5 + k / 4 for k in range(9)]


def test_channels_without_a_name_of_their_own_have_no_coordinate(image: Image) -> None:
    assert "c" not in replace(image, channels=(Channel(name="a"), Channel(name="a"))).xarray.coords
    assert "c" not in replace(image, channels=()).xarray.coords
    colours = ramp("cyx", (3, 8, 8), np.uint8, kind="rgb").xarray
    assert colours.c.values.tolist() == ["red", "green", "blue"]


def test_zarr_reads_the_store_of_an_image(image: Image) -> None:
    group = zarr.open_group(image.to_zarr_store(), mode="r")
    assert np.array_equal(group["0"][...], image[...])
    assert np.array_equal(group["1"][...], read_whole(image.levels[1]))
    assert group.attrs["ome"]["multiscales"][0]["axes"][0]["name"] == "c"
    assert sorted(key for key, _ in group.arrays()) == ["0", "1"]


def test_zarr_cannot_write_to_it(image: Image) -> None:
    store = image.to_zarr_store()
    with pytest.raises(ValueError, match=r"read.only|only read"):
        zarr.open_group(store, mode="a")["0"][...] = 0
    with pytest.raises(ValueError, match="only read"):
        store.with_read_only(read_only=False)


def test_a_store_lists_its_keys_and_opens_again_elsewhere(cells: str) -> None:
    image = diascope.open(f"{cells}/crop,x=0..200,y=0..200")
    store = pickle.loads(pickle.dumps(image.to_zarr_store()))  # noqa: S301
    assert np.array_equal(zarr.open_array(store, path="0", mode="r")[...], image[...])


def test_an_image_that_zarr_has_no_word_for_is_refused() -> None:
    longdouble = ramp("yx", (4, 4), np.longdouble)
    with pytest.raises(Unsupported):
        longdouble.to_zarr_store()


@pytest.fixture(params=["dask", "xarray", "zarr"])
def missing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    for name in list(sys.modules):
        if name.partition(".")[0] == request.param:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, request.param, None)
    return str(request.param)


def test_a_missing_library_is_told_with_the_way_to_have_it(image: Image, missing: str) -> None:
    ask = {"dask": image.to_dask, "xarray": image.to_xarray, "zarr": image.to_zarr_store}[missing]
    with pytest.raises(Unavailable, match=rf"{missing} is not installed: pip install 'diascope\[python\]'"):
        ask()


def test_opening_imports_none_of_them(cells: str) -> None:
    program = (
        f"import sys, diascope; diascope.open({cells!r})[0, 0, :9, :9]\n"
        "print({*sys.modules} & {'dask', 'xarray', 'zarr', 'fsspec', 'urllib3'})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"
