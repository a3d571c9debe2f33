"""What programs make of a mount: those that know nothing but files, each judging the pixels that it reads."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path
from shutil import which

import nibabel
import numpy as np
import openslide
import pytest
import SimpleITK
import tifffile

from tests.judges import bioformats, imagej, libtiff, nifti_tool, tensor_store, zarr_python
from tests.judges.required import required
from tests.mounts import Mount, mounted, needed

RANDOM = np.random.default_rng(6)
CELLS = RANDOM.integers(0, 60_000, (3, 2, 200, 300), dtype=np.uint16)  # z, c, y, x
SLIDE = RANDOM.integers(0, 256, (1100, 900, 3), dtype=np.uint8)
HEAD = RANDOM.integers(-1000, 1000, (9, 30, 40), dtype=np.int16)  # z, y, x
FILM = RANDOM.integers(0, 60_000, (2, 3, 2, 90, 120), dtype=np.uint16)  # t, z, c, y, x
SPACING = {"X": 0.25, "Y": 0.5, "Z": 2.0}

pytestmark = pytest.mark.judge


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("images") / "judged"
    folder.mkdir()
    tifffile.imwrite(folder / "cells.tif", CELLS, imagej=True, metadata={"axes": "ZCYX"})
    spacing = {f"PhysicalSize{axis}": size for axis, size in SPACING.items()}
    tifffile.imwrite(folder / "film.ome.tif", FILM, ome=True, metadata={"axes": "TZCYX", **spacing})
    tifffile.imwrite(folder / "slide.tif", SLIDE, tile=(256, 256), photometric="rgb")
    nibabel.Nifti1Image(HEAD.T, np.diag([1.0, 2.0, 3.0, 1.0])).to_filename(folder / "head.nii.gz")
    return folder


@pytest.fixture(scope="module")
def mount(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mount]:
    needed()
    with mounted(folder, tmp_path_factory.mktemp("mount") / "top") as found:
        yield found
        assert found.log.read_text() == ""


@pytest.fixture(scope="module")
def cells(mount: Mount) -> Path:
    """The views of the cells."""
    return mount.top / "cells.tif" / "original"


def test_tifffile_reads_through_memory_that_is_mapped(cells: Path) -> None:
    np.testing.assert_array_equal(tifffile.imread(cells / "cells.ome.tif"), CELLS.transpose(1, 0, 2, 3))
    with (cells / "cells.nii").open("rb") as file:
        mapped = np.memmap(file, "u1", mode="r")
        assert mapped.tobytes() == (cells / "cells.nii").read_bytes()


def test_nibabel_reads_the_volume(mount: Mount) -> None:
    image = nibabel.load(mount.top / "head.nii.gz" / "original" / "head.nii")
    np.testing.assert_array_equal(np.asarray(image.dataobj).T, HEAD)
    np.testing.assert_array_equal(np.diag(image.affine), [1, 2, 3, 1])


@pytest.mark.parametrize("name", ["cells.ome.zarr", "cells.zarr2.ome.zarr"])
def test_zarr_python_reads_every_version(cells: Path, name: str) -> None:
    found = zarr_python.group(str(cells / name))["0"][...]
    np.testing.assert_array_equal(found.squeeze(), CELLS.transpose(1, 0, 2, 3))


def test_tensorstore_reads_zarr_and_precomputed_by_its_file_driver(cells: Path) -> None:
    found = tensor_store.array("zarr3", str(cells / "cells.ome.zarr" / "0"))
    np.testing.assert_array_equal(found.squeeze(), CELLS.transpose(1, 0, 2, 3))
    np.testing.assert_array_equal(tensor_store.volume(str(cells / "cells.precomputed")), CELLS.transpose(3, 2, 0, 1))


def test_openslide_reads_the_slide(mount: Mount) -> None:
    with openslide.OpenSlide(mount.top / "slide.tif" / "original" / "slide.ome.tif") as slide:
        assert slide.dimensions == (900, 1100)
        seen = np.asarray(slide.read_region((100, 200), 0, (500, 600)))[..., :3]
    np.testing.assert_array_equal(seen, SLIDE[200:800, 100:600])


def test_libtiff_tells_of_and_copies_the_image(mount: Mount, tmp_path: Path) -> None:
    required(libtiff.missing())
    path = mount.top / "slide.tif" / "original" / "slide.ome.tif"
    told = subprocess.run(["tiffinfo", path], capture_output=True, text=True, check=True, timeout=60)
    assert "Image Width: 900 Image Length: 1100" in told.stdout
    copy = libtiff.copied(path, tmp_path / "copy.tif")
    assert isinstance(copy, Path), copy
    np.testing.assert_array_equal(tifffile.imread(copy, key=0), SLIDE)


def test_bioformats_reads_every_plane(cells: Path, tmp_path: Path) -> None:
    required(bioformats.missing())
    copy = bioformats.converted(cells / "cells.ome.tif", tmp_path / "copy.ome.tif")
    assert isinstance(copy, Path), copy
    with tifffile.TiffFile(copy) as tiff:
        assert sorted(tiff.series[0].axes) == sorted("ZCYX")
        order = [tiff.series[0].axes.index(name) for name in "ZCYX"]
        np.testing.assert_array_equal(tiff.series[0].asarray().transpose(order), CELLS)


def test_bioformats_reads_every_time_channel_and_slice(mount: Mount, tmp_path: Path) -> None:
    required(bioformats.missing())
    path = mount.top / "film.ome.tif" / "original" / "film.ome.tif"
    copy = bioformats.converted(path, tmp_path / "copy.ome.tif")
    assert isinstance(copy, Path), copy
    with tifffile.TiffFile(copy) as tiff:
        order = [tiff.series[0].axes.index(name) for name in "TZCYX"]
        np.testing.assert_array_equal(tiff.series[0].asarray().transpose(order), FILM)
    told = bioformats.told(path)
    assert "Pixel type = uint16" in told
    sizes = {"Width": 120, "Height": 90, "SizeZ": 3, "SizeT": 2, "SizeC": 2}
    for name, size in sizes.items():
        assert f"{name} = {size}" in told, told


def test_imagej_opens_every_time_channel_and_slice_with_its_calibration(mount: Mount) -> None:
    required(imagej.missing())
    opened = imagej.opened(mount.top / "film.ome.tif" / "original" / "film.ome.tif")
    np.testing.assert_array_equal(opened.pixels, FILM)
    assert (opened.spacing, opened.unit) == (tuple(SPACING.values()), "microns")


def test_imagej_opens_nifti_through_bioformats_and_pictures_by_itself(mount: Mount) -> None:
    required(imagej.missing())
    film = imagej.opened(mount.top / "film.ome.tif" / "original" / "film.nii")
    np.testing.assert_array_equal(film.pixels.reshape(-1, 90, 120), FILM.transpose(2, 0, 1, 3, 4).reshape(-1, 90, 120))
    tile = imagej.opened_natively(mount.top / "slide.tif" / "original" / "slide.png_files" / "11" / "0_0.png").pixels
    assert tile.size > 100_000
    np.testing.assert_array_equal(tile[0, 0, 0], SLIDE[: tile.shape[-3], : tile.shape[-2]])


def test_nifti_tool_prints_header_and_voxels(mount: Mount) -> None:
    required(nifti_tool.missing())
    path = mount.top / "film.ome.tif" / "select,axis=c,index=1" / "film.nii"
    header = nifti_tool.header(path)
    assert header["dim"][:6] == ["4", "120", "90", "3", "2", "1"]
    assert (header["datatype"], header["bitpix"], header["magic"]) == (["512"], ["16"], ["n+1"])
    np.testing.assert_allclose([float(word) for word in header["pixdim"][1:4]], [0.25e-3, 0.5e-3, 2e-3])
    np.testing.assert_array_equal(nifti_tool.voxels(path), FILM[:, :, 1].ravel())
    np.testing.assert_array_equal(nifti_tool.time_series(path, 7, 5, 2), FILM[:, 2, 1, 5, 7])


def test_tensorstore_reads_n5(mount: Mount) -> None:
    found = tensor_store.array("n5", str(mount.top / "head.nii.gz" / "original" / "head.n5" / "s0"))
    np.testing.assert_array_equal(found.T, HEAD)


def test_simpleitk_reads_nrrd(mount: Mount) -> None:
    read = SimpleITK.ReadImage(mount.top / "head.nii.gz" / "original" / "head.nrrd")
    np.testing.assert_array_equal(SimpleITK.GetArrayFromImage(read), HEAD)
    assert read.GetSpacing() == (1, 2, 3)


def test_copying_finding_and_summing_simply_work(mount: Mount, tmp_path: Path) -> None:
    """cp, rsync and tar make copies that are the same by diff and md5sum; find and grep -r go everywhere."""
    source = mount.top / "head.nii.gz" / "original" / "head.ome.zarr"
    made = {path.relative_to(source): path.read_bytes() for path in source.rglob("*") if path.is_file()}
    assert len(made) > 2
    sums = "".join(f"{md5(data).hexdigest()}  ./{path}\n" for path, data in made.items())  # noqa: S324 — as md5sum
    (tmp_path / "sums").write_text(sums)
    commands = {
        "cp": f"cp -r {source} copied-cp",
        "rsync": f"rsync -a {source}/ copied-rsync",
        "tar": f"mkdir copied-tar && tar -C {source} -cf - . | tar -C copied-tar -xf -",
    }
    for name, command in commands.items():
        required(None if which(name) else f"{name} is not here: apt-get install {name}")
        shell(command, tmp_path)
        assert shell(f"diff -r {source} copied-{name}", tmp_path) == ""
        assert shell("md5sum --quiet -c ../sums", tmp_path / f"copied-{name}") == ""
    assert shell("md5sum --quiet -c " + str(tmp_path / "sums"), source) == ""
    assert shell(f"rsync -ai {source}/ copied-rsync", tmp_path) == "", "nothing has changed"
    assert len(shell(f"find {source} -type f -size +0", tmp_path).splitlines()) == len(made)
    assert shell(f"grep -rl multiscales {source}", tmp_path).splitlines() == [str(source / "zarr.json")]
    (tmp_path / "copied-cp" / "zarr.json").write_bytes(b"{")
    assert subprocess.run(["md5sum", "-c", "../sums"], cwd=tmp_path / "copied-cp", check=False).returncode == 1


def shell(command: str, folder: Path) -> str:
    """What it prints; it has to end well."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
