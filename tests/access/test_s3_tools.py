"""The AWS command line and s3fs through the S3 door, with keys and without, and through doors that are wrong."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile
import zarr

from diascope.access.admission import Limits
from diascope.access.answer import Answer, Asked
from diascope.access.http import Server
from diascope.access.s3 import S3
from diascope.arrangements.by_name import ByName
from diascope.catalogue.catalogue import catalogue
from diascope.settings import RepositorySettings, Settings
from diascope.tree.file import Tree
from diascope.tree.walk import listed_files
from tests.judges import s3_clients
from tests.judges.required import required
from tests.servers import LiveServer, of_folder

KEYS = {"AKIAREADER": "secret/of+the reader"}
PIXELS = np.random.default_rng(3).integers(0, 4000, (2, 5, 60, 517)).astype(np.uint16)
IMAGE = "folder of/cells.tif/original"
ZARR, TIFF = f"{IMAGE}/cells.ome.zarr", f"{IMAGE}/cells.ome.tif"

pytestmark = [pytest.mark.judge, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("s3") / "box"
    (folder / "folder of").mkdir(parents=True)
    tifffile.imwrite(folder / "folder of" / "cells.tif", PIXELS, imagej=True, metadata={"axes": "ZCYX"})
    return folder


@pytest.fixture(scope="module")
def tree(folder: Path) -> Tree:
    return ByName(catalogue(Settings(repositories={"box": RepositorySettings(path=folder)})))


@pytest.fixture(scope="module", params=[{}, KEYS], ids=["anonymous", "signed"])
def keys(request: pytest.FixtureRequest) -> Mapping[str, str]:
    required(s3_clients.missing())
    return dict(request.param)


@pytest.fixture(scope="module")
def server(folder: Path, keys: Mapping[str, str]) -> Iterator[LiveServer]:
    running = of_folder(folder, s3_keys=keys)
    yield running
    running.stop()


Aws = Callable[..., str]


@pytest.fixture
def aws(server: LiveServer, keys: Mapping[str, str], tmp_path: Path) -> Aws:
    def said(*words: str) -> str:
        done = s3_clients.aws(f"{server.url}/s3", keys, tmp_path, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return said


def check(found: object) -> None:
    np.testing.assert_array_equal(np.asarray(found), PIXELS.swapaxes(0, 1))


def test_aws_lists_buckets_and_folders(aws: Aws) -> None:
    assert aws("s3", "ls").split()[-1] == "box"
    assert aws("s3", "ls", "s3://box/folder of/cells.tif/").split() == [
        "PRE",
        "original/",
        "PRE",
        "render/",
        "PRE",
        "stored/",
    ]
    line = next(line for line in aws("s3", "ls", f"s3://box/{IMAGE}/").splitlines() if line.endswith(" cells.ome.tif"))
    assert int(line.split()[2]) > PIXELS.nbytes


def test_aws_copies_and_syncs(aws: Aws, tree: Tree, tmp_path: Path) -> None:
    aws("s3", "cp", f"s3://box/{TIFF}", "copy.ome.tif", "--no-progress")
    check(tifffile.imread(tmp_path / "copy.ome.tif"))
    told = aws("s3", "sync", f"s3://box/{ZARR}", "copy", "--no-progress")
    assert told.count("download: ") == len(list(listed_files(tree, f"box/{ZARR}"))) > 10
    check(zarr.open_array(tmp_path / "copy" / "0", mode="r")[:])
    assert aws("s3", "sync", f"s3://box/{ZARR}", "copy", "--no-progress") == "", "there is nothing to do"


def test_aws_gets_ranges_and_pages(aws: Aws, tree: Tree, tmp_path: Path) -> None:
    told = json.loads(aws("s3api", "get-object", "--bucket", "box", "--key", TIFF, "--range", "bytes=100-4099", "part"))
    file = tree.file(f"box/{TIFF}")
    assert file is not None
    assert (told["ContentLength"], told["ContentRange"]) == (4000, f"bytes 100-4099/{file.size}")
    assert (tmp_path / "part").read_bytes() == file.read(100, 4100)
    paging = ("--bucket", "box", "--prefix", f"{ZARR}/", "--page-size", "3", "--query", "Contents[].[Key, Size]")
    found = dict(json.loads(aws("s3api", "list-objects-v2", *paging)))
    assert list(found) == sorted(found, key=str.encode)
    for path in listed_files(tree, f"box/{ZARR}"):
        file = tree.file(path)
        assert file is not None
        assert found.pop(path.removeprefix("box/")) == len(file.read(0, None))
    assert found == {}


@pytest.mark.parametrize("keys", [KEYS], ids=["signed"], indirect=True)
def test_aws_presigns(aws: Aws, tree: Tree) -> None:
    address = aws("s3", "presign", f"s3://box/{TIFF}", "--expires-in", "60").strip()
    file = tree.file(f"box/{TIFF}")
    assert file is not None
    assert httpx.get(address).raise_for_status().content == file.read(0, None)
    assert httpx.get(address.replace("cells.ome.tif", "cells.nii", 1)).status_code == 403


@pytest.mark.parametrize("keys", [KEYS], ids=["signed"], indirect=True)
def test_aws_is_refused_without_the_right_key(server: LiveServer, tmp_path: Path) -> None:
    for other in ({}, {"AKIAREADER": "another secret"}):
        done = s3_clients.aws(f"{server.url}/s3", other, tmp_path, "s3", "ls", "s3://box/")
        assert done.returncode != 0
        assert re.search("AccessDenied|SignatureDoesNotMatch", done.stderr), done.stderr


def test_s3fs_reads_a_zarr_and_a_file_by_blocks(
    server: LiveServer, keys: Mapping[str, str], tree: Tree, tmp_path: Path
) -> None:
    pixels, told = s3_clients.s3fs(f"{server.url}/s3", keys, tmp_path, f"box/{ZARR}", f"box/{TIFF}")
    check(pixels)
    files = {path: tree.file(path) for path in listed_files(tree, f"box/{ZARR}")}
    assert told["sizes"] == {path: len(file.read(0, None)) for path, file in files.items() if file}
    file = tree.file(f"box/{TIFF}")
    assert file is not None
    assert (told["told"], told["ends"]) == (file.size, (file.read(0, 10) + file.read(0, None)[-10:]).hex())


Wrong = Callable[[str, Answer], Answer]


@pytest.fixture
def wrong_server(tree: Tree) -> Iterator[Callable[[Wrong], str]]:
    """``wrong_server(change)`` answers as the door would, but for what is changed; gives the endpoint."""
    required(s3_clients.missing())
    running: list[LiveServer] = []
    door = S3(tree)

    def endpoint(change: Wrong) -> str:
        def answer(path: str, query: str, asked: Asked) -> Answer:
            return change(path, door.answer(path, query, asked))

        running.append(LiveServer(Server(handlers={"/s3/": answer}, rest={}, limits=Limits(threads=4))))
        return f"{running[-1].url}/s3"

    yield endpoint
    for each in running:
        each.stop()


def unsorted(_: str, answer: Answer) -> Answer:
    """A listing from back to front."""
    if not isinstance(answer.body, bytes) or b"<Contents>" not in answer.body:
        return answer
    keys = re.findall(rb"<Contents>.*?</Contents>", answer.body, re.DOTALL)
    head, tail = answer.body.split(keys[0])[0], answer.body.rsplit(keys[-1])[-1]
    return replace(answer, body=head + b"".join(reversed(keys)) + tail)


def flipped(path: str, answer: Answer) -> Answer:
    """Another byte in a chunk."""
    if not path.endswith("/0/c/1/1/0/0") or not answer.body:
        return answer
    data = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    return replace(
        answer, body=data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 255]) + data[len(data) // 2 + 1 :]
    )


def shorter(path: str, answer: Answer) -> Answer:
    """Fewer bytes of a chunk than its listing says."""
    if not path.endswith("/0/c/1/1/0/0") or not answer.body:
        return answer
    data = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    return replace(answer, headers=answer.headers | {"content-length": str(len(data) - 9)}, body=data[:-9])


def test_keys_out_of_order_are_noticed(wrong_server: Callable[[Wrong], str], tmp_path: Path) -> None:
    """``sync`` compares two sorted lists: what is out of order seems to be missing."""
    endpoint, words = wrong_server(unsorted), ("s3", "sync", f"s3://box/{ZARR}", "copy", "--no-progress")
    assert s3_clients.aws(endpoint, {}, tmp_path, *words).returncode == 0
    assert "download: " in s3_clients.aws(endpoint, {}, tmp_path, *words).stdout


def test_a_wrong_etag_is_noticed(wrong_server: Callable[[Wrong], str], tmp_path: Path) -> None:
    """s3fs asks for the blocks of the file that it was told of, by its ETag."""
    numbers = count()

    def changing(path: str, answer: Answer) -> Answer:
        if path.endswith(TIFF) and "etag" in answer.headers:
            return replace(answer, headers=answer.headers | {"etag": f'"{next(numbers)}-1"'})
        return answer

    with pytest.raises(subprocess.CalledProcessError) as caught:
        s3_clients.s3fs(wrong_server(changing), {}, tmp_path, f"box/{ZARR}", f"box/{TIFF}")
    assert re.search("PreconditionFailed|FileExpired|pre-conditions", caught.value.stderr), caught.value.stderr[-500:]


@pytest.mark.parametrize("change", [flipped, shorter])
def test_other_bytes_are_noticed(change: Wrong, wrong_server: Callable[[Wrong], str], tmp_path: Path) -> None:
    try:
        pixels, _ = s3_clients.s3fs(wrong_server(change), {}, tmp_path, f"box/{ZARR}", f"box/{TIFF}")
    except subprocess.CalledProcessError:
        return
    with pytest.raises(AssertionError):
        check(pixels)
