"""NIfTI, judged by nibabel."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

import diascope
from diascope.errors import DiascopeError, Unreadable
from diascope.image.level import read_whole
from diascope.image.region import Region
from diascope.registry import registry
from diascope.sources.nifti import source
from diascope.stores.local import LocalStore
from diascope.testing.counting import CountingStore

RANDOM = np.random.default_rng(7)
MAP = np.array([[-2.0, 0.1, 0, 30], [0, 1.5, 0.3, -20], [0.2, 0, 4, 7], [0, 0, 0, 1]])

DIM, DATATYPE, VOX_OFFSET = 40, 70, 108
"""Where these fields stand in a header of NIfTI-1."""


def volume(shape: tuple[int, ...], dtype: Any = np.int16) -> Any:
    return RANDOM.integers(0, 100, shape).astype(dtype)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image])
@pytest.mark.parametrize("dtype", ["<i2", ">i2", "u1", ">f4", "<f8", ">c8", "<u4"])
def test_pixels_are_nibabels(tmp_path: Path, suffix: str, kind: Any, dtype: str) -> None:
    path = tmp_path / f"volume{suffix}"
    order = "<>"[dtype.startswith(">")]
    pixels = volume((13, 11, 7), dtype)
    kind(pixels, MAP, kind.header_class(endianness=order), dtype=pixels.dtype).to_filename(path)
    image = diascope.open(path)
    assert image.axis_names == "zyx"
    assert image.dtype == np.dtype(dtype).newbyteorder("=")
    stored = np.asarray(nibabel.load(path).dataobj.get_unscaled())
    np.testing.assert_array_equal(image[...], stored.T)
    np.testing.assert_array_equal(image[2:5, 3:9, 4:6], stored.T[2:5, 3:9, 4:6])


@pytest.mark.parametrize(
    ("dims", "axes", "shape"),
    [
        ((5, 4), "yx", (4, 5)),
        ((5, 4, 1), "zyx", (1, 4, 5)),
        ((5, 4, 3, 1), "zyx", (3, 4, 5)),
        ((5, 4, 3, 2), "tzyx", (2, 3, 4, 5)),
        ((5, 4, 1, 2), "tzyx", (2, 1, 4, 5)),
        ((5, 4, 3, 1, 6), "czyx", (6, 3, 4, 5)),
        ((5, 4, 3, 2, 6), "tczyx", (2, 6, 3, 4, 5)),
        ((5, 4, 3, 2, 2, 3), "tczyx", (2, 6, 3, 4, 5)),
    ],
)
def test_dimensions_become_axes(tmp_path: Path, dims: tuple[int, ...], axes: str, shape: tuple[int, ...]) -> None:
    pixels = volume(dims)
    nibabel.Nifti1Image(pixels, MAP).to_filename(tmp_path / "a.nii")
    image = diascope.open(tmp_path / "a.nii")
    assert (image.axis_names, image.shape) == (axes, shape)
    flat = pixels.reshape((*dims[:4], -1), order="F") if len(dims) > 4 else pixels
    letters = "xyztc"[: flat.ndim]
    wanted = flat.transpose([letters.index(name) for name in axes if name in letters] + unnamed(letters, axes))
    np.testing.assert_array_equal(image[...], wanted.reshape(shape))


def unnamed(letters: str, axes: str) -> list[int]:
    return [k for k, name in enumerate(letters) if name not in axes]


@pytest.mark.parametrize(("unit", "millimetres", "name"), [("mm", 1, "millimeter"), ("micron", 1e-3, "micrometer")])
def test_world_is_nibabels_in_millimetres(tmp_path: Path, unit: str, millimetres: float, name: str) -> None:
    made = nibabel.Nifti1Image(volume((4, 5, 6)), MAP)
    made.header.set_xyzt_units(unit, "sec")
    made.set_sform(MAP, code=4)
    made.to_filename(tmp_path / "a.nii")
    image = diascope.open(tmp_path / "a.nii")
    assert image.world is not None
    assert image.world.space == "mni152"
    assert {axis.unit for axis in image.axes} == {name}
    assert image.levels[0].scale[::-1] == pytest.approx(nibabel.load(tmp_path / "a.nii").header.get_zooms())
    index = np.array([2, 3, 4])
    physical = np.array([*(index * image.levels[0].scale[::-1]), 1])
    known = (nibabel.load(tmp_path / "a.nii").affine @ [*index, 1])[:3]
    assert (image.world.array @ physical)[:3] == pytest.approx(known * millimetres, rel=1e-5)


def test_world_is_of_qform_where_there_is_no_sform_and_else_missing(tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(volume((4, 5, 6)), None)
    made.set_qform(np.diag([-2.0, 2, 3, 1]), code=1)
    made.set_sform(None, code=0)
    made.to_filename(tmp_path / "q.nii")
    world = diascope.open(tmp_path / "q.nii").world
    assert world is not None
    assert world.space == "scanner"
    np.testing.assert_allclose(world.array, np.diag([-1, 1, 1, 1]), atol=1e-6)
    made.set_qform(None, code=0)
    made.to_filename(tmp_path / "none.nii")
    assert diascope.open(tmp_path / "none.nii").world is None


def test_metadata_are_in_the_models_words(tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(volume((4, 5, 6, 3)), MAP)
    made.header.set_xyzt_units("mm", "msec")
    made.header["pixdim"][4] = 500
    made.header["toffset"] = 25
    made.header["descrip"] = b"a rat"
    made.header["cal_min"], made.header["cal_max"] = 10, 50
    made.header.set_slope_inter(2, 10)
    path = tmp_path / "a.nii"
    with path.open("wb") as file:
        made.header["vox_offset"] = 352
        made.header.write_to(file)
        file.write(made.dataobj.tobytes(order="F"))
    image = diascope.open(path)
    assert image.metadata.rescale == (2.0, 10.0)
    assert image.metadata.description == "a rat"
    assert image.channels[0].window == (0.0, 20.0)
    assert image.axes[0].unit == "millisecond"
    assert image.levels[0].scale[0] == 500
    assert image.levels[0].translation[0] == 25
    assert image.metadata.extra["dim"][:5] == [4, 4, 5, 6, 3]
    np.testing.assert_array_equal(image[1], np.asarray(made.dataobj)[..., 1].T)


def test_labels_are_told_by_their_intent(tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(volume((4, 5, 6)), MAP)
    made.header.set_intent("label")
    made.to_filename(tmp_path / "labels.nii")
    assert diascope.open(tmp_path / "labels.nii").kind == "labels"


def test_colours_are_rgb(tmp_path: Path) -> None:
    colours = np.zeros((4, 5, 6), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    for name in "RGB":
        colours[name] = volume((4, 5, 6), "u1")
    nibabel.Nifti1Image(colours, MAP).to_filename(tmp_path / "rgb.nii")
    image = diascope.open(tmp_path / "rgb.nii")
    assert (image.kind, image.axis_names, image.shape) == ("rgb", "czyx", (3, 6, 5, 4))
    np.testing.assert_array_equal(image[1], colours["G"].T)
    np.testing.assert_array_equal(image[:, 2:4, 1:3, 2], np.stack([colours[n].T for n in "RGB"])[:, 2:4, 1:3, 2])


def test_a_pair_is_one_image_and_both_files_make_its_version(tmp_path: Path) -> None:
    pixels = volume((4, 5, 6))
    nibabel.Nifti1Pair(pixels, MAP).to_filename(tmp_path / "pair.hdr")
    dataset = diascope.open_dataset(tmp_path / "pair.hdr")
    assert dataset.files == ("pair.hdr", "pair.img")
    np.testing.assert_array_equal(dataset.images["pair"][...], pixels.T)
    (tmp_path / "pair.img").write_bytes(bytes(300))
    assert source.version(LocalStore(tmp_path), "pair.hdr") != dataset.version
    (tmp_path / "pair.img").unlink()
    with pytest.raises(Unreadable, match=r"pair\.img.*missing"):
        diascope.open(tmp_path / "pair.hdr")


def test_a_plain_file_is_read_in_place(tmp_path: Path) -> None:
    nibabel.Nifti1Image(volume((128, 128, 64), "u1"), MAP).to_filename(tmp_path / "a.nii")
    store = CountingStore(LocalStore(tmp_path))
    level = source.open(store, "a.nii").images["a"].levels[0]
    assert store.count < 4096
    for box, most in (
        (Region((9, 5, 0), (10, 6, 128)), 128),
        (Region((9, 5, 3), (10, 7, 9)), 2 * 128),
        (Region((9, 0, 0), (12, 128, 128)), 3 * 128 * 128),
        (Region((0, 4, 0), (64, 5, 128)), 64 * 128),
    ):
        before = store.count
        level.read(box)
        assert store.count - before <= most


def test_a_packed_file_is_inflated_as_far_as_it_is_read_and_not_again(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 256, (256, 256, 160), dtype=np.uint8)
    with gzip.open(tmp_path / "a.nii.gz", "wb", compresslevel=1) as file:
        file.write(nibabel.Nifti1Image(pixels, MAP).to_bytes())
    packed = (tmp_path / "a.nii.gz").stat().st_size
    store = CountingStore(LocalStore(tmp_path))
    level = source.open(store, "a.nii.gz").images["a"].levels[0]
    assert store.count < 1 << 17

    def cost(z: int) -> int:
        before = store.count
        np.testing.assert_array_equal(level.read(Region((z, 0, 0), (z + 1, 256, 256)))[0], pixels[..., z].T)
        return store.count - before

    assert cost(3) < packed / 3
    assert cost(159) > packed / 2
    assert cost(80) < packed / 3
    assert cost(81) < packed / 3


def patched(tmp_path: Path, at: int, form: str, *values: float, packed: bool = False) -> Path:
    data = bytearray(nibabel.Nifti1Image(volume((4, 5, 6)), MAP).to_bytes())
    struct.pack_into(form, data, at, *values)
    path = tmp_path / ("lie.nii.gz" if packed else "lie.nii")
    path.write_bytes(gzip.compress(bytes(data)) if packed else bytes(data))
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("at", "form", "values"),
    [
        (DIM, "<8h", (3, 30000, 30000, 30000, 1, 1, 1, 1)),
        (DIM, "<8h", (7, 30000, 30000, 30000, 30000, 30000, 30000, 30000)),
        (DIM, "<8h", (3, 4, 0, 6, 1, 1, 1, 1)),
        (DIM, "<8h", (3, 4, -5, 6, 1, 1, 1, 1)),
        (DIM, "<8h", (0, 4, 5, 6, 1, 1, 1, 1)),
        (DIM, "<8h", (9, 4, 5, 6, 1, 1, 1, 1)),
        (DATATYPE, "<h", (1,)),
        (DATATYPE, "<h", (1536,)),
        (DATATYPE, "<h", (77,)),
        (VOX_OFFSET, "<f", (-1000.0,)),
        (VOX_OFFSET, "<f", (float("nan"),)),
        (VOX_OFFSET, "<f", (1e30,)),
        (VOX_OFFSET, "<f", (360.0,)),
    ],
)
def test_a_lying_header_is_refused(tmp_path: Path, at: int, form: str, values: tuple[float, ...], packed: bool) -> None:
    path = patched(tmp_path, at, form, *values, packed=packed)
    with pytest.raises(DiascopeError, match=r"lie\.nii"):
        read_whole(diascope.open(path).levels[0])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float, suffix: str) -> None:
    path = tmp_path / f"cut{suffix}"
    nibabel.Nifti1Image(volume((64, 64, 20)), MAP).to_filename(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(Unreadable, match="cut"):
        read_whole(diascope.open(path).levels[0])


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_flipped_byte_in_a_packed_file_is_noticed(tmp_path: Path, place: float) -> None:
    path = tmp_path / "flipped.nii.gz"
    nibabel.Nifti1Image(volume((64, 64, 20)), MAP).to_filename(path)
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0x10
    path.write_bytes(bytes(data))
    with pytest.raises(Unreadable, match="flipped"):
        read_whole(diascope.open(path).levels[0])


def test_the_bytes_decide_and_not_the_name(tmp_path: Path) -> None:
    made = nibabel.Nifti1Image(volume((4, 5, 6)), MAP)
    (tmp_path / "volume.png").write_bytes(made.to_bytes())
    assert diascope.open(tmp_path / "volume.png").metadata.format == "NIfTI-1"
    assert registry("sources")["nifti"] is source
