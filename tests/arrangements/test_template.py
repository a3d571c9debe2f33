"""A folder organised in its own way, shown as a template says, the same through every door."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from unicodedata import normalize

import boto3
import fsspec
import httpx
import numpy as np
import pytest
import tifffile
from botocore import UNSIGNED
from botocore.config import Config
from jsonschema import Draft202012Validator

from diascope.arrangements.arranged import problems
from diascope.arrangements.root import Root
from diascope.arrangements.template import Template
from diascope.assembly import application
from diascope.document import located, schema
from diascope.errors import Malformed, Unreadable
from diascope.tree.walk import listed_files
from tests.arrangements.studies import arranged, picture, settings_of
from tests.judges import zarr_python
from tests.mounts import mounted, needed
from tests.servers import LiveServer

STUDY = """\
arrangement: template
rules:
  # Sections, by group and animal.
  - files: "{date}_{operator}/{animal}/{stain:DAPI|GFP}-{section:int}.tif"
    tables:
      - file: tables/animals.csv
        on: {Animal ID: animal}
      - file: tables/groups.tsv
        on: {group: group}
    layout: ome-tiff
    target: "{group name}/{animal}/{stain}_{section:04}{suffix}"
  - files: "**/{animal}/{stain:DAPI|GFP}-*.tif"
    layout: ome-zarr
    view: crop,x=0..60
    target: "zarr/{animal}-{stain}-{n:02}{suffix}"
  - files: "{folders:**}/notes.txt"
    target: "notes/{folders}/{stem}{suffix}"
files:
  README.md: |
    Groups before animals.
  dataset.json: '{"name": "study"}'
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template") / "lab"
    for k, path in enumerate(
        ["2026-03-01_anna/M1/DAPI-1", "2026-03-01_anna/M1/DAPI-2", "2026-03-02_bert/M1/DAPI-10",
         "2026-03-02_bert/M1/GFP-1", "2026-03-02_bert/M02/DAPI-1"]
    ):  # fmt: skip
        picture(folder / f"{path}.tif", k)
    (folder / "2026-03-01_anna" / "notes.txt").write_text("cut by hand")
    (folder / "notes.txt").write_text("of all")
    (folder / "tables").mkdir()
    (folder / "tables" / "animals.csv").write_text("\ufeffAnimal ID;group;born\nM1;1;2025\nM02;02;2025\n")
    (folder / "tables" / "groups.tsv").write_text('group\tgroup name\n1\t"control"\n2\ttreated\n')
    (folder.parent / "study.yaml").write_text(STUDY)
    return folder


@pytest.fixture(scope="module")
def tree(folder: Path) -> Root:
    return arranged(folder, folder.parent / "study.yaml", refresh_seconds=60)


SHOWN = {
    "README.md", "dataset.json", "notes/2026-03-01_anna/notes.txt", "notes/notes.txt",
    "control/M1/DAPI_0001.ome.tif", "control/M1/DAPI_0002.ome.tif", "control/M1/DAPI_0010.ome.tif",
    "control/M1/GFP_0001.ome.tif", "treated/M02/DAPI_0001.ome.tif",
    "zarr/M02-DAPI-01.ome.zarr", "zarr/M1-DAPI-01.ome.zarr", "zarr/M1-DAPI-02.ome.zarr", "zarr/M1-DAPI-03.ome.zarr",
    "zarr/M1-GFP-01.ome.zarr",
}  # fmt: skip


def stored(folder: Path, name: str) -> np.ndarray:
    return np.asarray(tifffile.imread(next(folder.glob(f"*/{name}.tif"))))


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[LiveServer]:
    live = LiveServer(application(settings_of(folder, folder.parent / "study.yaml", refresh_seconds=60)))
    yield live
    live.stop()


def test_shows_what_the_rules_say(tree: Root) -> None:
    assert {path for path, _ in tree.arrangements["study"].contents.leaves()} == SHOWN
    assert list(problems(tree.arrangements["study"])) == []
    assert tree.arrangements["study"].contents.notes == []


def test_every_door_gives_the_same_bytes(tree: Root, folder: Path, server: LiveServer) -> None:
    config = Config(signature_version=UNSIGNED, s3={"addressing_style": "path"})
    s3 = boto3.client("s3", endpoint_url=f"{server.url}/s3", region_name="us-east-1", config=config)
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["lab", "study"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="study", PaginationConfig={"PageSize": 7})
    objects = {each["Key"]: each for page in pages for each in page["Contents"]}
    assert list(objects) == sorted(objects)
    assert sorted(objects) == sorted(path.removeprefix("study/") for path in listed_files(tree, "study"))
    below = s3.list_objects_v2(Bucket="study", Prefix="control/", Delimiter="/")
    assert [each["Prefix"] for each in below["CommonPrefixes"]] == ["control/M1/"]
    with httpx.Client(base_url=f"{server.url}/data/study/") as client:
        for key, told in objects.items():
            file = tree.file(f"study/{key}")
            assert file is not None
            data = file.read(0, None)
            reply = client.get(key)
            assert (reply.status_code, reply.headers["etag"]) == (200, f'"{file.etag}"'), key
            assert reply.content == data, key
            assert client.get(key, headers={"if-none-match": reply.headers["etag"]}).status_code == 304
            assert client.get(key, headers={"range": "bytes=-3"}).content == data[-3:]
            assert told["Size"] == len(data), key
        listed = client.get("control/M1/").json()["entries"]
        assert [(each["name"], each["type"]) for each in listed][-1] == ("GFP_0001.ome.tif", "file")
        assert client.get("control/M9/x").status_code == 404
        assert client.get("README.md").headers["content-type"].startswith("text/markdown")
    body = s3.get_object(Bucket="study", Key="control/M1/DAPI_0010.ome.tif")["Body"].read()
    (folder.parent / "got.tif").write_bytes(body)
    np.testing.assert_array_equal(tifffile.imread(folder.parent / "got.tif"), stored(folder, "M1/DAPI-10"))


def test_fsspec_and_webdav_give_the_same_bytes(tree: Root, server: LiveServer) -> None:
    host = server.url.removeprefix("http://")
    files = fsspec.filesystem("diascope", host=host)
    assert sorted(Path(path).name for path in files.find(f"diascope://{host}/study/control/M1")) == [
        "DAPI_0001.ome.tif", "DAPI_0002.ome.tif", "DAPI_0010.ome.tif", "GFP_0001.ome.tif"
    ]  # fmt: skip
    path = "study/control/M1/DAPI_0010.ome.tif"
    file = tree.file(path)
    assert file is not None
    assert files.cat_file(f"diascope://{host}/{path}") == file.read(0, None)
    files.clear_instance_cache()
    reply = httpx.get(f"{server.url}/dav/{path}", headers={"range": "bytes=100-299"})
    assert (reply.status_code, reply.content) == (206, file.read(100, 300))
    found = httpx.request("PROPFIND", f"{server.url}/dav/study/control/M1/", headers={"depth": "1"})
    assert found.status_code == 207
    assert found.text.count("<D:getcontentlength>") == 4


def test_the_api_tells_of_arrangements_and_their_schema(server: LiveServer) -> None:
    told = httpx.get(f"{server.url}/api/arrangements").json()["arrangements"]
    assert told == [
        {"name": "study", "url": "/data/study/", "kind": "template", "files": 14, "problems": [], "more": False}
    ]
    names = [each["url"] for each in httpx.get(f"{server.url}/api/schemas").json()["schemas"]]
    assert "/api/schemas/template" in names
    reply = httpx.get(f"{server.url}/api/schemas/template")
    assert reply.headers["content-type"] == "application/schema+json"
    assert reply.json() == schema(Template)
    validator = Draft202012Validator(reply.json())
    assert validator.is_valid(located(STUDY, "study.yaml").value)
    assert not validator.is_valid({"arrangement": "template", "rules": [{"files": "*"}]})
    assert httpx.get(f"{server.url}/api/schemas/none").status_code == 404


@pytest.mark.judge
def test_programs_open_files_of_a_mounted_arrangement(folder: Path, tmp_path: Path) -> None:
    needed()
    with mounted(folder, tmp_path / "top", options=(f"--arrange={folder.parent / 'study.yaml'}",)) as mount:
        names = {str(Path(top, name).relative_to(mount.top)) for top, _, files in os.walk(mount.top) for name in files}
        assert {
            name.partition(".ome.zarr/")[0] + (".ome.zarr" if ".ome.zarr/" in name else "") for name in names
        } == SHOWN
        for path, name in {"control/M1/DAPI_0002": "M1/DAPI-2", "treated/M02/DAPI_0001": "M02/DAPI-1"}.items():
            np.testing.assert_array_equal(tifffile.imread(mount.top / f"{path}.ome.tif"), stored(folder, name))
        found = zarr_python.group(str(mount.top / "zarr" / "M1-DAPI-03.ome.zarr"))["0"][...]
        np.testing.assert_array_equal(found.squeeze(), stored(folder, "M1/DAPI-10")[:, :60])
        shutil.copy(mount.top / "notes" / "2026-03-01_anna" / "notes.txt", tmp_path / "copy.txt")
        assert (tmp_path / "copy.txt").read_text() == "cut by hand"
        assert json.loads((mount.top / "dataset.json").read_text()) == {"name": "study"}
        assert (mount.top / "README.md").stat().st_size == len("Groups before animals.\n")
    assert mount.log.read_text() == ""


def test_real_images_of_many_kinds_under_names_of_their_own(shared_data: Path, tmp_path: Path) -> None:
    lies = {
        "imagej-tiff/xyz_16bit__spots.tif": "scope 2/2019/Spots (final).tif",
        "ome-tiff/cells-2c.ome.tif": "scope 2/2020/Zellen-2c.ome.tif",
        "nifti/anatomical.nii": "mri/2020/head.nii",
        "png/cell.png": "scope 1/2019/cell.png",
        "ome-zarr/v0.4_blobs.ome.zarr": "scope 3/2021/blobs.ome.zarr",
    }
    folder = tmp_path / "attic"
    for source, target in lies.items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (shared_data / source).is_dir() else shutil.copy
        copy(shared_data / source, folder / target)
    mapping = tmp_path / "study.yaml"
    mapping.write_text("""\
arrangement: template
rules:
  - {files: "scope {scope:int}/{year:int}/*", layout: ome-zarr, target: "{year}/scope-{scope:02}/{stem}{suffix}"}
  - {files: "**/{year:int}/*", target: "raw/{year}/{n:03}-{stem}{suffix}"}
""")
    tree = arranged(folder, mapping)
    assert [path for path, _ in tree.arrangements["study"].contents.leaves()] == [
        "2019/scope-01/cell.ome.zarr", "2019/scope-02/Spots (final).ome.zarr", "2020/scope-02/Zellen-2c.ome.zarr",
        "2021/scope-03/blobs.ome.zarr", "raw/2019/001-Spots (final).tif", "raw/2019/001-cell.png",
        "raw/2020/001-Zellen-2c.ome.tif", "raw/2020/001-head.nii", "raw/2021/001-blobs.ome.zarr",
    ]  # fmt: skip
    assert list(problems(tree.arrangements["study"])) == []
    raw = tree.file("study/raw/2020/001-head.nii")
    assert raw is not None
    assert raw.read(0, None) == (shared_data / "nifti" / "anatomical.nii").read_bytes()
    own = set(files_below(folder / "scope 3/2021/blobs.ome.zarr"))
    shown = {path.removeprefix("study/raw/2021/001-blobs.ome.zarr/") for path in listed_files(tree, "study/raw/2021")}
    assert shown == {path for path in own if not any(name.startswith(".") for name in path.split("/"))}


def files_below(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]


def lines_of(tmp_path: Path, folder: Path, text: str) -> list[str]:
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(Malformed) as caught:
        arranged(folder, tmp_path / "wrong.yaml").file("study/x")
    return str(caught.value).splitlines()


def test_tells_all_that_is_wrong_with_a_mapping_in_its_lines(tmp_path: Path, folder: Path) -> None:
    told = lines_of(tmp_path, folder, """\
arrangement: template
repositry: lab
rules:
  - files: "/{a"
    target: "../{b}"
    layout: ome-tif
    tables:
      - {file: /etc/passwd, on: {}}
files:
  a/../b: text
""")  # fmt: skip
    for start, words in {
        "wrong.yaml, line 2, repositry: ": "no such field",
        "wrong.yaml, line 4, rules[0].files: ": "a brace",
        "wrong.yaml, line 5, rules[0].target: ": "is no path",
        "wrong.yaml, line 6, rules[0].layout: ": "there is no layout 'ome-tif'; there are: ",
        "wrong.yaml, line 8, rules[0].tables[0].file: ": "is no path",
        "wrong.yaml, line 8, rules[0].tables[0].on: ": "at least 1",
        "wrong.yaml, line 10, files.a/../b": "is no path",
    }.items():
        assert any(line.startswith(start) and words in line for line in told), (start, told)
    told = lines_of(tmp_path, folder, """\
arrangement: template
rules:
  - files: "{stem}/{b}.tif"
    target: "{c}/{b}"
  - files: "{a}.tif"
    view: sharpen
    scene: "{d}"
    target: "{Animal ID}"
    tables:
      - file: tables/animals.csv
        on: {Animal ID: x}
""")  # fmt: skip
    assert [line.partition(": ")[0] for line in told] == [
        "wrong.yaml, line 3, rules[0].files", "wrong.yaml, line 4, rules[0].target",
        "wrong.yaml, line 11, rules[1].tables[0].on.Animal ID", "wrong.yaml, line 7, rules[1].scene",
        "wrong.yaml, line 7, rules[1].scene", "wrong.yaml, line 6, rules[1].view",
    ]  # fmt: skip
    assert "there is no field 'c'; there are: stem, b, suffix, n" in told[1]
    assert "name one" in told[4], "what is stored is a file, and no image of several"


RULE = """\
arrangement: template
rules:
- {files: "**/{animal}/*.tif", target: "{animal}/{stem}", tables: [{file: %s, on: {id: animal}}]}
"""


def test_tells_what_is_wrong_with_a_table_in_its_lines(tmp_path: Path, folder: Path) -> None:
    assert lines_of(tmp_path, folder, RULE % "none.csv") == [
        "none.csv, line 1: there is no such file in the repository 'lab'"
    ]
    assert "there is no column 'id'" in lines_of(tmp_path, folder, RULE % "tables/animals.csv")[0]


def test_tells_of_a_repository_that_is_not_there_and_shows_nothing_hidden(tmp_path: Path, folder: Path) -> None:
    text = "arrangement: template\nrules: []\nrepository: %s\n"
    assert lines_of(tmp_path, folder, text % "loft") == [
        "wrong.yaml, line 3, repository: there is no repository 'loft'; there are: lab"
    ]
    (folder / ".hidden.csv").write_text("id\nM1\n")
    assert "there is no such file" in lines_of(tmp_path, folder, RULE % ".hidden.csv")[0]


def test_what_a_file_lacks_is_told_and_the_others_are_shown(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    for name in ("M1/a", "M2/a", "M3/a", "M4/a"):
        picture(folder / f"{name}.tif")
    (folder / "t.csv").write_text("id,name\nM1,../../etc\nM3,fine\nM4,\n")
    (tmp_path / "study.yaml").write_text(RULE.replace("{animal}/{stem}", "{name}/{stem}") % "t.csv")
    tree = arranged(folder, tmp_path / "study.yaml")
    study = tree.arrangements["study"]
    assert [path for path, _ in study.contents.leaves()] == ["fine/a"]
    assert list(problems(study)) == [
        "M1/a.tif: the field 'name' is '../../etc', which has a slash (study.yaml, line 3, rules[0])",
        "M2/a.tif: t.csv has no row with id 'M2' (study.yaml, line 3, rules[0])",
        "M4/a.tif: '/a' is no path: a name in it is 'empty' (study.yaml, line 3, rules[0])",
    ]
    (folder / "t.csv").write_text("id,name\nM1,x\nM2,y\nM3,fine\nM4,z\n")
    assert [path for path, _ in study.contents.leaves()] == ["fine/a", "x/a", "y/a", "z/a"]


def test_names_that_differ_in_their_normal_form_alone_clash(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    names = [normalize(form, "K\u00f6rper.tif") for form in ("NFC", "NFD")]
    for name in names:
        picture(folder / name)
    (tmp_path / "study.yaml").write_text('arrangement: template\nrules: [{files: "{a}.tif", target: "{a}"}]\n')
    tree = arranged(folder, tmp_path / "study.yaml")
    with pytest.raises(Unreadable, match="would be two things") as caught:
        tree.file("study/K\u00f6rper")
    assert all(f"lab/{name}" in str(caught.value) for name in names)


def test_odd_names_are_shown_or_told_of(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    for name in ("{a}.txt", "a\nb.txt", "%2e%2e.txt", "-rf.txt", "b" * 251 + ".txt"):
        (folder / name).write_text(name)
    (os.fsencode(folder) + b"/\xff.txt").decode("ascii", "replace")
    with open(os.fsencode(folder) + b"/\xff.txt", "wb"):  # noqa: PTH123
        pass
    (tmp_path / "study.yaml").write_text(
        'arrangement: template\nrules: [{files: "{a}.txt", target: "x/{a}-{n}.txt"}]\n'
    )
    study = arranged(folder, tmp_path / "study.yaml").arrangements["study"]
    assert [path for path, _ in study.contents.leaves()] == ["x/%2e%2e-1.txt", "x/-rf-1.txt", "x/{a}-1.txt"]
    told = list(problems(study))
    assert len(told) == 2
    assert "not printed" in told[0]
    assert "255 bytes" in told[1]


def test_a_companion_whose_name_is_too_long_hides_no_other_file(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    for name in ("a", "b" * 250):
        picture(folder / f"{name}.tif")
    (tmp_path / "study.yaml").write_text(
        'arrangement: template\nrules: [{files: "{a}.tif", layout: dzi, view: render, target: "{a}{suffix}"}]\n'
    )
    study = arranged(folder, tmp_path / "study.yaml").arrangements["study"]
    paths = [path for path, _ in study.contents.leaves()]
    assert {"a.dzi", "a_files"} <= {*paths}
    assert not [path for path in paths if path.startswith("b")]
    (told,) = problems(study)
    assert told.startswith("bbb")
    assert "255 bytes" in told


def test_images_that_no_rule_takes_are_noted(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    for k in range(7):
        picture(folder / f"{k}.tif")
    (tmp_path / "study.yaml").write_text(
        'arrangement: template\nrules: [{files: "{a:0|1}.tif", target: "{a}.tif"}, {files: "x*", target: "x"}]\n'
    )
    study = arranged(folder, tmp_path / "study.yaml").arrangements["study"]
    assert study.contents.notes == ["5 images are taken by no rule: 2.tif, 3.tif, 4.tif, 5.tif, 6.tif"]


def test_a_scene_of_a_file_with_several_is_chosen(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    with tifffile.TiffWriter(folder / "two.ome.tif", ome=True) as writer:
        for k, name in enumerate(("first", "second")):
            writer.write(np.full((20, 30 + k), k + 1, np.uint16), metadata={"axes": "YX", "Name": name})
    (tmp_path / "study.yaml").write_text("""\
arrangement: template
rules:
  - {files: "{a}.ome.tif", layout: nifti, target: "{a}.nii"}
  - {files: "{a}.ome.tif", scene: "%s", layout: nifti, target: "{a}-chosen{suffix}"}
""")
    tree = arranged(folder, tmp_path / "study.yaml")
    names = [entry.name for entry in tree.entries("lab/two.ome.tif") or () if entry.name != "stored"]
    (tmp_path / "study.yaml").write_text((tmp_path / "study.yaml").read_text().replace("%s", names[1]))
    file, own = tree.file("study/two-chosen.nii"), tree.file(f"lab/two.ome.tif/{names[1]}/original/{names[1]}.nii")
    assert file
    assert own
    assert file.read(0, None) == own.read(0, None)
    with pytest.raises(Unreadable, match=f"two.nii: .*the file has: .*{names[1]}"):
        tree.file("study/two.nii")


def test_what_names_its_own_url_names_that_of_the_arrangement(tmp_path: Path) -> None:
    picture(tmp_path / "lab" / "one.tif")
    (tmp_path / "study.yaml").write_text("""\
arrangement: template
rules:
  - {files: "{a}.tif", view: render, layout: iiif, target: "pictures/{a}-1{suffix}"}
  - {files: "{a}.tif", view: render, layout: dzi, target: "zoom/{a}-1{suffix}"}
""")
    server = LiveServer(application(settings_of(tmp_path / "lab", tmp_path / "study.yaml")))
    try:
        moved = httpx.get(f"{server.url}/data/study/pictures/one-1.iiif")
        assert (moved.status_code, moved.headers["location"]) == (303, "/data/study/pictures/one-1.iiif/info.json")
        told = httpx.get(f"{server.url}{moved.headers['location']}").json()
        assert told["id"] == f"{server.url}/data/study/pictures/one-1.iiif"
        assert httpx.get(f"{told['id']}/full/max/0/default.jpg").headers["content-type"] == "image/jpeg"
        tile = "one.tif/render/one_files/0/0_0.jpeg"
        assert "Image" in httpx.get(f"{server.url}/data/study/zoom/one-1.dzi").text
        assert (
            httpx.get(f"{server.url}/data/study/zoom/one-1_files/0/0_0.jpeg").content
            == httpx.get(f"{server.url}/data/lab/{tile}").content
        )
    finally:
        server.stop()
