"""The names of BIDS files, judged by the official validator."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from diascope.arrangements.bids.names import NUMBERED, SUFFIXES, VALUES, Suffix, entity, label, stem, suffix
from tests.judges.bids_validator import judged, missing
from tests.judges.required import required

OF_NAMES = {
    "NOT_INCLUDED", "INVALID_LOCATION", "MISSING_REQUIRED_ENTITY", "ENTITY_NOT_IN_RULE", "FILENAME_MISMATCH",
    "ALL_FILENAME_RULES_HAVE_ISSUES", "ENTITY_WITH_NO_LABEL", "DATATYPE_MISMATCH", "EXTENSION_MISMATCH",
    "INVALID_ENTITY_LABEL",
}  # fmt: skip


def values(entities: Iterable[str]) -> dict[str, str]:
    return {each: VALUES[each][0] if each in VALUES else "1" if each in NUMBERED else "a" for each in entities}


def extension(kind: Suffix) -> str:
    return ".jpg" if kind.name == "photo" else {"micr": ".ome.tif", "anat": ".nii.gz"}[kind.datatype]


def complaints(folder: Path, paths: Iterable[str], dataset_type: str) -> set[str]:
    """The paths of files whose names the validator does not take."""
    description = {"Name": "names", "BIDSVersion": "1.11.1", "DatasetType": dataset_type}
    folder.mkdir()
    (folder / "dataset_description.json").write_text(json.dumps(description | {"GeneratedBy": [{"Name": "test"}]}))
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(b"content")
    return {each.location.lstrip("/") for each in judged(folder).complaints if each.code in OF_NAMES}


@pytest.mark.judge
@pytest.mark.parametrize("dataset_type", ["raw", "derivative"])
def test_the_validator_takes_the_longest_and_the_shortest_name_of_every_suffix(
    dataset_type: str, tmp_path: Path
) -> None:
    required(missing())
    derivative = dataset_type == "derivative"
    paths = []
    for kind in SUFFIXES.values():
        longest = (*kind.required, *kind.optional, *(kind.derived if derivative else ()))
        if derivative and not kind.derived:
            continue
        paths += [
            stem(kind, values(each), derivative=derivative) + extension(kind) for each in (longest, kind.required)
        ]
    assert complaints(tmp_path / "right", paths, dataset_type) == set()
    wrong = {
        "raw": ["sub-a/micr/sub-a_sample-a_chunk-1_run-1_BF.ome.tif", "sub-a/micr/sub-a_BF.ome.tif"],
        "derivative": ["sub-a/micr/sub-a_sample-a_res-a_BF.ome.tif", "sub-a/anat/sub-a_sample-a_T1w.nii.gz"],
    }[dataset_type]
    assert complaints(tmp_path / "wrong", wrong, dataset_type) == {*wrong}


def test_a_name_has_its_entities_in_order() -> None:
    entities = {
        "chunk": "2",
        "run": "1",
        "stain": "HE",
        "acquisition": "x",
        "sample": "A",
        "session": "3",
        "subject": "01",
    }
    assert stem(suffix("BF"), entities) == ("sub-01/ses-3/micr/sub-01_ses-3_sample-A_acq-x_stain-HE_run-1_chunk-2_BF")


@pytest.mark.parametrize(
    ("kind", "entities", "told"),
    [
        ("BF", {"subject": "1"}, "needs the entity sample"),
        ("T1w", {"subject": "1", "stain": "HE"}, "cannot have the entity stain"),
        ("BF", {"subject": "1", "sample": "1", "resolution": "low"}, "cannot have the entity resolution"),
        ("MEGRE", {"subject": "1"}, "needs the entity echo"),
    ],
)
def test_what_is_no_name_is_refused(kind: str, entities: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        stem(suffix(kind), entities, derivative=True)


def test_labels_are_letters_and_digits() -> None:
    assert label("mouse_01", "subject") == "mouse01"
    assert label("sub-07", "subject") == "07"
    assert label(" H&E ", "stain") == "HE"
    assert label("002", "run") == "002"
    for text, of in (("_", "sample"), ("", "subject"), ("a", "run"), ("maybe", "mtransfer"), ("é", "sample")):
        with pytest.raises(ValueError, match=r"\w"):
            label(text, of)


def test_an_entity_has_two_names() -> None:
    assert entity("acq") == entity("acquisition") == "acquisition"
    assert entity("colour") is None
    with pytest.raises(ValueError, match="is no suffix"):
        suffix("T9w")
