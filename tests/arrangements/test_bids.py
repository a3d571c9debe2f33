"""What a mapping makes of a laboratory's files, and what it says of those that do not fit."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from diascope.arrangements.bids.mapping import Bids
from diascope.arrangements.contents import Link
from diascope.arrangements.root import Root
from diascope.document import located, read
from diascope.errors import Malformed, Unreadable
from diascope.tree.walk import listed_files
from tests.arrangements.laboratory import MAPPING, arranged, found

HEAD = "arrangement: bids\nname: A study\n"
TISSUE = "samples: {values: {sample_type: tissue}}\n"
RULE = 'images:\n  - files: "{subject}_{sample}.tif"\n    suffix: BF\n    metadata: {SliceThickness: 5}\n'
SIZED = {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm"}


def picture(path: Path, metadata: Mapping[str, Any] = SIZED, shape: tuple[int, ...] = (20, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = "ZYX"[-len(shape) :]
    pixels = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    tifffile.imwrite(path, pixels, ome=True, metadata={"axes": axes, **metadata})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "lab"
    for name in ("m1_a.tif", "m1_b.tif", "m2_a.tif"):
        picture(made / name)
    return made


def mapped(folder: Path, text: str) -> Path:
    (folder / "bids.yaml").write_text(HEAD + text)
    return folder


def told(folder: Path) -> list[str]:
    return [each.told() for each in found(folder)[1]]


def paths(folder: Path) -> list[str]:
    return [path.removeprefix("study/") for path in listed_files(arranged(folder), "study")]


def data(root: Root, path: str) -> bytes:
    file = root.file(f"study/{path}")
    assert file, path
    return file.read(0, None)


def document(folder: Path, path: str) -> Any:
    return json.loads(data(arranged(folder), path))


def test_a_short_mapping_makes_a_whole_dataset(folder: Path) -> None:
    mapped(folder, TISSUE + RULE)
    assert told(folder) == []
    images = [f"sub-{s}/micr/sub-{s}_sample-{a}_BF" for s, a in (("m1", "a"), ("m1", "b"), ("m2", "a"))]
    tables = ["README.md", "dataset_description.json"]
    tables += [f"{name}.{end}" for name in ("participants", "samples") for end in ("json", "tsv")]
    assert paths(folder) == [*tables, *(f"{image}.{end}" for image in images for end in ("json", "ome.tif"))]
    root = arranged(folder)
    assert data(root, "samples.tsv").decode().splitlines() == [
        "sample_id\tparticipant_id\tsample_type",
        "sample-a\tsub-m1\ttissue", "sample-b\tsub-m1\ttissue", "sample-a\tsub-m2\ttissue",
    ]  # fmt: skip
    assert data(root, "participants.tsv") == b"participant_id\nsub-m1\nsub-m2\n"
    assert document(folder, "dataset_description.json")["DatasetType"] == "raw"


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
    assert "m3_c.tif: error: PixelSize is missing" in problems
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


def test_the_mappings_of_the_documentation_are_what_the_schema_and_we_take() -> None:
    docs = Path(__file__).parents[2] / "docs"
    schema = json.loads((docs / "schemas" / "bids.json").read_text())
    mappings = re.findall(r"^```yaml\n(.*?)^```$", (docs / "bids.md").read_text(), re.DOTALL | re.MULTILINE)
    assert len(mappings) == 2
    for text in [*mappings, MAPPING]:
        read(text, Bids, "bids.yaml")
        jsonschema.validate(located(text, "bids.yaml").value, schema)
    broken = located(MAPPING.replace("suffix: T1w", "sufix: T1w"), "bids.yaml").value
    with pytest.raises(jsonschema.ValidationError, match="sufix"):
        jsonschema.validate(broken, schema)


def test_a_view_is_a_dataset_of_its_own(folder: Path) -> None:
    mapped(folder, TISSUE + RULE + "derivatives:\n  small: {view: 'crop,x=5..25', desc: part}\n")
    assert told(folder) == []
    top = "derivatives/small"
    description = document(folder, f"{top}/dataset_description.json")
    assert (description["DatasetType"], description["DatasetLinks"]) == ("derivative", {"raw": "../.."})
    assert description["GeneratedBy"][0]["View"] == "crop,x=5..25"
    side = document(folder, f"{top}/sub-m2/micr/sub-m2_sample-a_desc-part_BF.json")
    assert side["Sources"] == ["bids:raw:sub-m2/micr/sub-m2_sample-a_BF.ome.tif"]
    assert (side["Resolution"], side["PixelSize"]) == ("0.5 x 0.5 x 5 um", [0.5, 0.5, 5])
    (folder / "copy.ome.tif").write_bytes(
        data(arranged(folder), f"{top}/sub-m2/micr/sub-m2_sample-a_desc-part_BF.ome.tif")
    )
    np.testing.assert_array_equal(
        tifffile.imread(folder / "copy.ome.tif"), tifffile.imread(folder / "m2_a.tif")[:, 5:25]
    )


@pytest.mark.parametrize(
    ("derivative", "reason"),
    [
        ("{view: render, res: low}", "cannot have the entity resolution"),
        ("{view: 'crop,x=500..600', desc: part}", "leaves the image"),
        ("{view: render, space: mine}", "SpatialReference is missing"),
        ("{view: render, desc: x, suffixes: [SEM]}", "it has no image"),
    ],
)
def test_a_view_that_makes_no_derivative_is_told(folder: Path, derivative: str, reason: str) -> None:
    mapped(folder, f"{TISSUE}{RULE}derivatives:\n  small: {derivative}\n")
    assert any(reason in each and ": error: " in each for each in told(folder)), told(folder)


def test_tables_give_entities_metadata_and_columns(folder: Path) -> None:
    (folder / "animals.csv").write_text(
        "Animal,Species,weight_g,surgeon,thickness\nm1,mus musculus,20,Bob,7\nm2,mus musculus,,Bob,8\nm9,x,1,Bob,9\n"
    )
    (folder / "blocks.tsv").write_text("block\tstain\nA\tH&E\n")
    mapped(
        folder,
        "participants:\n  file: animals.csv\n  key: [Animal]\n"
        "  columns: {weight: {from: weight_g, Units: g}}\n  values: {strain: wild}\n"
        "samples: {values: {sample_type: Tissue}}\n"
        "tables:\n  - {file: blocks.tsv, on: {block: sample}}\n"
        'images:\n  - files: "{subject}_{sample}.tif"\n    suffix: BF\n'
        '    metadata: {SliceThickness: "{thickness}", SampleStaining: "{stain}"}\n',
    )
    (folder / "blocks.tsv").write_text("block\tstain\na\tH&E\n")
    root = arranged(folder)
    assert data(root, "participants.tsv").decode().splitlines() == [
        "participant_id\tspecies\tweight\tstrain", "sub-m1\tmus musculus\t20\twild", "sub-m2\tmus musculus\tn/a\twild",
    ]  # fmt: skip
    assert b"surgeon" not in b"".join(data(root, path) for path in paths(folder) if path.endswith((".tsv", ".json")))
    assert document(folder, "participants.json")["weight"] == {"Description": "weight", "Units": "g"}
    side = document(folder, "sub-m2/micr/sub-m2_sample-a_stain-HE_BF.json")
    assert (side["SliceThickness"], side["SampleStaining"], side["PixelSize"][2]) == (8, "H&E", 8)
    problems = told(folder)
    assert "animals.csv:4: warning: there is no image of sub-m9" in problems
    assert any(each.startswith("blocks.tsv: warning: there is no row for block 'b'") for each in problems)
    assert any("metadata.SampleStaining: there is no field 'stain'" in each for each in problems)


def test_sessions_have_a_table_a_subject(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    for name in ("d1/m1_a.tif", "d2/m1_a.tif", "d1/m2_a.tif"):
        picture(folder / name)
    (folder / "days.csv").write_text("session;subject;pathology\nd1;m1;healthy\nd2;m1;stroke\n")
    rule = RULE.replace("{subject}", "{session}/{subject}")
    mapped(folder, f"{TISSUE}sessions: days.csv\n{rule}")
    root = arranged(folder)
    expected = "session_id\tpathology\nses-d1\thealthy\nses-d2\tstroke\n"
    assert data(root, "sub-m1/sub-m1_sessions.tsv").decode() == expected
    assert root.file("study/sub-m1/ses-d2/micr/sub-m1_ses-d2_sample-a_BF.ome.tif")
    assert "days.csv: warning: there is no row for ses-d1, sub-m2, which has images" in told(folder)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (RULE, "bids.yaml:1: error: sample_type is missing"),
        ("samples: {values: {sample_type: slice}}\n" + RULE, "is 'slice' (3 times), which is none of: cell line"),
        (TISSUE + RULE.replace("_{sample}", "_*"), "needs the entity sample"),
        (TISSUE + RULE.replace("{sample}.tif", "{run}.tif"), "run- is a number, and 'a' is none"),
        (TISSUE + RULE.replace("suffix: BF", "suffix: XX"), "'XX' is no suffix"),
        (TISSUE + RULE + "    format: nifti\n", "cannot be nifti"),
        (TISSUE + RULE + "    format: png\n", "render"),
        (TISSUE + RULE + "    entities: {sample: '{nothing}'}\n", "there is no field 'nothing'"),
        (TISSUE + RULE + "    entities: {sample: '1'}\n", "neither is shown"),
        (TISSUE + RULE.replace("SliceThickness: 5", "SliceThickness: 5, SampleEnvironment: in space"), "in vivo"),
        (TISSUE + "participants: none.csv\n" + RULE, "there is no table 'none.csv'"),
        (TISSUE + RULE.replace("{subject}_", "m1_{subject}_"), "no rule fits"),
        (TISSUE + RULE + "    scene: other\n", "there is no image at"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(folder: Path, text: str, reason: str) -> None:
    mapped(folder, text)
    assert any(reason in each for each in told(folder)), told(folder)


@pytest.mark.parametrize(
    "metadata",
    ["{PixelSizeUnits: [um], PixelSize: 3}", "{SliceThickness: '1e999'}", "{Note: '{'}", "{PixelSize: [0, -1]}",
     "{SliceThickness: {a: [b]}, PixelSize: {x: 1}, SampleEnvironment: [1]}"],
)  # fmt: skip
def test_no_metadata_breaks_the_dataset(folder: Path, metadata: str) -> None:
    mapped(folder, TISSUE + RULE.replace("{SliceThickness: 5}", metadata))
    assert told(folder)
    assert data(arranged(folder), "samples.tsv")


def test_a_name_that_no_file_can_have_is_told(folder: Path) -> None:
    mapped(folder, TISSUE + RULE + f"    entities: {{acquisition: '{'x' * 250}'}}\n")
    assert all("more than 255 bytes" in each or "no image fits" in each for each in told(folder))


def test_names_that_clash_are_shown_neither(folder: Path) -> None:
    picture(folder / "m2_A.tif")
    mapped(folder, TISSUE + RULE)
    assert [path for path in paths(folder) if "sub-m2" in path] == []
    (problem,) = told(folder)
    assert ".tif: error: sub-m2/" in problem
    assert "m2_a.tif" in problem
    assert "m2_A.tif" in problem
    assert "bids.yaml:5" in problem


def test_an_unreadable_image_hides_no_other_and_is_trouble(folder: Path) -> None:
    (folder / "m2_z.tif").write_bytes(b"II*\0")
    mapped(folder, TISSUE + RULE)
    (problem,) = told(folder)
    assert problem.startswith("m2_z.tif: error: ")
    root = arranged(folder)
    with pytest.raises(Unreadable, match="m2_z"):
        root.file("study/sub-m2/micr/sub-m2_sample-z_BF.ome.tif")
    assert data(root, "sub-m2/micr/sub-m2_sample-a_BF.json")
    assert root.file("study/sub-m2/micr/sub-m2_sample-z_BF.json") is None


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        (TISSUE + RULE.replace("suffix", "sufix"), 6, r"images\[0\].sufix"),
        (TISSUE + RULE + "    entities: {colour: red}\n", 8, "colour"),
        (TISSUE + RULE.replace("{subject}_{", "{subject}{"), 5, r"images\[0\].files"),
        (TISSUE + RULE + "derivatives:\n  a: {view: blur, desc: x}\n", 9, "derivatives.a.view"),
        (TISSUE + RULE + "derivatives:\n  a: {view: original, desc: x}\n", 9, "derivatives.a.view"),
        (TISSUE + RULE + "derivatives:\n  a: {view: render}\n", 9, "derivatives.a"),
        (TISSUE + RULE + "derivatives:\n  a-b: {view: render, desc: x}\n", 9, "derivatives"),
        (TISSUE, 1, "images"),
        (TISSUE + RULE + "dataset: {HEDVersion: 1e999}\n", 8, "dataset.HEDVersion"),
        ('samples: {values: {"sample\\ttype": x}}\n' + RULE, 3, "samples.values"),
    ],
)
def test_an_error_in_the_mapping_names_its_line(folder: Path, text: str, line: int, key: str) -> None:
    mapped(folder, text)
    with pytest.raises(Malformed, match=rf"bids\.yaml, line {line}\b.*{key}"):
        found(folder)


def test_a_link_is_the_file_by_its_name(folder: Path) -> None:
    mapped(folder, TISSUE + RULE)
    contents, _ = found(folder)
    links = {path: leaf for path, leaf in contents.leaves() if isinstance(leaf, Link)}
    link = links["sub-m1/micr/sub-m1_sample-b_BF.ome.tif"]
    assert (link.path, link.view, link.layout) == ("lab/m1_b.tif", "calibrate,z=5", "ome-tiff")
    root = arranged(folder)
    ours, theirs = (
        root.file("study/sub-m1/micr/sub-m1_sample-b_BF.ome.tif"),
        root.file("lab/m1_b.tif/calibrate,z=5/m1_b.ome.tif"),
    )
    assert ours
    assert theirs
    assert ours.etag == theirs.etag


def test_a_change_of_a_table_is_seen(folder: Path) -> None:
    (folder / "animals.csv").write_text("subject,species\nm1,mus musculus\nm2,mus musculus\n")
    mapped(folder, f"participants: animals.csv\n{TISSUE}{RULE}")
    root = arranged(folder)
    assert b"mus" in data(root, "participants.tsv")
    (folder / "animals.csv").write_text("subject,species\nm1,rattus\nm2,rattus\n")
    assert b"mus" not in data(root, "participants.tsv")
