"""``diascope bids init`` and ``diascope bids check``, as they are typed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner, Result

from diascope.arrangements.bids.mapping import Bids
from diascope.cli import main
from diascope.commands.sample import sample
from diascope.document import read
from diascope.pattern import pattern
from tests.arrangements.laboratory import furnished

STACK = {
    "axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.5, "PhysicalSizeYUnit": "µm",
    "PhysicalSizeZ": 2, "PhysicalSizeZUnit": "µm",
}  # fmt: skip


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["bids", *map(str, arguments)])


def stacks(folder: Path, *places: str) -> Path:
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(folder / place, np.zeros((3, 20, 30), np.uint8), ome=True, metadata=STACK)
    return folder


def rules(folder: Path) -> list[str]:
    lines = (folder / "bids.yaml").read_text().splitlines()
    return [line.removeprefix("  - files: ").partition(" #")[0].strip('"') for line in lines if "- files: " in line]


@pytest.mark.parametrize(
    ("places", "pattern"),
    [
        (["mouse_01/slide_1.ome.tif", "mouse_02/slide_1.ome.tif"], "mouse_{subject}/slide_{sample}.ome.tif"),
        (["M1/s1.ome.tif", "M1/s2.ome.tif", "M2/s1.ome.tif"], "M{subject}/s{sample}.ome.tif"),
        (["anna/left.ome.tif", "anna/right.ome.tif", "bert/left.ome.tif"], "{subject}/{sample}.ome.tif"),
        (["1/1_DAPI.ome.tif", "1/1_GFP.ome.tif", "2/2_GFP.ome.tif"], "{subject}/{subject}_{stain}.ome.tif"),
        (["1/day_1/2.ome.tif", "1/day_2/3.ome.tif", "2/day_1/4.ome.tif"], "{subject}/day_{session}/{sample}.ome.tif"),
        (["a {x}/1.ome.tif", "a {x}/2.ome.tif"], "a {{x}}/{subject}.ome.tif"),
        (["one.ome.tif"], "one.ome.tif"),
        (["a*b**c.ome.tif"], "a*b*c.ome.tif"),
        (["sub-01/micr/sub-01_sample-A.ome.tif", "sub-01/micr/sub-01_sample-B.ome.tif"],
         "sub-{subject}/micr/sub-{subject}_sample-{sample}.ome.tif"),
    ],
)  # fmt: skip
def test_a_proposal_for_a_simple_folder_is_valid_at_once(tmp_path: Path, places: list[str], pattern: str) -> None:
    folder = stacks(tmp_path / "lab", *places)
    proposed = run("init", folder)
    assert proposed.exit_code == 0, proposed.output
    assert rules(folder) == [pattern]
    checked = run("check", folder / "bids.yaml")
    assert checked.exit_code == 0, checked.output
    assert ", 0 errors, 0 warnings" in checked.output


def test_a_proposal_finds_the_table_and_says_what_it_cannot_know(shared_data: Path, tmp_path: Path) -> None:
    folder = furnished(tmp_path / "lab", shared_data, "")
    (folder / "bids.yaml").unlink()
    proposed = run("init", folder)
    assert proposed.exit_code == 0, proposed.output
    assert "give PixelSize" in proposed.output
    assert "animals.csv: columns that BIDS does not name" in proposed.output
    text = (folder / "bids.yaml").read_text()
    assert 'file: "animals.csv"\n  key: ["animal"]' in text
    assert 'files: "MR/day{session}/{subject}.{ending:nii|nii.gz}" # 3 files\n    suffix: T1w' in text
    assert 'files: "{subject}/HE/slide {sample}.{ending:ome.tif|svs}" # 2 files\n    suffix: BF' in text
    checked = run("check", folder / "bids.yaml", folder)
    assert checked.exit_code == 1
    wrong = [line for line in checked.output.splitlines() if ": error: " in line]
    assert sorted(line.partition(" (bids.yaml:")[0] for line in wrong) == [
        "mouse_02/EM/grid 3.ome.tiff: error: PixelSize is missing",
        "mouse_02/fluo/slide 1.ome.tif: error: PixelSize is missing",
    ]


def test_a_proposal_for_images_in_no_order_is_a_mapping_too(shared_data: Path, tmp_path: Path) -> None:
    target = tmp_path / "bids.yaml"
    assert run("init", shared_data, "-o", target).exit_code == 0
    said = read(target.read_bytes(), Bids, target.name)
    suffixes = {rule.suffix for rule in said.images}
    assert {"T1w", "SPIM", "FLUO", "BF"} <= suffixes
    assert all(
        any(pattern(each.files).match(path) is not None for each in said.images)
        for path in ("svs/small.svs", "nifti/big.nii.gz")
    )


def test_subjects_are_called_as_the_table_calls_them(tmp_path: Path) -> None:
    folder = stacks(tmp_path / "lab", "mouse_01/slide_1.ome.tif", "mouse_02/slide_1.ome.tif", "mouse_02/SEM_7.ome.tif")
    (folder / "animals.csv").write_text("animal\nmouse_01\nmouse_02\n")
    run("init", folder)
    assert rules(folder) == ["{subject}/slide_{sample}.ome.tif", "{subject}/SEM_7.ome.tif"]
    assert run("check", folder / "bids.yaml").output == "12 files, 0 errors, 0 warnings\n"


def test_the_documentation_shows_what_is_proposed(tmp_path: Path) -> None:
    sample(tmp_path / "sample")
    folder = tmp_path / "lab"
    for number in (1, 2):
        (folder / f"mouse_0{number}").mkdir(parents=True)
        shutil.copy(tmp_path / "sample/microscopy/cells.ome.tif", folder / f"mouse_0{number}" / "slide_1.ome.tif")
    shutil.copy(tmp_path / "sample/volumes/head.nii.gz", folder / "mouse_01" / "T1w.nii.gz")
    (folder / "animals.csv").write_text("animal,species,sex\nmouse_01,mus musculus,F\nmouse_02,mus musculus,M\n")
    run("init", folder)
    page = (Path(__file__).parents[2] / "docs" / "bids.md").read_text()
    assert (folder / "bids.yaml").read_text().partition("\n")[2] in page
    assert run("check", folder / "bids.yaml").output == "12 files, 0 errors, 0 warnings\n"


def test_check_tells_errors_first_with_lines_and_counts(shared_data: Path, tmp_path: Path) -> None:
    folder = furnished(tmp_path / "lab", shared_data)
    right = run("check", folder / "bids.yaml")
    assert right.exit_code == 0
    assert right.output.splitlines()[:1] == ["animals.csv:4: warning: there is no image of sub-mouse03"]
    text = (folder / "bids.yaml").read_text()
    (folder / "bids.yaml").write_text(text.replace("sample_type: Tissue", "sample_type: Slice"))
    (folder / "mouse_02" / "fluo" / "slide 9.ome.tif").write_bytes(b"nothing")
    (folder / "mouse_02" / "other.tif").write_bytes(b"nothing")
    wrong = run("check", folder / "bids.yaml")
    assert wrong.exit_code == 1
    lines = wrong.output.splitlines()
    weights = [line.split(": ")[1] for line in lines[:-1]]
    assert weights == sorted(weights)
    assert any(line.startswith("mouse_02/fluo/slide 9.ome.tif: error: ") for line in lines)
    assert "mouse_02/other.tif: warning: no rule fits: add one, or a pattern under ignore" in lines
    assert any(
        line.startswith("bids.yaml:12: error: sample_type is 'Slice' (6 times), which is none of: cell line")
        for line in lines
    )
    assert lines[-1].endswith("warnings")


def test_a_mapping_that_is_wrong_itself_ends_with_its_lines(tmp_path: Path) -> None:
    folder = stacks(tmp_path / "lab", "1.ome.tif")
    (folder / "bids.yaml").write_text("arrangement: bids\nname: x\nimages:\n  - files: '*'\nextra: 1\n")
    done = run("check", folder / "bids.yaml")
    assert done.exit_code == 2
    assert "bids.yaml, line 4, images[0].suffix: it is missing" in done.output
    assert "bids.yaml, line 5, extra: there is no such field" in done.output
    (folder / "bids.yaml").write_text("arrangement: template\n")
    assert run("check", folder / "bids.yaml").exit_code == 2


def test_a_proposal_replaces_nothing(tmp_path: Path) -> None:
    folder = stacks(tmp_path / "lab", "1.ome.tif")
    (folder / "bids.yaml").write_text("mine")
    done = run("init", folder)
    assert done.exit_code == 2
    assert "--output" in done.output
    assert (folder / "bids.yaml").read_text() == "mine"
    assert run("init", folder, "-o", tmp_path / "other.yaml").exit_code == 0
    assert (tmp_path / "other.yaml").exists()


def test_colours_are_for_terminals_only(tmp_path: Path) -> None:
    folder = stacks(tmp_path / "lab", "1.ome.tif")
    run("init", folder)
    (folder / "other").mkdir()
    (folder / "other" / "x.tif").write_bytes(b"nothing")
    plain = run("check", folder / "bids.yaml")
    assert "\x1b" not in plain.output
    coloured = CliRunner().invoke(main, ["bids", "check", str(folder / "bids.yaml")], color=True)
    assert "\x1b[33m" in coloured.output
