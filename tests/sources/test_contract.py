"""Every registered source keeps the contract, on tiny files of its format made with well-known writers."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import imagecodecs
import nibabel
import numpy as np
import PIL.Image
import pytest
import tifffile
import zarr

from diascope.errors import Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Metadata
from diascope.image.region import Region
from diascope.registry import registry
from diascope.sources.dataset import Dataset
from diascope.stores.store import Store
from diascope.testing.sources import check_source
from tests.sources import (
    bdv_files,
    bdv_n5_files,
    bioio_files,
    cellsens_files,
    coded_files,
    czi_files,
    dicom_files,
    gatan_files,
    hdf5_files,
    imaris_files,
    leica_files,
    micro_files,
    minc_files,
    n5_files,
    nd2_files,
    olympus_files,
    plate_files,
    precomputed_files,
    slide_files,
    terafly_files,
    volume_files,
)

RANDOM = np.random.default_rng(0)
VOLUME = RANDOM.integers(-1000, 1000, (9, 23, 31), dtype=np.int16)
COLOURS = RANDOM.integers(0, 256, (37, 41, 3), dtype=np.uint8)
WIDE = RANDOM.integers(0, 65536, (300, 270), dtype=np.uint16)


def nii(path: Path) -> None:
    nibabel.Nifti1Image(VOLUME.T, np.diag([2.0, 3.0, 4.0, 1.0])).to_filename(path)


def nii_time(path: Path) -> None:
    nibabel.Nifti2Image(RANDOM.random((7, 5, 3, 2, 4)).astype(">f4"), np.eye(4)).to_filename(path)


def nii_large(path: Path) -> None:
    nibabel.Nifti1Image(RANDOM.integers(0, 9, (64, 64, 600), dtype=np.uint8), np.eye(4)).to_filename(path)


def nii_rgb(path: Path) -> None:
    colours = np.zeros((5, 6, 7), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    colours["G"] = RANDOM.integers(0, 256, colours.shape)
    nibabel.Nifti1Image(colours, np.eye(4)).to_filename(path)


def picture(mode: str) -> Callable[[Path], None]:
    return lambda path: PIL.Image.fromarray(COLOURS).convert(mode).save(path)


def deep_png(path: Path) -> None:
    path.write_bytes(imagecodecs.png_encode(COLOURS.astype(np.uint16) * 257))


def large_png(path: Path) -> None:
    PIL.Image.fromarray(RANDOM.integers(0, 256, (400, 400, 3), dtype=np.uint8)).save(path)


def animation(path: Path) -> None:
    frames = [PIL.Image.fromarray(np.roll(COLOURS, 5 * k, axis=0)) for k in range(4)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=70, lossless=True)


def palette_animation(path: Path) -> None:
    frames = [PIL.Image.fromarray(np.roll(COLOURS[..., 0] // 16, k, axis=0), "L").convert("P") for k in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=50)


def jp2(path: Path) -> None:
    tall = np.repeat(np.repeat(COLOURS, 4, axis=0), 4, axis=1)
    PIL.Image.fromarray(tall).save(path, num_resolutions=4)


def j2k(path: Path) -> None:
    path.write_bytes(imagecodecs.jpeg2k_encode(WIDE[:90, :100], codecformat="j2k", level=0))


def tiff(path: Path) -> None:
    tifffile.imwrite(path, WIDE, tile=(64, 64), compression="zlib", predictor=True)


def tiff_strips(path: Path) -> None:
    tifffile.imwrite(path, COLOURS, photometric="rgb", rowsperstrip=5, compression="packbits")


def ome_tiff(path: Path) -> None:
    tifffile.imwrite(path, VOLUME.view("u2")[None].repeat(2, 0), metadata={"axes": "CZYX"}, ome=True)


def zarr_v3(path: Path) -> None:
    ome_zarr(path, 3, {"ome": {"version": "0.5", "multiscales": [multiscale()]}})


def zarr_v2(path: Path) -> None:
    ome_zarr(path, 2, {"multiscales": [{**multiscale(), "version": "0.4"}]})


def zarr_zip(path: Path) -> None:
    folder = path.with_name("folder")
    zarr_v3(folder)
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*"), reverse=True):
            archive.write(file, file.relative_to(folder))


def multiscale() -> dict[str, object]:
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "zyx"]
    scales = [[1.0, 1.0, 1.0], [1.0, 2.0, 2.0]]
    datasets = [
        {"path": str(k), "coordinateTransformations": [{"type": "scale", "scale": scale}]}
        for k, scale in enumerate(scales)
    ]
    return {"axes": axes, "datasets": datasets}


def ome_zarr(path: Path, version: int, attributes: dict[str, object]) -> None:
    group = zarr.create_group(path, zarr_format=version, attributes=attributes)
    for name, pixels in (("0", VOLUME), ("1", VOLUME[:, ::2, ::2])):
        group.create_array(name, data=np.ascontiguousarray(pixels), chunks=(4, 10, 10))


def sections(path: Path) -> None:
    for k in range(3):
        tifffile.imwrite(path.with_name(f"section_{k}.tif"), WIDE[:120, 30 * k : 30 * k + 90], tile=(64, 64))


def stack_recipe(path: Path) -> None:
    sections(path)
    path.write_text("recipe: stack\npattern: section_{number:int}.tif\nthickness: 50 um\n", encoding="utf-8")


def mosaic_recipe(path: Path) -> None:
    sections(path)
    tiles = ", ".join(f"{{file: section_{k}.tif, position: [{30 * k}, {7 * k}]}}" for k in range(3))
    path.write_text(f"recipe: mosaic\ntiles: [{tiles}]\n", encoding="utf-8")


SAMPLES: dict[str, dict[str, Callable[[Path], None]]] = {
    "olympus": {
        "full.oib": olympus_files.oib,
        "line.oib": lambda path: olympus_files.oib(path, "ctx"),
        "folder.oif": olympus_files.oif,
    },
    "bioio": {"cells.dv": bioio_files.deltavision, "other.dv": bioio_files.other},
    "leica": {
        "old.lif": leica_files.lif_old,
        "real.lif": leica_files.lif_real,
        "folders.lif": leica_files.lif_folders,
        "waves.lif": leica_files.lif_waves,
        "stack.lof": leica_files.lof_stack,
        "project.xlef": leica_files.xlef,
    },
    "cellsens": {"stack.vsi": cellsens_files.stack_file, "slide.vsi": cellsens_files.slide_file},
    "czi": {
        "pyramid.czi": czi_files.pyramid_file,
        "plain.czi": czi_files.plain_file,
        "scenes.czi": czi_files.contract_file,
    },
    "nd2": {
        "series.nd2": nd2_files.series,
        "packed.nd2": nd2_files.packed,
        "stage.nd2": nd2_files.stage,
        "colours.nd2": nd2_files.rgb,
    },
    "dicom": dicom_files.SAMPLES,
    "openslide": slide_files.SAMPLES,
    "gatan": {
        "plane.dm3": gatan_files.dm3,
        "big.dm3": gatan_files.dm3_big,
        "spectra.dm4": gatan_files.dm4,
        "colours.dm4": gatan_files.dm4_colours,
        "two.dm3": gatan_files.dm3_two,
    },
    "nifti": {
        "volume.nii": nii,
        "volume.nii.gz": nii,
        "pair.hdr": lambda path: nibabel.Nifti1Pair(VOLUME.T, np.eye(4)).to_filename(path),
        "time.nii": nii_time,
        "large.nii": nii_large,
        "large.nii.gz": nii_large,
        "colours.nii": nii_rgb,
    },
    "picture": {
        "colours.png": picture("RGB"),
        "opaque.png": picture("LA"),
        "bits.png": picture("1"),
        "indices.png": picture("P"),
        "deep.png": deep_png,
        "large.png": large_png,
        "colours.jpg": picture("RGB"),
        "inks.jpg": picture("CMYK"),
        "grey.bmp": picture("L"),
        "still.gif": picture("P"),
        "moving.gif": palette_animation,
        "changing.gif": animation,
        "still.webp": picture("RGBA"),
        "moving.webp": animation,
        "moving.png": animation,
    },
    "hdf5": hdf5_files.SAMPLES,
    "imaris": imaris_files.SAMPLES,
    "bigdataviewer": bdv_files.SAMPLES,
    "minc": minc_files.SAMPLES,
    "bigdataviewer_n5": bdv_n5_files.SAMPLES,
    "jpeg2000": {"colours.jp2": jp2, "grey.j2k": j2k},
    "n5": {
        "plain.n5": n5_files.plain,
        "pyramid.n5": n5_files.pyramid,
        "cells.n5": n5_files.paintera,
    },
    "precomputed": {
        "plain.precomputed": precomputed_files.plain,
        "colours.precomputed": precomputed_files.colours,
        "labels.precomputed": precomputed_files.labels,
    },
    "recipe": {"stack.recipe.yaml": stack_recipe, "mosaic.recipe.yaml": mosaic_recipe},
    "tiff": {"tiles.tif": tiff, "strips.tif": tiff_strips, "volume.ome.tif": ome_tiff},
    "zarr": {
        "new.ome.zarr": zarr_v3,
        "old.ome.zarr": zarr_v2,
        "packed.ozx": zarr_zip,
    },
    **volume_files.SAMPLES,
    **coded_files.SAMPLES,
    **plate_files.SAMPLES,
    **terafly_files.SAMPLES,
    **micro_files.SAMPLES,
}


def test_every_source_has_samples() -> None:
    assert set(SAMPLES) == set(registry("sources"))


@pytest.mark.parametrize(("source", "name"), [(source, name) for source, names in SAMPLES.items() for name in names])
@pytest.mark.filterwarnings("ignore:'mode' parameter is deprecated:DeprecationWarning")
def test_source_keeps_the_contract(source: str, name: str, tmp_path: Path) -> None:
    SAMPLES[source][name](tmp_path / name)
    check_source(registry("sources")[source], tmp_path / name)


def misplaced(level: Level) -> Level:
    """Its regions are the wrong ones wherever they do not begin at the first pixel."""

    def read_pixels(region: Region) -> Pixels:
        return level.read_pixels(region.shifted(tuple(int(k > 0) for k in region.start)))

    return replace(level, read_pixels=read_pixels)


BREAKS: dict[str, Callable[[Image], Image]] = {
    "regions": lambda image: replace(image, levels=tuple(map(misplaced, image.levels))),
    "type": lambda image: replace(image, levels=(replace(image.levels[0], dtype=np.dtype("u2")),)),
    "byte order": lambda image: replace(image, levels=(replace(image.levels[0], dtype=np.dtype(">i2")),)),
    "shape": lambda image: replace(image, levels=(replace(image.levels[0], shape=(9, 23, 32)),)),
    "scale": lambda image: replace(image, levels=(replace(image.levels[0], scale=(0.0, 1.0, 1.0)),)),
    "pyramid": lambda image: replace(image, levels=(image.levels[0], replace(image.levels[0], scale=(9.0, 9.0, 9.0)))),
    "kind": lambda image: replace(image, kind="rgb"),
    "unit": lambda image: replace(image, axes=axes_named("zyx", {"x": "parsec"})),
    "format": lambda image: replace(image, metadata=Metadata()),
    "extra": lambda image: replace(image, metadata=Metadata(format="x", extra={"nan": float("nan")})),
}


@pytest.mark.parametrize("how", BREAKS)
def test_a_source_that_breaks_the_contract_is_caught(how: str, tmp_path: Path) -> None:
    path = tmp_path / "volume.nii"
    nii(path)
    nifti = registry("sources")["nifti"]

    def opened(store: Store, name: str) -> Dataset:
        dataset = nifti.open(store, name)
        return replace(dataset, images={key: BREAKS[how](image) for key, image in dataset.images.items()})

    # What leaves the file is told by the reader itself.
    caught = Unreadable if how == "shape" else (AssertionError, ValueError)
    with pytest.raises(caught):
        check_source(replace(nifti, open=opened), path)


@pytest.mark.parametrize("field", ["version", "open", "matches", "suffixes"])
def test_a_record_that_breaks_the_contract_is_caught(field: str, tmp_path: Path) -> None:
    path = tmp_path / "volume.nii"
    nii(path)
    nifti = registry("sources")["nifti"]

    def greedy(store: Store, name: str) -> Dataset:
        store.read(name)
        store.read(name)
        return nifti.open(store, name)

    wrong = {
        "version": lambda store, name: "always",
        "open": greedy,
        "matches": lambda head: head.name.endswith(".nii") or not head.first,
        "suffixes": (".NII",),
    }
    if field == "open":
        nii_large(path)
    with pytest.raises(AssertionError):
        check_source(replace(nifti, **{field: wrong[field]}), path)
