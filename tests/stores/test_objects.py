"""Buckets of S3, Google and Azure as stores, on servers that others wrote."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import obstore
import pytest
from pydantic import SecretStr

from diascope.errors import BadRequest, Forbidden, NotFound, Unanswered, Unreadable
from diascope.stores.bucket import Bucket
from diascope.stores.objects import ObjectStore
from tests.judges import object_stores as servers
from tests.judges.required import required

pytestmark = pytest.mark.judge

DATA = bytes(range(256)) * 4
FILES = {
    "in/a.tif": DATA,
    "in/sub/deep/x": b"x",
    "in/sub-marine": b"-",
    "in/.hidden": b"h",
    "in/empty": b"",
    "in/sp ä+#?%20~*&'().tif": b"odd",
    "in/both": b"file",
    "in/both/below": b"folder",
    "outside": b"secret",
}
_numbers = itertools.count()


@dataclass
class Cloud:
    bucket: Bucket
    put: Callable[[str, bytes], Any]
    delete: Callable[[str], Any]

    @property
    def store(self) -> ObjectStore:
        return ObjectStore(self.bucket, "in/")


@pytest.fixture(params=["s3", "gs", "az"])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    name = f"bucket{request.param}{next(_numbers)}"
    if request.param == "az":
        return azure(name)
    required(servers.lacking("moto"))
    public = request.param == "gs"
    acl = "public-read" if public else "private"
    servers.bucket(name, FILES, acl)
    keys = () if public else keyed(access_key_id=servers.ACCESS, secret_access_key=servers.SECRET)
    client = servers.s3_client()
    return Cloud(
        Bucket(request.param, name, servers.s3(), servers.REGION * (not public) or None, None, public, keys),
        lambda key, data: client.put_object(Bucket=name, Key=key, Body=data, ACL=acl),
        lambda key: client.delete_object(Bucket=name, Key=key),
    )


def keyed(**keys: str) -> tuple[tuple[str, SecretStr], ...]:
    return tuple((name, SecretStr(key)) for name, key in keys.items())


def azure(name: str) -> Cloud:
    required(servers.lacking("azurite"))
    servers.azure_container(name)
    bucket = Bucket("az", name, servers.azure(), None, servers.ACCOUNT, False, keyed(account_key=servers.ACCOUNT_KEY))
    for key, data in FILES.items():
        obstore.put(bucket.client, key, data)
    return Cloud(
        bucket, lambda key, data: obstore.put(bucket.client, key, data), lambda key: obstore.delete(bucket.client, key)
    )


def test_a_bucket_is_a_store_of_files_and_folders(cloud: Cloud) -> None:
    store = cloud.store
    file, folder = store.stat("a.tif"), store.stat("sub")
    assert file
    assert (file.is_folder, file.size) == (False, len(DATA))
    assert folder
    assert folder.is_folder
    assert store.stat("both") == store.open("both").stat
    root = store.stat("")
    assert root
    assert root.is_folder
    assert sorted(store.names("")) == [
        ("a.tif", False),
        ("both", False),
        ("empty", False),
        ("sp ä+#?%20~*&'().tif", False),
        ("sub", True),
        ("sub-marine", False),
    ]
    assert list(store.names("sub")) == [("deep", True)]
    assert dict(store.entries(""))["a.tif"] == file, "a listing and a look tell the same version"
    assert store.local_path("a.tif") is None


def test_it_reads_any_part_of_a_file(cloud: Cloud) -> None:
    blob = cloud.store.open("a.tif")
    assert blob.read(2, 5) == DATA[2:5]
    assert blob.read(1000, 5000) == DATA[1000:]
    assert blob.read(5000, 6000) == blob.read(5, 2) == b""
    assert cloud.store.read("sp ä+#?%20~*&'().tif") == b"odd"
    assert cloud.store.read("empty") == cloud.store.open("empty").read(0, 10) == b""
    for path, data in (("a.tif", DATA[:9]), ("empty", b"")):
        blob, first = cloud.store.opened(path, 9)
        assert (first, blob.stat) == (data, cloud.store.stat(path))


def test_absent_is_none_and_opening_it_not_found(cloud: Cloud) -> None:
    store = cloud.store
    for path in ("nothing", "su", "a.tif/below", "sub/dee", "x" * 2000, "n/" * 600 + "x"):
        assert store.stat(path) is None
        assert path.startswith(("x", "n/")) or store.read(path) is None
    for path in ("nothing", "sub"):
        with pytest.raises(NotFound):
            store.open(path)
        with pytest.raises(NotFound):
            store.opened(path, 10)
    with pytest.raises(NotFound):
        list(store.names("nothing"))


@pytest.mark.parametrize("path", ["..", "../outside", "sub/../../outside", "/outside", "a//b", "./x", "x\0y", "x\ny"])
def test_paths_that_climb_are_refused(cloud: Cloud, path: str) -> None:
    for look in (cloud.store.stat, cloud.store.open, cloud.store.read):
        with pytest.raises(BadRequest):
            look(path)


def test_a_file_that_changes_is_never_mixed(cloud: Cloud) -> None:
    blob = cloud.store.open("a.tif")
    assert blob.read(0, 10) == DATA[:10]
    cloud.put("in/a.tif", DATA[::-1])
    with pytest.raises(Unreadable, match=r"a\.tif has changed"):
        blob.read(10, 20)
    assert cloud.store.open("a.tif").read(0, 10) == DATA[::-1][:10]
    cloud.delete("in/a.tif")
    with pytest.raises(Unreadable, match=r"a\.tif has"):
        blob.read(10, 20)


def test_trouble_is_told_without_secrets(cloud: Cloud) -> None:
    wrong = {"s3": "never-told", "gs": "never-told", "az": "bmV2ZXItdG9sZA=="}[cloud.bucket.scheme]
    names = {"s3": ("access_key_id", "secret_access_key"), "az": ("account_key",)}.get(cloud.bucket.scheme, ())
    absent = ObjectStore(Bucket(**fields(cloud.bucket) | {"name": "no-such-bucket"}))
    dead = ObjectStore(Bucket(**fields(cloud.bucket) | {"endpoint": "http://127.0.0.1:9/x"}))
    told: list[pytest.ExceptionInfo[Any]] = []
    for store, kind in ((absent, Unreadable), (dead, Unanswered)):
        with pytest.raises(kind) as caught:
            store.stat("x")
        told.append(caught)
    if cloud.bucket.scheme == "az":
        refused = ObjectStore(Bucket(**fields(cloud.bucket) | {"credentials": keyed(**dict.fromkeys(names, wrong))}))
        with pytest.raises(Forbidden) as forbidden:
            refused.stat("in/a.tif")
        told.append(forbidden)
    for caught in told:
        text = "".join(map(str, caught.traceback)) + repr(caught.value) + repr(cloud.store)
        assert not any(secret in text for secret in (wrong, servers.SECRET, servers.ACCESS, servers.ACCOUNT_KEY))
        assert caught.value.__suppress_context__


def fields(bucket: Bucket) -> dict[str, Any]:
    return {name: getattr(bucket, name) for name in Bucket.__slots__}


FORKED = """
import os, sys
from diascope.errors import DiascopeError
from diascope.stores.bucket import Bucket
from diascope.stores.objects import ObjectStore
store = ObjectStore(Bucket("s3", "none", sys.argv[1], anonymous=True))
def look():
    try:
        store.stat("x")
    except DiascopeError as error:
        print(error, flush=True)
look()
if os.fork() == 0:
    look()
    os._exit(0)
os.wait()
"""


def test_a_forked_process_is_told_and_does_not_hang() -> None:
    required(servers.lacking("moto"))
    command = [sys.executable, "-W", "ignore", "-c", FORKED, servers.s3()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    first, forked = done.stdout.splitlines()
    assert "no such bucket" in first
    assert "spawn it" in forked


def test_without_credentials_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    required(servers.lacking("moto"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", "http://127.0.0.1:9/169.254.169.254")
    with pytest.raises(Forbidden, match="anonymous = true"):
        ObjectStore(Bucket("s3", "any", servers.s3(), "no-role")).stat("x")


def test_a_large_folder_is_listed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files first, so that pages are streamed, and then folders, which the store itself leaves out."""
    required(servers.lacking("moto"))
    name = f"bucketlarge{next(_numbers)}"
    monkeypatch.setattr("diascope.stores.objects.PAGE", 10)
    flat = [f"a{k:05}" for k in range(25)]
    files = [*flat, *(f"b{k}/{i}" for k in range(3) for i in range(5)), "c"]
    servers.bucket(name, dict.fromkeys(files, b""))
    keys = keyed(access_key_id=servers.ACCESS, secret_access_key=servers.SECRET)
    store = ObjectStore(Bucket("s3", name, servers.s3(), servers.REGION, None, False, keys))
    found = list(store.names(""))
    expected = [*((name, False) for name in flat), *((f"b{k}", True) for k in range(3)), ("c", False)]
    assert sorted(found) == sorted(expected)
    assert next(store.names("")) == (flat[0], False)
