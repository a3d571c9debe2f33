"""The tree through the S3 door, asked by boto3 and by plain requests."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from diascope.access import s3_listing
from diascope.access.admission import Limits
from diascope.access.http import Server
from diascope.access.s3 import S3
from diascope.errors import Overloaded, TooLarge, Unreadable, Unsupported
from diascope.tree.cache import Identified, file_cache
from diascope.tree.file import File, in_memory, whole
from diascope.tree.table import Table
from tests.servers import LiveServer

BODY = bytes(range(256)) * 4
TROUBLE = {
    "large": (TooLarge("over the limit of 5"), 400, "EntityTooLarge"),
    "unsupported": (Unsupported("no"), 400, "InvalidRequest"),
    "unreadable": (Unreadable("x.tif: truncated"), 500, "InternalError"),
    "overloaded": (Overloaded("busy"), 503, "SlowDown"),
    "crash": (ZeroDivisionError("secret"), 500, "InternalError"),
}
ODD = ["a b+c&d<e>.txt", "percent%41", "quote\"'", "tab\there", "ä😀.txt", "a.txt"]

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


def fail(name: str) -> File | None:
    if name not in TROUBLE:
        return None
    raise TROUBLE[name][0]


def made(name: str) -> File:
    """A file of a size that only its bytes tell, or trouble when they are read."""
    return whole(lambda: b"ten of it." if fail(name) is None else b"", "text/plain")


def table() -> Table:
    tree = Table()
    tree.add("files/a/whole", lambda: in_memory(BODY, "application/x-test"))
    tree.add("files/a/made", lambda: whole(lambda: BODY, "application/x-test"))
    tree.add("files/service/", lambda: in_memory(b"{}", "application/json"))
    tree.add("files/service/info", lambda: in_memory(b"{}", "application/json"))
    tree.add("many/{i}", lambda i: in_memory(b"x" * (i % 10), "text/plain"), i=lambda: range(2500))
    tree.add("many/below/{i}", lambda i: in_memory(b"", "text/plain"), i=lambda: range(10**12))
    tree.add("odd/{name}", lambda name: in_memory(name.encode(), "text/plain"), name=lambda: ODD)
    tree.add("trouble/{name}", fail)
    tree.add("trouble/listed/{name}", made, name=lambda: ["z", "unsupported", "unreadable", "a"])
    tree.add("deep/{a}-{b}", lambda **_: in_memory(b"", "text/plain"), a=lambda: range(12), b=lambda **_: range(12))
    return tree


def client(url: str, *, retries: int = 0, **more: Any) -> Any:
    config = Config(
        signature_version=more.pop("signature", UNSIGNED),
        retries={"total_max_attempts": retries + 1},
        s3={"addressing_style": more.pop("style", "path")},
    )
    return boto3.client("s3", endpoint_url=url, region_name="eu-central-1", config=config, **more)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    served = S3(Identified(table(), "v1", file_cache(1 << 20)), domain="s3.localhost")
    hosts = {served.domain: served.hosted}
    running = LiveServer(Server(handlers={"/s3/": served.answer}, rest={}, limits=Limits(threads=4), hosts=hosts))
    yield f"{running.url}/s3"
    running.stop()


@pytest.fixture(scope="module")
def s3(url: str) -> Any:
    return client(url)


def listed(s3: Any, version: int = 2, **asked: Any) -> tuple[list[str], list[str]]:
    """Keys and common prefixes, page by page."""
    found: list[str] = []
    common: list[str] = []
    for page in s3.get_paginator("list_objects_v2" if version == 2 else "list_objects").paginate(**asked):
        found += [each["Key"] for each in page.get("Contents", ())]
        common += [each["Prefix"] for each in page.get("CommonPrefixes", ())]
    return found, common


def code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    told = error.value.response
    return told["Error"]["Code"], told["ResponseMetadata"]["HTTPStatusCode"]


def test_the_folders_at_the_top_are_buckets(s3: Any) -> None:
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["deep", "files", "many", "odd", "trouble"]
    assert s3.head_bucket(Bucket="many")["ResponseMetadata"]["HTTPHeaders"]["x-amz-bucket-region"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="many").get("LocationConstraint") is None
    assert s3.get_bucket_versioning(Bucket="many").get("Status") is None
    for call in (s3.head_bucket, s3.list_objects_v2, s3.get_bucket_location):
        with pytest.raises(ClientError) as error:
            call(Bucket="nothing")
        assert code(error)[1] == 404


@pytest.mark.parametrize("name", ["whole", "made"])
def test_an_object_is_given_whole_and_in_parts(s3: Any, name: str) -> None:
    got = s3.get_object(Bucket="files", Key=f"a/{name}")
    assert got["Body"].read() == BODY
    assert got["ContentType"] == "application/x-test"
    head = s3.head_object(Bucket="files", Key=f"a/{name}")
    assert head["ContentLength"] == len(BODY)
    assert head["ETag"] == got["ETag"]
    assert head["LastModified"] == got["LastModified"]
    assert got["ETag"].endswith('-1"'), "an ETag of 32 digits would be taken for an MD5"
    part = s3.get_object(Bucket="files", Key=f"a/{name}", Range="bytes=10-19", ChecksumMode="ENABLED")
    assert part["Body"].read() == BODY[10:20]
    assert part["ContentRange"] == "bytes 10-19/1024"
    assert not [name for name in part["ResponseMetadata"]["HTTPHeaders"] if "checksum" in name or "md5" in name]


def test_conditions_are_kept(s3: Any) -> None:
    tag = s3.head_object(Bucket="files", Key="a/made")["ETag"]
    for condition, status in (({"IfNoneMatch": tag}, 304), ({"IfMatch": '"other"'}, 412)):
        with pytest.raises(ClientError) as error:
            s3.get_object(Bucket="files", Key="a/made", **condition)
        assert code(error)[1] == status
    assert s3.get_object(Bucket="files", Key="a/made", IfMatch=tag)["Body"].read() == BODY
    assert s3.get_object(Bucket="files", Key="a/made", IfNoneMatch='"x"')["Body"].read() == BODY


def test_errors_are_told_as_s3_tells_them(s3: Any, url: str) -> None:
    answer = httpx.get(f"{url}/files/a/none")
    assert answer.status_code == 404
    told = {each.tag: each.text for each in ET.fromstring(answer.content)}  # noqa: S314
    assert told["Code"] == "NoSuchKey"
    assert told["Resource"] == "/files/a/none"
    assert told["RequestId"] == answer.headers["x-amz-request-id"]
    assert told["Message"]
    for key in ("a", "a/", "service/", "a/whole/"):
        with pytest.raises(ClientError) as error:
            s3.get_object(Bucket="files", Key=key)
        assert code(error) == ("NoSuchKey", 404), key
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket="files", Key="a/made", Range="bytes=5000-")
    assert code(error) == ("InvalidRange", 416)
    with pytest.raises(ClientError) as error:
        s3.get_object_acl(Bucket="files", Key="a/made")
    assert code(error) == ("NotImplemented", 501)
    for asked in ({"max-keys": "-1"}, {"list-type": "2", "continuation-token": "é"}, {"encoding-type": "x"}):
        assert "<Code>InvalidArgument</Code>" in httpx.get(f"{url}/many", params=asked).text


@pytest.mark.parametrize("name", list(TROUBLE))
def test_trouble_is_never_absence(s3: Any, name: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL), pytest.raises(ClientError) as error:
        s3.get_object(Bucket="trouble", Key=name)
    _, status, told = TROUBLE[name]
    assert code(error) == (told, status)
    assert "secret" not in str(error.value)


def test_what_cannot_be_made_hides_no_other_and_is_neither_absent_nor_empty(s3: Any) -> None:
    sizes = {each["Key"]: each["Size"] for each in s3.list_objects_v2(Bucket="trouble", Prefix="listed/")["Contents"]}
    assert sizes == {"listed/a": 10, "listed/unreadable": 1, "listed/unsupported": 1, "listed/z": 10}
    with pytest.raises(ClientError, match=r"x\.tif: truncated"):
        s3.get_object(Bucket="trouble", Key="listed/unreadable")


def test_nothing_can_be_changed(s3: Any, url: str) -> None:
    for call in (
        lambda: s3.put_object(Bucket="files", Key="a/new", Body=b"x"),
        lambda: s3.delete_object(Bucket="files", Key="a/made"),
        lambda: s3.create_bucket(Bucket="new"),
        lambda: s3.create_multipart_upload(Bucket="files", Key="a/new"),
    ):
        with pytest.raises(ClientError) as error:
            call()
        assert code(error) == ("AccessDenied", 403)
    answer = httpx.request("PATCH", f"{url}/files/a/made")
    assert (answer.status_code, "<Code>MethodNotAllowed</Code>" in answer.text) == (405, True)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("most", [1000, 7])
def test_listings_are_in_the_order_of_bytes_and_come_in_pages(s3: Any, version: int, most: int) -> None:
    asked = {"Bucket": "many", "Delimiter": "/", "MaxKeys": most} | ({"Prefix": "1"} if most == 7 else {})
    found, common = listed(s3, version, **asked)
    assert found == sorted(str(i) for i in range(2500) if most > 7 or str(i).startswith("1"))
    assert common == (["below/"] if most > 7 else [])


def test_a_listing_tells_true_sizes_and_tags(s3: Any) -> None:
    for bucket, prefix in (("many", "24"), ("files", "a/")):
        for each in s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]:
            head = s3.head_object(Bucket=bucket, Key=each["Key"])
            assert (each["Size"], each["ETag"]) == (head["ContentLength"], head["ETag"])
            assert each["LastModified"] == head["LastModified"]


def test_a_listing_begins_anywhere_in_a_folder_of_a_million_million(s3: Any) -> None:
    page = s3.list_objects_v2(Bucket="many", StartAfter="below/739999999999", MaxKeys=3)
    assert [each["Key"] for each in page["Contents"]] == ["below/74", "below/740", "below/7400"]
    assert page["IsTruncated"]
    after = s3.list_objects_v2(Bucket="many", ContinuationToken=page["NextContinuationToken"], MaxKeys=1)
    assert after["Contents"][0]["Key"] == "below/74000"
    assert "Contents" not in s3.list_objects(Bucket="many", Marker="below/999999999999")
    assert "Contents" not in s3.list_objects_v2(Bucket="many", MaxKeys=0)
    assert "Contents" not in s3.list_objects_v2(Bucket="many", Prefix="none/at/all")


def test_a_marker_that_is_a_common_prefix_passes_all_of_it(s3: Any) -> None:
    for marker in ("below/", "below/999999999999"):
        page = s3.list_objects(Bucket="many", Delimiter="/", Marker=marker)
        assert "CommonPrefixes" not in page, marker
    assert s3.list_objects(Bucket="many", Delimiter="/", Marker="below/5")["CommonPrefixes"]


def test_any_delimiter_rolls_up(s3: Any) -> None:
    assert listed(s3, Bucket="deep", Delimiter="-", MaxKeys=5) == ([], sorted(f"{k}-" for k in range(12)))
    found, common = listed(s3, Bucket="deep", Prefix="1", Delimiter="1-1", MaxKeys=2)
    names = sorted(f"{a}-{b}" for a in range(12) for b in range(12) if str(a).startswith("1"))
    assert found == [name for name in names if "1-1" not in name[1:]]
    assert common == ["11-1"]


def test_names_survive_the_listing(s3: Any, url: str) -> None:
    assert listed(s3, Bucket="odd")[0] == sorted(ODD, key=str.encode)
    for name in ODD:
        assert s3.get_object(Bucket="odd", Key=name)["Body"].read().decode() == name
    assert {unquote(key) for key in spelled(f"{url}/odd?encoding-type=url")} == set(ODD)
    assert spelled(f"{url}/odd") == set(ODD)


def spelled(url: str) -> set[str]:
    """The keys as the document has them."""
    root = ET.fromstring(httpx.get(url).content)  # noqa: S314
    return {each.text or "" for each in root.iter() if each.tag.endswith("}Key")}


def test_a_page_ends_when_it_has_taken_long_enough(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_listing, "SECONDS", 0)
    page = s3.list_objects_v2(Bucket="deep")
    assert (page["KeyCount"], page["IsTruncated"]) == (1, True)
    assert len(listed(s3, Bucket="deep", Prefix="1-")[0]) == 12


def test_a_host_may_begin_with_the_bucket(url: str) -> None:
    port = url.removesuffix("/s3").rpartition(":")[2]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as plain:
        for host in ("files.s3.localhost", f"Files.S3.localhost:{port}"):
            assert plain.get("/a/whole", headers={"host": host}).content == BODY
            assert "<Name>files</Name>" in plain.get("/?list-type=2", headers={"host": host}).text
        assert "<Name>files</Name>" in plain.get("/", headers={"host": "s3.localhost"}).text
        assert plain.get("/files/a/whole", headers={"host": "s3.localhost"}).content == BODY
        assert plain.get("/a/whole", headers={"host": "none.s3.localhost"}).status_code == 404
        assert plain.get("/s3/files/a/whole", headers={"host": "files.s3.localhost.example"}).content == BODY


def test_the_whole_server_has_the_door(server: Any, tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_bytes(b"told")
    s3 = client(f"{server(tmp_path)}/s3")
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == [tmp_path.name]
    assert listed(s3, Bucket=tmp_path.name)[0] == ["readme.txt"]
    assert s3.get_object(Bucket=tmp_path.name, Key="readme.txt")["Body"].read() == b"told"
