"""What a mapping makes of a folder's names and tables, and what it says of those that do not fit."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import tifffile

from diascope.arrangements.bids.mapping import Bids
from diascope.arrangements.contents import Link
from diascope.document import located, read
from diascope.errors import Malformed, Unreadable
from tests.arrangements.animals import RULE, TISSUE, data, document, mapped, paths, picture, three, told
from tests.arrangements.laboratory import MAPPING, arranged, found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return three(tmp_path / "lab")


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


def test_distances_beyond_all_numbers_hide_no_other_image(folder: Path) -> None:
    picture(
        folder / "m2_z.tif",
        {"PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 1e305, "PhysicalSizeYUnit": "mm"},
    )
    mapped(folder, TISSUE + RULE)
    assert {each.partition(":")[0] for each in told(folder)} == {"m2_z.tif"}
    assert data(arranged(folder), "sub-m2/micr/sub-m2_sample-a_BF.json")


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
