"""A laboratory as a BIDS dataset through a mount and over HTTP, judged by the official validator and by readers."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import nibabel
import numpy as np
import pytest
import tifffile

from diascope.catalogue.opening import opened_file
from diascope.image.image import Image
from diascope.operations.view import view
from tests.arrangements.laboratory import FILES, arranged, furnished, settings_of
from tests.judges import bioformats
from tests.judges.bids_validator import judged, missing
from tests.judges.required import required
from tests.judges.webdav_clients import rclone
from tests.mounts import mounted, needed
from tests.servers import LiveServer

pytestmark = [pytest.mark.judge, pytest.mark.timeout(200)]

BF = "sub-mouse02/micr/sub-mouse02_sample-2_stain-HE_BF"
FLUO = "sub-mouse01/micr/sub-mouse01_sample-1_FLUO"
SMOOTH = "derivatives/smooth/sub-mouse01/micr/sub-mouse01_sample-1_desc-smooth_FLUO"
BLURRED = "derivatives/blurred/sub-mouse02/ses-day1/anat/sub-mouse02_ses-day1_res-native_desc-blurred_T1w"


@pytest.fixture(scope="module")
def laboratory(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return furnished(tmp_path_factory.mktemp("bids") / "lab", shared_data)


@pytest.fixture(scope="module")
def mount(laboratory: Path) -> Iterator[Path]:
    needed()
    top = laboratory.with_name("mounted")
    with mounted(laboratory, top, options=("--arrange", str(laboratory / "bids.yaml"))):
        yield top


@pytest.fixture(scope="module")
def copy(laboratory: Path) -> Path:
    """The dataset as rclone copies it over HTTP."""
    required(None if which("rclone") else "rclone is not installed: tests/judges/install.sh")
    from diascope.assembly import application

    server = LiveServer(application(settings_of(laboratory)))
    target = laboratory.with_name("copied")
    try:
        rclone(f"{server.url}/dav/study", "copy", str(target))
    finally:
        server.stop()
    return target


def bytes_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def image(place: str, laboratory: Path, scene: str | None = None) -> Image:
    images = opened_file(laboratory / place).images
    return images[scene or next(iter(images))]


@pytest.mark.parametrize("door", ["mount", "copy"])
def test_the_validator_finds_nothing_wrong(door: str, request: pytest.FixtureRequest) -> None:
    required(missing())
    verdict = judged(request.getfixturevalue(door))
    assert verdict.complaints == []
    assert verdict.modalities == {"MRI", "micr"}
    assert verdict.derivatives == {"derivatives/smooth", "derivatives/blurred"}


@pytest.mark.parametrize("kind", ["micr", "anat"])
def test_a_dataset_of_one_kind_is_right_too(kind: str, copy: Path, tmp_path: Path) -> None:
    """Neither hides behind the other."""
    required(missing())
    other = {"micr": "anat", "anat": "micr"}[kind]
    shutil.copytree(
        copy, tmp_path / "one", ignore=shutil.ignore_patterns(other, "derivatives", "ses-*" * (kind == "micr"))
    )
    for empty in sorted((each for each in (tmp_path / "one").rglob("*") if each.is_dir()), reverse=True):
        if not any(empty.iterdir()):
            empty.rmdir()
    verdict = judged(tmp_path / "one")
    assert verdict.complaints == []
    assert verdict.modalities == {{"micr": "micr", "anat": "MRI"}[kind]}


def test_both_doors_give_the_same_bytes(mount: Path, copy: Path, laboratory: Path) -> None:
    through_mount, through_http = bytes_of(mount), bytes_of(copy)
    assert through_mount.keys() == through_http.keys()
    assert [path for path, data in through_mount.items() if data != through_http[path]] == []
    tree = arranged(laboratory)
    for path in (f"{FLUO}.ome.tif", "participants.tsv", f"{SMOOTH}.json"):
        file = tree.file(f"study/{path}")
        assert file is not None
        assert file.read(0, None) == through_http[path]


def test_every_sample_of_a_name_has_its_row(copy: Path) -> None:
    """The validator does not look."""
    named = {tuple(path.name.split("_")[:2]) for path in copy.glob("sub-*/micr/*")}
    rows = [line.split("\t")[:2] for line in (copy / "samples.tsv").read_text().splitlines()[1:]]
    assert sorted((subject, sample) for sample, subject in rows) == sorted(named)


@pytest.mark.parametrize("place", ["MR/day1/mouse_01.nii", "MR/day1/mouse_02.nii.gz", "MR/day2/mouse_02.nii.gz"])
def test_nibabel_reads_the_volumes(place: str, mount: Path, shared_data: Path) -> None:
    day, name = place.split("/")[1:]
    stem = f"sub-{name.partition('.')[0].replace('_', '')}_ses-{day}_T1w"
    (path,) = mount.glob(f"sub-*/ses-{day}/anat/{stem}.nii*")
    got, stored = nibabel.load(path), nibabel.load(shared_data / FILES[place])
    np.testing.assert_array_equal(np.asarray(got.dataobj), np.squeeze(np.asarray(stored.dataobj)))
    np.testing.assert_allclose(got.affine, stored.affine, rtol=1e-6)
    assert got.ndim == 3


def test_tifffile_reads_the_microscopy(mount: Path, laboratory: Path) -> None:
    stored = image("mouse_02/HE/slide 2.ome.tif", laboratory)
    with tifffile.TiffFile(mount / f"{BF}.ome.tif") as tiff:
        np.testing.assert_array_equal(np.moveaxis(tiff.series[0].asarray(), -1, 0), stored[:])
        assert len(tiff.series[0].levels) == len(stored.levels)
        pixels = tifffile.xml2dict(tiff.ome_metadata or "")["OME"]["Image"]["Pixels"]
    told = json.loads((mount / f"{BF}.json").read_text())
    assert told["PixelSize"] == [pixels[f"PhysicalSize{axis}"] for axis in "XYZ"] == [0.499, 0.499, 5]
    assert told["SampleStaining"] == "HE"


def test_bio_formats_reads_the_microscopy(mount: Path, laboratory: Path, tmp_path: Path) -> None:
    required(bioformats.missing())
    made = bioformats.converted(mount / f"{FLUO}.ome.tif", tmp_path / "copy.ome.tif")
    assert isinstance(made, Path), made
    np.testing.assert_array_equal(
        tifffile.imread(made, series=0, level=0), image("mouse_01/fluo/slide 1.ome.tif", laboratory)[:]
    )


def test_a_derivative_is_the_view(mount: Path, laboratory: Path) -> None:
    stored = image("mouse_01/fluo/slide 1.ome.tif", laboratory)
    expected = view("gaussian,sigma=1").applied(stored)[:]
    assert not np.array_equal(expected, stored[:])
    np.testing.assert_array_equal(tifffile.imread(mount / f"{SMOOTH}.ome.tif", series=0, level=0), expected)
    told = json.loads((mount / f"{SMOOTH}.json").read_text())
    assert told["Sources"] == [f"bids:raw:{FLUO}.ome.tif"]
    assert (mount / told["Sources"][0].removeprefix("bids:raw:")).is_file()
    description = json.loads((mount / "derivatives/smooth/dataset_description.json").read_text())
    assert description["DatasetType"] == "derivative"
    assert description["GeneratedBy"][0]["View"] == "gaussian,sigma=1"
    assert (mount / "derivatives/smooth" / description["DatasetLinks"]["raw"]).resolve() == mount.resolve()


def _edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _renamed(folder: Path) -> None:
    (folder / f"{FLUO}.ome.tif").rename(folder / f"{FLUO}.ome.btf")


TWINS = {
    "pixel size": (
        lambda folder: _edited(folder / f"{FLUO}.json", "0.25,\n    0.25", "0.25,\n    0.35"),
        ("PIXEL_SIZE_INCONSISTENT", f"/{FLUO}.ome.tif"),
    ),
    "thickness": (
        lambda folder: _edited(folder / f"{BF}.json", "    5.0\n", "    6.0\n"),
        ("PIXEL_SIZE_INCONSISTENT", f"/{BF}.ome.tif"),
    ),
    "a classic TIFF named as BigTIFF": (_renamed, ("INCONSISTENT_TIFF_EXTENSION", f"/{FLUO}.ome.btf")),
    "sample type": (
        lambda folder: _edited(folder / "samples.tsv", "tissue", "slice"),
        ("TSV_VALUE_INCORRECT_TYPE", "/samples.tsv"),
    ),
    "no samples": (lambda folder: (folder / "samples.tsv").unlink(), ("SIDECAR_WITHOUT_DATAFILE", "/samples.json")),
    "participant": (
        lambda folder: _edited(folder / "participants.tsv", "sub-mouse02", "sub-mouse2"),
        ("PARTICIPANT_ID_MISMATCH", "/participants.tsv"),
    ),
    "no sidecar": (lambda folder: (folder / f"{FLUO}.json").unlink(), ("SIDECAR_KEY_REQUIRED", f"/{FLUO}.ome.tif")),
    "a derivative's size": (
        lambda folder: _edited(folder / f"{SMOOTH}.json", "0.25,\n    0.25", "0.25,\n    0.35"),
        ("PIXEL_SIZE_INCONSISTENT", f"/{SMOOTH}.ome.tif"),
    ),
    "a derivative's skull": (
        lambda folder: _edited(folder / f"{BLURRED}.json", "SkullStripped", "Stripped"),
        ("SIDECAR_KEY_REQUIRED", f"/{BLURRED}.nii"),
    ),
    "four dimensions": (
        lambda folder: nibabel.save(
            nibabel.Nifti1Image(np.zeros((4, 4, 4, 2), np.uint8), np.eye(4)),
            folder / "sub-mouse01/ses-day1/anat/sub-mouse01_ses-day1_T1w.nii",
        ),
        ("T1W_FILE_WITH_TOO_MANY_DIMENSIONS", "/sub-mouse01/ses-day1/anat/sub-mouse01_ses-day1_T1w.nii"),
    ),
}


@pytest.mark.parametrize("name", list(TWINS))
def test_the_validator_refuses_a_broken_twin(name: str, copy: Path, tmp_path: Path) -> None:
    required(missing())
    shutil.copytree(copy, tmp_path / "twin")
    break_it, complaint = TWINS[name]
    break_it(tmp_path / "twin")
    assert complaint in judged(tmp_path / "twin").complaints
