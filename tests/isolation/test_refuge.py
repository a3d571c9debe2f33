"""Datasets that are opened by the server, of which workers read what is not trusted."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import httpx
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

import diascope
from diascope.catalogue.opening import opened_in
from diascope.errors import Changed, DiascopeError, Quarantined, Unreadable
from diascope.image.image import Image
from diascope.image.region import whole
from diascope.sources import distrust
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.servers import of_folder

CRASHING = Path(__file__).parents[1] / "sources" / "crashing.jxr"
"""One byte in a few was changed in 40 rows of 52 pixels; jxrlib ends the process that decodes it."""

SHAPE = (40, 52)
OME = """<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="set">
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="52" SizeY="40" SizeZ="2" SizeC="1" SizeT="1">
<Channel ID="Channel:0:0" SamplesPerPixel="1"/>
<TiffData IFD="0" FirstZ="0" PlaneCount="1"><UUID FileName="one.tif">urn:uuid:1</UUID></TiffData>
<TiffData IFD="0" FirstZ="1" PlaneCount="1"><UUID FileName="two.tif">urn:uuid:2</UUID></TiffData>
</Pixels></Image></OME>"""


def plane(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 255, SHAPE, np.uint8)


def crashing(path: Path) -> None:
    options = {"shape": SHAPE, "dtype": np.uint8, "compression": "jpegxr", "rowsperstrip": 40, "metadata": None}
    tifffile.imwrite(path, iter([CRASHING.read_bytes()]), **options)


def pixels(image: Image) -> NDArray[np.uint8]:
    level = image.levels[0]
    return np.asarray(level.read(whole(level.shape)))


def test_a_stream_that_kills_its_decoder_does_not_end_the_server(workers, tmp_path) -> None:
    pool = workers(workers=1)
    folder = tmp_path / "lab"
    folder.mkdir()
    crashing(folder / "bad.tif")
    tifffile.imwrite(folder / "good.tif", plane(), compression="jpegxr")
    tifffile.imwrite(folder / "plain.tif", plane(1), compression="zlib")
    live = of_folder(folder, reader_processes=1)
    try:
        assert chunk(live.url, "plain.tif").status_code == 200
        assert not pool.seen
        reasons = [chunk(live.url, "bad.tif") for _ in range(3)]
        assert [each.status_code for each in reasons] == [502] * 3
        assert all("SIG" in each.json()["detail"] and "left alone" in each.json()["detail"] for each in reasons)
        assert len(pool.seen) <= 2  # the one that crashed, and the one in its place
        assert chunk(live.url, "good.tif").status_code == 200
        assert chunk(live.url, "plain.tif").status_code == 200
    finally:
        live.stop()


def chunk(url: str, name: str) -> httpx.Response:
    stem = name.partition(".")[0]
    return httpx.get(f"{url}/data/lab/{name}/original/{stem}.ome.zarr/0/c/0/0", timeout=60)


@pytest.mark.parametrize("compression", ["jpegxr", "png", "lerc", "webp"])
def test_what_a_worker_decodes_is_right(workers, tmp_path, compression) -> None:
    pool = workers()
    stored = np.stack([plane(k) for k in range(3)], axis=-1) if compression == "webp" else plane()
    lossless = {"compressionargs": {"lossless": True}} if compression == "webp" else {}
    tifffile.imwrite(tmp_path / "a.tif", stored, compression=compression, tile=(16, 16), **lossless)
    image = diascope.open(tmp_path / "a.tif")
    expected = np.moveaxis(stored, -1, 0) if stored.ndim > 2 else stored
    np.testing.assert_array_equal(image[...], expected)
    assert pool.seen


def test_only_the_image_that_needs_it_is_read_elsewhere(workers, tmp_path) -> None:
    pool = workers()
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(plane(1), metadata=None)
        file.write(plane(2)[:30], compression="jpegxr", metadata=None)
    images = diascope.open_dataset(tmp_path / "a.tif").images
    first, second = images
    np.testing.assert_array_equal(pixels(images[first]), plane(1))
    assert not pool.seen
    np.testing.assert_array_equal(pixels(images[second]), plane(2)[:30])
    assert pool.seen


def test_a_file_beside_is_found_to_need_it_when_it_is_read(workers, tmp_path) -> None:
    pool = workers()
    tifffile.imwrite(
        tmp_path / "one.tif", plane(1), description=OME.replace("<OME", '<OME UUID="urn:uuid:1"', 1), metadata=None
    )
    tifffile.imwrite(tmp_path / "two.tif", plane(2), compression="jpegxr", metadata=None)
    image = next(iter(diascope.open_dataset(tmp_path / "one.tif").images.values()))
    assert not pool.seen
    np.testing.assert_array_equal(pixels(image), np.stack([plane(1), plane(2)]))
    assert pool.seen


def test_stores_that_are_not_local(workers, tmp_path) -> None:
    workers()
    tifffile.imwrite(tmp_path / "a.tif", plane(), compression="jpegxr")
    crashing(tmp_path / "bad.tif")
    store = CountingStore(LocalStore(tmp_path))
    np.testing.assert_array_equal(pixels(opened_in(store, "a.tif", "test", "a.tif").images["a"]), plane())
    bad = opened_in(store, "bad.tif", "test", "bad.tif").images["bad"]
    with pytest.raises(Quarantined, match=r"bad\.tif"):
        pixels(bad)


def test_a_file_that_was_replaced_before_a_worker_opened_it(workers, tmp_path) -> None:
    workers()
    for seed in (1, 2):
        tifffile.imwrite(tmp_path / f"{seed}.tif", plane(seed), compression="jpegxr")
    path = tmp_path / "a.tif"
    (tmp_path / "1.tif").rename(path)
    dataset = diascope.open_dataset(path)
    (tmp_path / "2.tif").replace(path)
    with pytest.raises(Changed, match=r"a\.tif"):
        pixels(dataset.images["a"])


@pytest.fixture
def _trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distrust, "_is_confined", Event())


@pytest.mark.usefixtures("_trusting")
def test_where_nothing_is_lost_all_is_trusted() -> None:
    with pytest.raises(distrust.Untrusted, match="BMP"):
        distrust.distrust("BMP")
    distrust.confined()
    distrust.distrust("BMP")
    assert issubclass(distrust.Untrusted, DiascopeError)
    assert not issubclass(distrust.Untrusted, Unreadable)
