"""Signatures of requests to the S3 door, made by boto3."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from diascope.access.answer import Asked
from diascope.access.http import Server
from diascope.access.s3 import S3
from diascope.access.s3_error import Refused
from diascope.access.s3_signature import parameters, verify
from diascope.tree.file import in_memory
from diascope.tree.table import Table
from tests.servers import LiveServer

KEYS = {"AKIAREADER": "secret/of+the reader", "AKIAOTHER": "another"}
NAMES = ["plain.txt", "a b+c&d=e%41ä~*'().txt", "./c"]
DAY = timedelta(days=1)

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    tree = Table()
    tree.add("box/listed/{i}", lambda **_: in_memory(b"", "text/plain"), i=lambda: range(20))
    tree.add("box/{a}", lambda a: in_memory(a.encode(), "text/plain") if a in NAMES else None)
    tree.add("box/{a}/{b}", lambda a, b: in_memory(b"", "text/plain") if f"{a}/{b}" in NAMES else None)
    served = S3(tree, KEYS, domain="s3.localhost")
    running = LiveServer(Server(handlers={"/s3/": served.answer}, rest={}, hosts={served.domain: served.hosted}))
    yield f"{running.url}/s3"
    running.stop()


def client(url: str, key: str = "AKIAREADER", secret: str = KEYS["AKIAREADER"], **more: Any) -> Any:
    config = Config(signature_version="s3v4", retries={"total_max_attempts": 1}, s3=more)
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=config,
    )


def code_of(url: str, **more: Any) -> tuple[int, str]:
    answer = httpx.get(url, **more)
    return answer.status_code, answer.text.partition("<Code>")[2].partition("</Code>")[0]


@pytest.mark.parametrize("payload", [False, True])
def test_signed_requests_are_answered(url: str, payload: bool) -> None:
    s3 = client(url, addressing_style="path", payload_signing_enabled=payload)
    assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["box"]
    listed = s3.list_objects_v2(Bucket="box", Prefix="listed/", StartAfter="listed/1 +&=ä", MaxKeys=3)
    assert listed["KeyCount"] == 3
    for name in NAMES:
        assert s3.head_object(Bucket="box", Key=name)["ContentLength"] >= 0, name
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket="box", Key="a//b")
    assert s3.get_object(Bucket="box", Key=NAMES[1], Range="bytes=0-2")["Body"].read() == b"a b"


def test_presigned_addresses_are_answered_until_they_expire(url: str) -> None:
    s3 = client(url, addressing_style="path")
    for name in NAMES[:2]:
        address = s3.generate_presigned_url("get_object", {"Bucket": "box", "Key": name}, ExpiresIn=60)
        assert httpx.get(address).text == name
        assert httpx.get(address, headers={"range": "bytes=0-0"}).text == name[0]
        assert code_of(address.replace("X-Amz-Expires=60", "X-Amz-Expires=61")) == (403, "SignatureDoesNotMatch")
        assert code_of(address + "&versionId=null") == (403, "SignatureDoesNotMatch")
        assert code_of(address.replace("Expires=60", "Expires=604801"))[1] == "AuthorizationQueryParametersError"
        assert code_of(address, headers={"x-amz-meta": "smuggled"}) == (403, "AccessDenied")


def test_hosts_that_begin_with_a_bucket_are_signed_too(url: str) -> None:
    port = url.removesuffix("/s3").rpartition(":")[2]
    s3 = client(f"http://s3.localhost:{port}", addressing_style="virtual")
    address = s3.generate_presigned_url("get_object", {"Bucket": "box", "Key": "plain.txt"}, ExpiresIn=60)
    parts = urlsplit(address)
    assert parts.hostname == "box.s3.localhost"
    direct = f"http://127.0.0.1:{port}{parts.path}?{parts.query}"
    assert httpx.get(direct, headers={"host": parts.netloc}).text == "plain.txt"
    assert code_of(direct, headers={"host": f"other.s3.localhost:{port}"}) == (403, "SignatureDoesNotMatch")


def test_others_are_refused(url: str) -> None:
    assert code_of(f"{url}/box/plain.txt") == (403, "AccessDenied")
    assert code_of(f"{url}/box/plain.txt", headers={"authorization": "AWS a:b"})[1] == "AuthorizationHeaderMalformed"
    for key, secret, told in (
        ("AKIANOBODY", "secret", "InvalidAccessKeyId"),
        ("AKIAREADER", "secret", "SignatureDoesNotMatch"),
        ("AKIAREADER", KEYS["AKIAOTHER"], "SignatureDoesNotMatch"),
    ):
        with pytest.raises(ClientError) as error:
            client(url, key, secret, addressing_style="path").get_object(Bucket="box", Key="plain.txt")
        assert error.value.response["Error"]["Code"] == told


def signed(**changed: str) -> Asked:
    """A request that botocore has signed now, with some headers changed afterwards."""
    request = AWSRequest("GET", "http://host/s3/box/plain.txt", headers={"Host": "host"})
    S3SigV4Auth(Credentials("AKIAREADER", KEYS["AKIAREADER"]), "s3", "us-east-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Asked("GET", "http://host/s3/box/plain.txt", headers | changed)


def verdict(asked: Asked, path: str = "/s3/box/plain.txt", query: str = "", later: timedelta = timedelta()) -> str:
    try:
        verify(asked, path, parameters(query), KEYS, datetime.now(UTC) + later)
    except Refused as refused:
        return refused.code
    return "taken"


def test_every_part_of_a_request_is_signed() -> None:
    assert verdict(signed()) == "taken"
    assert verdict(signed(), path="/s3/box/other.txt") == "SignatureDoesNotMatch"
    assert verdict(signed(), query="prefix=a") == "SignatureDoesNotMatch"
    assert verdict(signed(host="other")) == "SignatureDoesNotMatch"
    assert verdict(signed(**{"x-amz-content-sha256": "0" * 64})) == "SignatureDoesNotMatch"
    assert verdict(signed(**{"x-amz-date": "yesterday"})) == "AccessDenied"
    head = signed()
    assert verdict(Asked("HEAD", head.url, head.headers)) == "SignatureDoesNotMatch"
    odd = head.headers["authorization"].replace("/us-east-1/", "/us-east-2/")
    assert verdict(signed(authorization=odd)) == "SignatureDoesNotMatch"
    assert verdict(signed(authorization=odd.replace("/s3/", "/iam/"))) == "AuthorizationHeaderMalformed"
    unsigned_host = head.headers["authorization"].replace("host;", "")
    assert verdict(signed(authorization=unsigned_host)) == "AccessDenied"


def test_clocks_may_differ_by_fifteen_minutes() -> None:
    assert verdict(signed(), later=timedelta(minutes=14)) == "taken"
    assert verdict(signed(), later=-timedelta(minutes=14)) == "taken"
    assert verdict(signed(), later=timedelta(minutes=16)) == "RequestTimeTooSkewed"
    assert verdict(signed(), later=-timedelta(minutes=16)) == "RequestTimeTooSkewed"


def test_presigned_addresses_have_their_time(url: str) -> None:
    address = client(url, addressing_style="path").generate_presigned_url(
        "get_object", {"Bucket": "box", "Key": "plain.txt"}, ExpiresIn=3600
    )
    parts = urlsplit(address)
    asked = Asked("GET", address.partition("?")[0], {"host": parts.netloc})
    for later, told in ((3590, "taken"), (3610, "AccessDenied"), (-800, "taken"), (-1000, "AccessDenied")):
        assert verdict(asked, parts.path, parts.query, timedelta(seconds=later)) == told, later
