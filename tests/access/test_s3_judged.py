"""OME-Zarr through the S3 door, read by clients that each have their own S3, with signatures and without."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from shutil import which
from typing import Any

import boto3
import httpx
import numpy as np
import pytest
import tensorstore
import tifffile
import zarr
from botocore import UNSIGNED
from botocore.config import Config
from numpy.typing import NDArray
from obstore.store import S3Store
from zarr.storage import ObjectStore

from tests.coroutines import finished
from tests.judges.required import required
from tests.servers import LiveServer, of_folder

KEYS = {"AKIAREADER": "secret/of+the reader"}
PIXELS = np.random.default_rng(3).integers(0, 4000, (2, 5, 300, 517)).astype(np.uint16)
ZARR = "folder of/cells.tif/original/cells.ome.zarr"

pytestmark = [
    pytest.mark.judge,
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Object at .* is not recognized:UserWarning"),
]


@pytest.fixture(scope="module", params=[False, True], ids=["anonymous", "signed"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("s3") / "box"
    (folder / "folder of").mkdir(parents=True)
    tifffile.imwrite(folder / "folder of" / "cells.tif", PIXELS, imagej=True, metadata={"axes": "ZCYX"})
    running = of_folder(folder, s3_keys=KEYS if request.param else {})
    yield running
    running.stop()


@pytest.fixture
def signing(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the server wants signatures, which this process then can give."""
    signing = httpx.get(f"{server.url}/s3/box").status_code == 403
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    if signing:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREADER")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["AKIAREADER"])
    return signing


def check(pixels: NDArray[Any]) -> None:
    np.testing.assert_array_equal(np.asarray(pixels), PIXELS.swapaxes(0, 1))


def test_boto3_copies_it_as_it_is(server: LiveServer, signing: bool, tmp_path: Path) -> None:
    config = Config(signature_version="s3v4" if signing else UNSIGNED, s3={"addressing_style": "path"})
    s3 = boto3.client("s3", endpoint_url=f"{server.url}/s3", region_name="us-east-1", config=config)
    seen = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="box", Prefix=f"{ZARR}/"):
        for each in page["Contents"]:
            copy = tmp_path / each["Key"]
            copy.parent.mkdir(parents=True, exist_ok=True)
            s3.download_file("box", each["Key"], str(copy))
            data = copy.read_bytes()
            assert len(data) == each["Size"], each
            same = httpx.get(f"{server.url}/data/box/{each['Key']}").content
            assert sha256(data).digest() == sha256(same).digest(), each
            seen += 1
    assert seen > 20
    check(zarr.open_array(tmp_path / ZARR / "0", mode="r")[:])


def test_obstore_reads_it(server: LiveServer, signing: bool) -> None:
    store = S3Store(
        "box",
        prefix=ZARR,
        endpoint=f"{server.url}/s3",
        region="us-east-1",
        skip_signature=not signing,
        client_options={"allow_http": True},
    )
    check(zarr.open_array(ObjectStore(store, read_only=True), path="0", mode="r")[:])
    listed = [each["path"] for page in store.list("0/c", chunk_size=3) for each in page]
    assert len(listed) == 20
    assert set(store.list_with_delimiter()["common_prefixes"]) >= {"0", "1"}
    head = store.head("zarr.json")
    assert head["size"] == len(bytes(store.get("zarr.json").bytes()))
    assert bytes(store.get_range("zarr.json", start=2, end=9)) == bytes(store.get("zarr.json").bytes())[2:9]


def test_tensorstore_reads_it(server: LiveServer, signing: bool) -> None:
    kvstore = {
        "driver": "s3",
        "bucket": "box",
        "path": f"{ZARR}/0/",
        "endpoint": f"{server.url}/s3",
        "aws_region": "us-east-1",
        "aws_credentials": {"type": "environment" if signing else "anonymous"},
    }
    array = tensorstore.open({"driver": "zarr3", "kvstore": kvstore}, open=True, read=True).result()
    check(array.read().result())
    files = tensorstore.KvStore.open(kvstore).result()
    assert len(files.list().result()) == 21
    assert files.read("none").result().state == "missing"


def test_rclone_copies_and_checks_it(server: LiveServer, signing: bool, tmp_path: Path) -> None:
    """Rclone compares what it got with an ETag that looks like an MD5."""
    required(None if which("rclone") else "rclone is not installed: tests/judges/install.sh")
    options = {
        "config": os.devnull,
        "s3-provider": "Other",
        "s3-endpoint": f"{server.url}/s3",
        "s3-region": "us-east-1",
    }
    flags = [f"--{name}={value}" for name, value in options.items()] + ["--s3-force-path-style", "--retries=1"]
    env = {name: value for name, value in os.environ.items() if name != "AWS_CA_BUNDLE"}
    for command in (["copy", "--checksum"], ["check", "--download"]):
        where = [f":s3:box/{ZARR}", str(tmp_path)]
        signed = ["--s3-env-auth"] if signing else []
        done = subprocess.run(
            ["rclone", *command, *where, *flags, *signed],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "ERROR" not in done.stderr, done.stderr
    check(zarr.open_array(tmp_path / "0", mode="r")[:])


def test_zarr_reads_through_many_requests_at_once(server: LiveServer, signing: bool) -> None:
    store = S3Store(
        "box",
        prefix=ZARR,
        endpoint=f"{server.url}/s3",
        region="us-east-1",
        skip_signature=not signing,
        client_options={"allow_http": True},
    )

    async def all_of_them() -> list[bytes]:
        paths = [each["path"] for page in store.list("0/c") for each in page]
        answers = await asyncio.gather(*(store.get_async(path) for path in paths * 3))
        return [bytes(await answer.bytes_async()) for answer in answers]

    found = finished(all_of_them())
    assert found[:20] == found[20:40] == found[40:]
