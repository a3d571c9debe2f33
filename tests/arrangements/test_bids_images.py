"""In which formats a BIDS view shows images, and what their sidecars say of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from tests.arrangements.animals import RULE, SIZED, TISSUE, data, document, mapped, picture, three, told
from tests.arrangements.laboratory import arranged


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return three(tmp_path / "lab")


def test_a_sidecar_says_what_the_image_says(folder: Path) -> None:
    mapped(folder, TISSUE + RULE)
    stem = "sub-m1/micr/sub-m1_sample-a_BF"
    assert document(folder, f"{stem}.json") == {
        "PixelSize": [0.5, 0.5, 5.0], "PixelSizeUnits": "um", "SliceThickness": 5
    }  # fmt: skip
    (folder / "copy.ome.tif").write_bytes(data(arranged(folder), f"{stem}.ome.tif"))
    with tifffile.TiffFile(folder / "copy.ome.tif") as tiff:
        pixels = tifffile.xml2dict(tiff.ome_metadata or "")["OME"]["Image"]["Pixels"]
        np.testing.assert_array_equal(tiff.asarray(), tifffile.imread(folder / "m1_a.tif"))
    assert [pixels[f"PhysicalSize{axis}"] for axis in "XYZ"] == [0.5, 0.5, 5]
    assert {pixels[f"PhysicalSize{axis}Unit"] for axis in "XYZ"} == {"µm"}


@pytest.mark.parametrize(
    ("stored", "metadata", "size", "unit"),
    [
        ({}, "{PixelSize: [4, 5], PixelSizeUnits: nm, SliceThickness: 0.07}", [4, 5, 70], "nm"),
        ({}, "{PixelSize: [0.4, 0.4, 2], PixelSizeUnits: um}", [0.4, 0.4, 2], "um"),
        ({"PhysicalSizeX": 5, "PhysicalSizeXUnit": "Å", "PhysicalSizeY": 5, "PhysicalSizeYUnit": "Å"},
         "{SliceThickness: 0.05}", [0.0005, 0.0005, 0.05], "um"),
        ({**SIZED, "PhysicalSizeXUnit": "mm", "PhysicalSizeYUnit": "mm"},
         "{SliceThickness: 500}", [0.5, 0.5, 0.5], "mm"),
    ],
)  # fmt: skip
def test_sizes_come_from_where_they_are_known(
    tmp_path: Path, stored: Mapping[str, Any], metadata: str, size: list[float], unit: str
) -> None:
    folder = tmp_path / "lab"
    picture(folder / "m1_a.ome.tif", stored)
    rule = f'images:\n  - files: "{{subject}}_{{sample}}.ome.tif"\n    suffix: TEM\n    metadata: {metadata}\n'
    mapped(folder, TISSUE + rule)
    assert told(folder) == []
    stem = "sub-m1/micr/sub-m1_sample-a_TEM"
    side = document(folder, f"{stem}.json")
    assert side["PixelSize"] == pytest.approx(size)
    assert side["PixelSizeUnits"] == unit
    (folder / "copy.tif").write_bytes(data(arranged(folder), f"{stem}.ome.tif"))
    with tifffile.TiffFile(folder / "copy.tif") as tiff:
        pixels = tifffile.xml2dict(tiff.ome_metadata or "")["OME"]["Image"]["Pixels"]
    symbol = {"um": "µm"}.get(unit, unit)
    assert [(pixels[f"PhysicalSize{axis}"], pixels[f"PhysicalSize{axis}Unit"]) for axis in "XYZ"] == [
        (pytest.approx(each), symbol) for each in size
    ]


def test_what_contradicts_or_lacks_sizes_is_told(folder: Path) -> None:
    picture(folder / "m3_c.tif", {})
    rule = RULE.replace("SliceThickness: 5", "PixelSize: [0.6, 0.5, 5], PixelSizeUnits: um")
    mapped(folder, TISSUE + rule)
    problems = told(folder)
    assert sum("the image itself says [0.5, 0.5] um" in each for each in problems) == 3
    mapped(folder, TISSUE + RULE.replace("    metadata: {SliceThickness: 5}\n", ""))
    problems = told(folder)
    assert "m3_c.tif: error: PixelSize is missing (bids.yaml:5)" in problems
    assert sum("the validator wants PixelSize along z too" in each for each in problems) == 3


def test_the_virtual_size_decides_the_extension(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    picture(folder / "m1_small.ome.tif")
    side = 2**16 + 64
    level = {
        "zarr_format": 3, "node_type": "array", "shape": [side, side], "data_type": "uint8", "fill_value": 0,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1024, 1024]}},
        "chunk_key_encoding": {"name": "default"}, "codecs": [{"name": "bytes"}], "attributes": {},
    }  # fmt: skip
    axes = [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    scaled = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [0.5, 0.5]}]}
    group = {"ome": {"version": "0.5", "multiscales": [{"axes": axes, "datasets": [scaled]}]}}
    huge = folder / "m1_huge.ome.zarr"
    (huge / "0").mkdir(parents=True)
    (huge / "zarr.json").write_text(json.dumps({"zarr_format": 3, "node_type": "group", "attributes": group}))
    (huge / "0" / "zarr.json").write_text(json.dumps(level))
    mapped(folder, TISSUE + RULE.replace(".tif", ".{ending:ome.tif|ome.zarr}"))
    assert told(folder) == []
    root = arranged(folder)
    for name, version in (("small_BF.ome.tif", 42), ("huge_BF.ome.btf", 43)):
        file = root.file(f"study/sub-m1/micr/sub-m1_sample-{name}")
        assert file, name
        assert file.read(0, 4) == b"II" + bytes([version, 0])
        assert file.size
        assert (file.size > 2**32) == (version == 43)


@pytest.mark.parametrize(
    ("source", "format_", "suffix", "name"),
    [
        ("m1_a.ome.tif", "stored", "BF", "sub-m1_sample-a_BF.ome.tif"),
        ("m1_b.ome.tif", "stored", "BF", "sub-m1_sample-b_BF.ome.btf"),
        ("m1_c.tiff", "stored", "BF", "sub-m1_sample-c_BF.tif"),
        ("m1_d.png", "png", "BF", "sub-m1_sample-d_BF.png"),
        ("m1_e.jpg", "stored", "photo", "sub-m1_sample-e_photo.jpg"),
    ],
)
def test_files_are_passed_on_as_they_lie(tmp_path: Path, source: str, format_: str, suffix: str, name: str) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    if source.endswith((".png", ".jpg")):
        Picture.fromarray(np.arange(600, dtype=np.uint8).reshape(20, 30)).save(folder / source)
    else:
        pixels = np.zeros((20, 30), np.uint8)
        tifffile.imwrite(folder / source, pixels, ome=".ome." in source, bigtiff="_b" in source, metadata=SIZED)
    ending = source.partition(".")[2]
    sizes = "{PixelSize: [0.5, 0.5, 5], PixelSizeUnits: um}" if suffix != "photo" else "{}"
    rule = f'images:\n  - files: "{{subject}}_{{sample}}.{ending}"\n    suffix: {suffix}\n    format: {format_}\n'
    mapped(folder, f"{TISSUE}{rule}    metadata: {sizes}\n")
    assert [each for each in told(folder) if "PixelSize along z" not in each] == []
    assert data(arranged(folder), f"sub-m1/micr/{name}") == (folder / source).read_bytes()


def test_a_picture_is_made_a_png(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    tifffile.imwrite(folder / "m1_a.tif", pixels, photometric="rgb")
    sizes = "{PixelSize: [0.5, 0.5], PixelSizeUnits: um}"
    rule = RULE.replace("{SliceThickness: 5}", sizes) + "    format: png\n"
    mapped(folder, TISSUE + rule)
    assert told(folder) == []
    (folder / "copy.png").write_bytes(data(arranged(folder), "sub-m1/micr/sub-m1_sample-a_BF.png"))
    np.testing.assert_array_equal(np.asarray(Picture.open(folder / "copy.png")), pixels)
    assert document(folder, "sub-m1/micr/sub-m1_sample-a_BF.json")["PixelSize"] == [0.5, 0.5]


def test_a_volume_is_compressed_where_the_rule_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 900, (5, 6, 7)).astype(np.int16)
    nibabel.Nifti1Image(pixels, np.diag([2.0, 2, 3, 1])).to_filename(folder / "m1.nii")
    mapped(folder, 'images:\n  - {files: "{subject}.nii", suffix: T1w, format: nifti-gz}\n')
    assert told(folder) == []
    (folder / "copy.nii.gz").write_bytes(data(arranged(folder), "sub-m1/anat/sub-m1_T1w.nii.gz"))
    np.testing.assert_array_equal(np.asanyarray(nibabel.load(folder / "copy.nii.gz").dataobj), pixels)


def test_one_image_of_several_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    with tifffile.TiffWriter(folder / "m1_a.ome.tif", ome=True) as writer:
        for k in (1, 2):
            writer.write(np.full((20, 30), k, np.uint8), metadata={"axes": "YX", "Name": f"no {k}", **SIZED})
    rule = RULE.replace(".tif", ".ome.tif")
    mapped(folder, TISSUE + rule)
    (problem,) = told(folder)
    assert "the file has: no 1, no 2" in problem
    mapped(folder, TISSUE + rule + "    scene: no 2\n")
    assert told(folder) == []
    (folder / "copy.tif").write_bytes(data(arranged(folder), "sub-m1/micr/sub-m1_sample-a_BF.ome.tif"))
    assert np.unique(tifffile.imread(folder / "copy.tif")).tolist() == [2]


@pytest.mark.parametrize(
    "metadata",
    ["{PixelSizeUnits: [um], PixelSize: 3}", "{SliceThickness: '1e999'}", "{Note: '{'}", "{PixelSize: [0, -1]}",
     "{SliceThickness: {a: [b]}, PixelSize: {x: 1}, SampleEnvironment: [1]}"],
)  # fmt: skip
def test_no_metadata_breaks_the_dataset(folder: Path, metadata: str) -> None:
    mapped(folder, TISSUE + RULE.replace("{SliceThickness: 5}", metadata))
    assert told(folder)
    assert data(arranged(folder), "samples.tsv")
