"""HDF5: the pixels are those of h5py, the axes those that a file tells, and nothing leads out of it."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from numpy.typing import NDArray

import diascope
from diascope.errors import Overloaded, Unreadable
from diascope.image.image import Image
from diascope.image.region import Region, whole
from diascope.sources.hdf5 import source
from diascope.sources.reading.h5.array import Array
from diascope.sources.reading.h5.file import files
from diascope.sources.reading.h5.node import root
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore
from tests.sources import hdf5_files
from tests.sources.hdf5_files import COLOURS, VOLUME

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.poisson(30, (37, 90, 70))
CHUNKS = (17, 45, 60)

FILTERS: dict[str, Any] = {
    "none": {},
    "gzip": {"compression": "gzip"},
    "gzip shuffle fletcher32": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf shuffle": {"compression": "lzf", "shuffle": True},
    "szip": {"compression": "szip"},
    "szip ec": {"compression": "szip", "compression_opts": ("ec", 16)},
    "shuffle": {"shuffle": True},
    "fletcher32": {"fletcher32": True},
    "scaleoffset": {"scaleoffset": 0},
    "blosc": hdf5plugin.Blosc(),
    "blosc zstd bits": hdf5plugin.Blosc(cname="zstd", shuffle=2),
    "lz4": hdf5plugin.LZ4(nbytes=4096),
    "zstd": hdf5plugin.Zstd(),
    "bitshuffle": hdf5plugin.Bitshuffle(cname="none"),
    "bitshuffle lz4": hdf5plugin.Bitshuffle(),
    "bitshuffle zstd": hdf5plugin.Bitshuffle(cname="zstd", nelems=64),
    "bzip2": hdf5plugin.BZip2(),
}


def images(path: Path) -> Any:
    return diascope.open_dataset(path).images


def image(path: Path) -> Image:
    found: Image = next(iter(images(path).values()))
    return found


def array(path: Path, name: str = "d") -> Array:
    """An array read in this process."""
    found = root(files(LocalStore(path.parent), path.name)).array(name)
    assert found is not None
    return found


@pytest.mark.parametrize("dtype", ["u1", "<i2", ">u2", "<f4", ">f8"])
@pytest.mark.parametrize("how", FILTERS)
def test_chunks_are_decoded_as_h5py_does(how: str, dtype: str, tmp_path: Path) -> None:
    if how == "scaleoffset" and "f" in dtype:
        pytest.skip("this filter keeps of fractions only some digits")
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("d", data=PIXELS.astype(dtype), chunks=CHUNKS, **FILTERS[how])
    found = array(path)
    np.testing.assert_array_equal(found.read(whole(found.shape)), PIXELS.astype(dtype))
    part = Region((3, 40, 7), (30, 47, 69))
    np.testing.assert_array_equal(found.read(part), PIXELS[part.slices])


@pytest.mark.parametrize("libver", ["earliest", "latest"])
@pytest.mark.parametrize("userblock", [0, 512, 2048])
def test_chunks_that_are_not_there_are_the_fill_value(libver: str, userblock: int, tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", libver=libver, userblock_size=userblock) as file:
        made = file.create_dataset("d", (100, 300, 310), ">u2", chunks=(40, 100, 100), fillvalue=9, compression="gzip")
        made[50:70, 90:110] = RANDOM.integers(0, 60000, (20, 20, 310))
        made[99, 299, 309] = 1
        expected = made[...]
        file.create_dataset("never", (20, 30), "f4", fillvalue=2.5)
        file.create_dataset("plain", data=expected)
    found = array(path)
    np.testing.assert_array_equal(found.read(whole(found.shape)), expected)
    np.testing.assert_array_equal(array(path, "plain").read(whole(found.shape)), expected)
    np.testing.assert_array_equal(array(path, "never").read(Region((0, 0), (2, 2))), np.full((2, 2), 2.5, "f4"))


def test_chunks_that_a_writer_left_unpacked_are_read(tmp_path: Path) -> None:
    """By their mask, as where packing would have made them longer."""
    path = tmp_path / "x.h5"
    noise = RANDOM.integers(0, 256, (64, 64, 64), dtype=np.uint8)
    with h5py.File(path, "w") as file:
        made = file.create_dataset("d", (128, 64, 64), "u1", chunks=(64, 64, 64), compression="gzip", shuffle=True)
        made.id.write_direct_chunk((0, 0, 0), noise.tobytes(), filter_mask=0b11)
        made[64:] = noise
    found = array(path)
    np.testing.assert_array_equal(found.read(whole(found.shape)), np.concatenate([noise, noise]))


def test_a_corrupt_chunk_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        made = file.create_dataset("d", data=PIXELS, chunks=CHUNKS, compression="gzip")
        place = made.id.get_chunk_info(0)
    data = bytearray(path.read_bytes())
    data[place.byte_offset + 30 : place.byte_offset + 60] = bytes(30)
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=r"x\.h5"):
        image(path)[0, 0, 0]
    np.testing.assert_array_equal(image(path)[20:30, 50:60, :], PIXELS[20:30, 50:60])


@pytest.mark.parametrize("dtype", ["?", "<c8", "<f2", "<i8"])
def test_types_that_images_have(dtype: str, tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("d", data=PIXELS.astype(dtype), chunks=CHUNKS)
    found = array(path)
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found.read(whole(found.shape)), PIXELS.astype(dtype))


def test_numbers_with_names_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        kinds = h5py.enum_dtype({"NOTHING": 0, "CELL": 1, "EDGE": 2}, basetype="u1")
        file.create_dataset("d", data=PIXELS % 3, dtype=kinds, chunks=CHUNKS, compression="gzip")
    np.testing.assert_array_equal(image(path)[...], PIXELS % 3)


def test_many_threads_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("d", data=PIXELS, chunks=CHUNKS, compression="gzip")
    found = array(path)
    boxes = [Region((z, y, 5), (z + 9, y + 30, 66)) for z in range(0, 28, 3) for y in range(0, 60, 7)]
    with ThreadPoolExecutor(8) as threads:
        for box, pixels in zip(boxes, threads.map(found.read, boxes), strict=True):
            np.testing.assert_array_equal(pixels, PIXELS[box.slices])


def test_only_what_a_region_needs_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        pixels = RANDOM.integers(0, 65536, (128, 256, 256), dtype=np.uint16)
        file.create_dataset("d", data=pixels, chunks=(32, 64, 64), compression="gzip")
    store = CountingStore(LocalStore(tmp_path))
    found = root(files(store, "x.h5")).array("d")
    assert found is not None
    found.read(Region((0, 0, 0), (1, 1, 1)))
    before = store.count
    assert before < 1 << 19
    found.read(Region((40, 70, 70), (50, 120, 120)))
    assert store.count - before < 32 * 64 * 64 * 2 * 1.1


def test_opening_does_not_look_for_chunks(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        pixels = RANDOM.integers(0, 65536, (64, 256, 256), dtype=np.uint16)
        file.create_dataset("tiny", data=pixels, chunks=(8, 8, 8), compression="lzf")
        file.create_dataset("large", data=pixels, chunks=(64, 64, 64), compression="lzf")
    store = CountingStore(LocalStore(tmp_path))
    assert set(source.open(store, "x.h5").images) == {"tiny", "large"}
    assert store.count < 1 << 17


def test_a_process_that_holds_files_ends_well(tmp_path: Path) -> None:
    """The library would call a file object after Python is gone."""
    hdf5_files.plain(tmp_path / "x.h5")
    script = f"""
from pathlib import Path
from diascope.sources.hdf5 import source
from diascope.stores.local import LocalStore

class Own(LocalStore):
    def open(self, path):
        blob = super().open(path)
        return Holder(blob)

class Holder:
    def __init__(self, blob):
        self.blob, self.stat = blob, blob.stat

    def read(self, start, stop):
        return self.blob.read(start, stop)

found = source.open(Own(Path({str(tmp_path)!r})), "x.h5").images
image = next(iter(found.values()))
kept = [found, image, found]
kept.append(kept)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_the_most_likely_image_comes_first(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a/small"] = np.zeros((20, 30), "u1")
        file["b/large"] = np.zeros((5, 20, 30), "u1")
        file["row"] = np.zeros((1, 1, 90), "u1")
        file["hyper"] = np.zeros((2,) * 6, "u1")
        file["record"] = np.zeros((20, 30), [("a", "u1"), ("b", "f4")])
        file["words"] = np.array([["a", "b"]] * 4, dtype=object)
        file["one"] = 3
        file["d\nline/.x/..y"] = np.zeros((3, 4), "u1")
        file["again"] = file["b/large"]
        file["a/round"] = file["a"]
    found = images(tmp_path / "x.h5")
    assert list(found) == ["again", "b/large", "a/small", "d_line/.x/..y"]
    passed = found["a/small"].metadata.extra["passed_over"]
    assert passed == {
        "hyper": "it has 6 dimensions",
        "one": "one is a single value or has none",
        "record": "record has records, not numbers",
        "row": "the shape (1, 1, 90) is that of a row of numbers",
        "words": "words has texts, references or lists, not numbers",
    }


def test_a_file_without_images_is_refused_with_the_reason(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["row"] = np.zeros(5)
    with pytest.raises(Unreadable, match=r"x\.h5: none of its arrays can be an image \(row: it has 1 dimension\)"):
        images(tmp_path / "x.h5")


def test_axes_of_ilastik(tmp_path: Path) -> None:
    hdf5_files.ilastik(tmp_path / "x.h5")
    found = image(tmp_path / "x.h5")
    assert (found.axis_names, found.shape) == ("tczyx", (2, 2, 3, 20, 30))
    with h5py.File(tmp_path / "x.h5") as file:
        np.testing.assert_array_equal(found[...], np.moveaxis(file["exported_data"][...], -1, 1))


def test_colours(tmp_path: Path) -> None:
    hdf5_files.colours(tmp_path / "x.h5")
    found = image(tmp_path / "x.h5")
    assert (found.kind, found.axis_names) == ("rgb", "cyx")
    np.testing.assert_array_equal(found[...], np.moveaxis(COLOURS, -1, 0))


def test_a_last_axis_of_three_is_no_colour_unless_it_is_told(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["d"] = COLOURS
    assert (image(tmp_path / "x.h5").kind, image(tmp_path / "x.h5").axis_names) == ("intensity", "zyx")


def test_dimension_scales(tmp_path: Path) -> None:
    hdf5_files.scaled(tmp_path / "x.h5")
    found = images(tmp_path / "x.h5")["intensity"]
    assert [(axis.name, axis.unit) for axis in found.axes] == [(name, "micrometer") for name in "zyx"]
    assert (found.levels[0].scale, found.levels[0].translation) == ((2.0, 0.5, 0.5), (5.0, 0.0, 0.0))


def test_element_sizes_of_imagej(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["t0/channel0"] = VOLUME
        file["t0/channel0"].attrs["element_size_um"] = [2.0, 0.5, 0.25]
    found = image(tmp_path / "x.h5")
    assert found.levels[0].scale == (2.0, 0.5, 0.25)
    assert {axis.unit for axis in found.axes} == {"micrometer"}


def test_labels_of_dimensions(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        made = file.create_dataset("d", data=VOLUME)
        for d, name in enumerate(("channel", "x", "y")):
            made.dims[d].label = name
    found = image(tmp_path / "x.h5")
    assert found.axis_names == "cyx"
    np.testing.assert_array_equal(found[...], VOLUME.transpose(0, 2, 1))


def test_levels(tmp_path: Path) -> None:
    hdf5_files.pyramid(tmp_path / "x.h5")
    (name, found), *others = images(tmp_path / "x.h5").items()
    assert (name, others) == ("volumes/image", [])
    assert [level.scale for level in found.levels] == [(1, 1, 1), (1, 2, 2), (1, 4, 4)]
    assert [level.translation[2] for level in found.levels] == [0.0, 0.5, 1.5]
    np.testing.assert_array_equal(found.levels[2].read(whole(found.levels[2].shape)), VOLUME[:, ::4, ::4])


def test_arrays_that_are_no_levels_stay_images(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["g/s0"], file["g/s1"] = np.zeros((30, 40)), np.zeros((20, 70))
    assert set(images(tmp_path / "x.h5")) == {"g/s0", "g/s1"}


def test_emd_of_berkeley(tmp_path: Path) -> None:
    hdf5_files.berkeley(tmp_path / "x.emd")
    found = image(tmp_path / "x.emd")
    assert found.metadata.format == "EMD (Berkeley)"
    assert [(axis.name, axis.unit) for axis in found.axes] == [(name, "nanometer") for name in "zyx"]
    assert found.levels[0].scale == (2.0, 0.5, 0.25)


def test_emd_of_velox(shared_data: Path) -> None:
    found = image(shared_data / "hdf5" / "fei_example_tem_stack.emd")
    told = found.metadata
    assert (found.axis_names, found.axes[-1].unit, told.format) == ("tyx", "meter", "EMD (Velox)")
    assert found.levels[0].scale[-1] == pytest.approx(8.1728831922978511e-12)
    assert (told.instrument, told.acquired) == ("FEI Company Titan", "2019-12-05T10:03:44Z")
    assert told.position["x"] == pytest.approx(12.2408, abs=1e-4)


def test_a_palette(shared_data: Path) -> None:
    found = image(shared_data / "hdf5" / "test.h5")
    with h5py.File(shared_data / "hdf5" / "test.h5") as file:
        colours: NDArray[Any] = file["HDF4_PALGROUP/HDF4_PALETTE_2"][...]
    assert found.metadata.palette == tuple(bytes(colour).hex() for colour in colours)
    assert json.loads(json.dumps(dict(found.metadata.extra)))["attributes"]["HDF4_IMAGE_LABEL_0"] == "brs_data"


def test_nothing_leads_out_of_the_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["d"] = np.full((20, 30), 7, "u1")
    (tmp_path / "secret.raw").write_bytes(bytes(range(256)) * 10)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["own"] = np.zeros((20, 30), "u1")
        file["linked"] = h5py.ExternalLink("secret.h5", "/d")
        file["soft"] = h5py.SoftLink("/linked")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file.create_dataset("raw", (20, 30), "u1", external=[("secret.raw", 0, 600)])
        layout = h5py.VirtualLayout((20, 30), "u1")
        layout[...] = h5py.VirtualSource("secret.h5", "d", (20, 30))
        file.create_virtual_dataset("virtual", layout)
    found = images(tmp_path / "x.h5")
    assert list(found) == ["own"]
    assert found["own"].metadata.extra["passed_over"] == {
        "dangling": "dangling is a soft link, which is not followed",
        "linked": "a link leads to the file 'secret.h5', which is not followed",
        "raw": "raw lies in other files as raw data, which are not followed",
        "soft": "soft is a soft link, which is not followed",
        "virtual": "virtual is made of other arrays (a virtual dataset), which are not followed",
    }


def test_plug_ins_are_not_loaded(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("d", data=PIXELS, chunks=CHUNKS, **hdf5plugin.Zfp())
        file["own"] = VOLUME
    passed = image(tmp_path / "x.h5").metadata.extra["passed_over"]["d"]
    assert passed.startswith("d is compressed by the plug-in")
    assert "(32013), which is not loaded" in passed


def test_a_broken_array_does_not_harm_the_others(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["broken"], file["whole"] = VOLUME, VOLUME
        place = h5py.h5o.get_info(file["broken"].id).addr
    data = bytearray((tmp_path / "x.h5").read_bytes())
    data[place] = 99
    (tmp_path / "x.h5").write_bytes(data)
    found = images(tmp_path / "x.h5")
    assert list(found) == ["whole"]
    assert found["whole"].metadata.extra["passed_over"]["broken"].startswith("broken cannot be read: ")
    np.testing.assert_array_equal(found["whole"][...], VOLUME)


def test_trouble_of_the_store_is_no_reason_to_pass_over(tmp_path: Path) -> None:
    """Else a network that fails would make images vanish."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for k in range(200):
            file[f"a{k}"] = VOLUME
    lost = Lost(LocalStore(tmp_path))
    before = list(source.open(lost, "x.h5").images)
    lost.left = 10
    with pytest.raises(Overloaded, match="the network is down"):
        source.open(lost, "x.h5")
    assert len(before) == 200


class Lost(CountingStore):
    """A store that fails after some reads."""

    left = 1 << 20

    def counted(self, count: int) -> None:
        self.left -= 1
        if self.left < 0:
            raise Overloaded("the network is down")
