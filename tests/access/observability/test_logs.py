"""What stands in the log, and what never does, however it gets near it."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import boto3
import httpx
import pytest
from botocore.config import Config

from diascope.access.data import Data
from diascope.access.http import Server
from diascope.access.observability.logs import redacted, write_logs
from diascope.access.observability.observer import Observer
from diascope.tree.file import Entry, File
from diascope.work import timed
from tests.servers import LiveServer, of_folder

SECRET = "n0b0dy-shall-know"  # noqa: S105
"""What must never be in the log."""


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    root, level = logging.getLogger(), logging.getLogger("diascope").level
    before = [*root.handlers]
    handler = write_logs("json", stream)
    yield stream
    root.handlers[:] = before
    handler.close()
    logging.getLogger("diascope").setLevel(level)


def lines(log: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize(
    "text",
    [
        f"GET /s3/box/a?X-Amz-Signature={SECRET}&X-Amz-Date=1",
        f"AWS4-HMAC-SHA256 Credential={SECRET}/2026/us-east-1/s3/aws4_request, Signature={SECRET}",
        f"{{'authorization': 'Bearer {SECRET}'}}",
        f"Authorization: Basic {SECRET}",
        f"Authorization: AWS4-HMAC-SHA256 Credential={SECRET}",
        f"x-amz-security-token: {SECRET}",
        f'"secret_access_key": "{SECRET}"',
        f"session_token={SECRET}; password = {SECRET}",
        f"https://account.blob.example/a?sv=1&sig={SECRET}",
        f"redis://:{SECRET}@cache.example:6379/0",
        f"https://user:{SECRET}@images.example/a",
        f"AccessKeyId={SECRET}",
    ],
)
def test_secrets_are_redacted_in_whatever_is_logged(text: str, log: io.StringIO) -> None:
    assert SECRET not in redacted(text)
    logger = logging.getLogger("diascope.anything")
    logger.error("it went wrong: %s", text, extra={"told": text, "more": {"told": text}})
    logger.error("it went wrong", exc_info=ValueError(text))
    assert SECRET not in log.getvalue()
    assert len(lines(log)) == 2


def test_what_is_no_secret_stays() -> None:
    text = "/data/atlas/signature of a cell.tif took 3 s; tokens were 12; the key is missing"
    assert redacted(text) == text


def test_nobody_can_write_lines_of_their_own_into_the_log(log: io.StringIO) -> None:
    stream = io.StringIO()
    logging.getLogger("diascope.anything").error("a\nERROR forged \x1b[2J\u2028b")
    assert len(log.getvalue().splitlines()) == 1
    write_logs("text", stream)
    logging.getLogger("diascope.anything").error("a\nERROR forged \x1b[2J\u2028b", extra={"request": "r\n1"})
    assert len(stream.getvalue().splitlines()) == 1
    assert "\x1b" not in stream.getvalue()
    assert "request=r" in stream.getvalue()


class Crashing:
    """A tree that makes a mistake in the middle of which everything about a request could be told."""

    def file(self, path: str) -> File | None:
        raise RuntimeError(f"a mistake at {path}")

    def entries(self, path: str) -> Iterator[Entry] | None:
        return iter([Entry("box", is_folder=True)]) if not path else iter(())


def test_requests_are_logged_without_their_queries_and_signatures(
    log: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "box").mkdir()
    (tmp_path / "box" / "a.txt").write_text("text")
    server = of_folder(tmp_path / "box", log_requests=True, s3_keys={"AKIAREADER": SECRET})
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    s3 = boto3.client(
        "s3",
        endpoint_url=f"{server.url}/s3",
        region_name="us-east-1",
        aws_access_key_id="AKIAREADER",
        aws_secret_access_key=SECRET,
        config=config,
    )
    try:
        assert s3.get_object(Bucket="box", Key="a.txt")["Body"].read() == b"text"
        presigned = s3.generate_presigned_url("get_object", {"Bucket": "box", "Key": "a.txt"})
        assert httpx.get(presigned).text == "text"
        signature = presigned.partition("X-Amz-Signature=")[2].partition("&")[0]
        headers = {"authorization": f"Bearer {SECRET}", "cookie": f"a={SECRET}", "x-request-id": SECRET[:4] + "\u00e9"}
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        for path in ("data/box/a.txt", f"data/nowhere?token={SECRET}", f"api/list/box?q={SECRET}", f"?sig={SECRET}"):
            httpx.get(f"{server.url}/{path}", headers=encoded)
    finally:
        server.stop()
    told = log.getvalue()
    assert signature
    assert signature not in told
    assert SECRET not in told
    assert "X-Amz" not in told
    requests = [line for line in lines(log) if line["logger"] == "diascope.requests"]
    assert [line["message"] for line in requests][:2] == ["GET /s3/box/a.txt"] * 2
    assert len(requests) == 6
    assert {line["status"] for line in requests} >= {200, 404}
    assert all(line["request"] and line["client"] == "127.0.0.1" for line in requests)


def test_a_mistake_is_logged_with_the_id_that_its_client_is_told(log: io.StringIO) -> None:
    handlers = {"/data/": Data(Crashing(), lambda path: path).answer}
    server = LiveServer(Server(handlers=handlers, rest={}))
    try:
        answer = httpx.get(f"{server.url}/data/x?token={SECRET}", headers={"authorization": f"Bearer {SECRET}"})
    finally:
        server.stop()
    (line,) = [line for line in lines(log) if line["level"] == "error"]
    assert line["request"] == answer.json()["request"] == answer.headers["x-request-id"]
    assert "a mistake at x" in str(line["trouble"])
    assert SECRET not in log.getvalue()


class Slow:
    """A tree whose files take a while to look up, and another to make."""

    def file(self, path: str) -> File | None:
        sleep(0.05)
        return File(media_type="text/plain", size=None, read=lambda start, stop: self._made()[start:stop])

    def entries(self, path: str) -> Iterator[Entry] | None:
        return None

    @staticmethod
    def _made() -> bytes:
        sleep(0.1)
        timed("decode", lambda: sleep(0.2))
        return b"made"


def test_a_slow_request_is_logged_with_the_times_of_its_stages(log: io.StringIO) -> None:
    observer = Observer(slow_seconds=0.2)
    handlers = {"/data/": Data(Slow(), lambda path: path).answer}
    server = LiveServer(Server(handlers=handlers, rest={}, observer=observer))
    try:
        assert httpx.get(f"{server.url}/data/x").text == "made"
    finally:
        server.stop()
    (line,) = lines(log)
    assert line["level"] == "warning"
    stages = line["stages"]
    assert isinstance(stages, dict)
    assert 0.04 < stages["address"] < 5
    assert 0.1 <= stages["encode"] < 0.2 + stages["address"]
    assert stages["decode"] >= 0.2
    assert sum(stages.values()) <= float(str(line["seconds"])) + 0.01


def test_a_request_that_a_stop_cut_off_is_no_error_of_the_program(log: io.StringIO) -> None:
    cut_off = asyncio.CancelledError("Task cancelled, timeout graceful shutdown exceeded")
    # Other tests let uvicorn write its log itself.
    logging.getLogger("diascope").error("Exception in ASGI application\n", exc_info=cut_off)
    (line,) = log.getvalue().splitlines()
    told = json.loads(line)
    assert (told["level"], told["message"]) == ("warning", "a request was cut off, since the server stops")
    assert "trouble" not in told
