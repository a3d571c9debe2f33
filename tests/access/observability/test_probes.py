"""Metrics, health and request ids of a whole server, asked for over HTTP."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Scope

from diascope.access.observability.metrics import exposed
from diascope.access.observability.observer import Observer
from diascope.access.observability.probes import is_of_this_host
from diascope.access.observability.shared import Folder
from tests.coroutines import finished
from tests.servers import LiveServer, of_folder

TILE = "box/a.tif/original/a.ome.zarr/0/c/0/0"
RENDERED = "box/a.tif/render/a_files/6/0_0.jpeg"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", np.arange(64 * 64, dtype=np.uint16).reshape(64, 64))
    return folder


@pytest.fixture
def served(box: Path) -> Iterator[LiveServer]:
    server = of_folder(box)
    yield server
    server.stop()


def numbers(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of a document, as the parser of Prometheus' own library reads it."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def answered(text: str, **labels: str) -> float:
    """How many requests were answered that have these labels."""
    return sum(
        value
        for (name, found), value in numbers(text).items()
        if name == "diascope_request_seconds_count" and labels.items() <= dict(found).items()
    )


def test_metrics_count_what_was_asked_for(served: LiveServer) -> None:
    for path in (TILE, RENDERED, RENDERED):
        assert httpx.get(f"{served.url}/data/{path}", timeout=60).status_code == 200
    assert httpx.get(f"{served.url}/data/nowhere").status_code == 404
    assert httpx.get(f"{served.url}/s3/box/nothing").status_code == 404
    assert httpx.get(f"{served.url}/api/repositories").status_code == 200
    text = httpx.get(f"{served.url}/metrics").text
    assert answered(text) == 6
    assert answered(text, door="data", status="200") == 3
    assert answered(text, source="tiff", layout="ome-zarr", status="200") == 1
    assert answered(text, source="tiff", layout="dzi") == 2
    assert answered(text, door="data", status="404") == 1
    assert answered(text, door="s3", status="404") == 1
    assert answered(text, door="api", status="200") == 1
    found = numbers(text)
    process = ("process", "1")
    assert found["diascope_chunks_total", frozenset({("how", "decoded")})] >= 1
    assert found["diascope_cache_misses_total", frozenset({("cache", "files")})] == 1
    assert found["diascope_cache_hits_total", frozenset({("cache", "files")})] == 1
    assert found["diascope_cache_misses_total", frozenset({("cache", "chunks")})] >= 1
    assert found["diascope_open_datasets", frozenset({process})] == 1
    assert found["diascope_work_running", frozenset({("lane", "large"), process})] == 0
    assert found["diascope_resident_bytes", frozenset({process})] > 1 << 20
    assert found["diascope_open_handles", frozenset({process})] > 3
    sums = [value for (name, _), value in found.items() if name == "diascope_request_seconds_sum"]
    assert 0 < sum(sums) < 60


def test_buckets_are_cumulative_and_end_with_all(served: LiveServer) -> None:
    for _ in range(5):
        httpx.get(f"{served.url}/data/{TILE}")
    buckets = [
        (float(dict(labels)["le"]), value)
        for (name, labels), value in numbers(httpx.get(f"{served.url}/metrics").text).items()
        if name == "diascope_request_seconds_bucket" and ("door", "data") in labels
    ]
    counts = [value for _, value in sorted(buckets)]
    assert counts == sorted(counts)
    assert max(buckets) == (float("inf"), 5)


def test_metrics_are_for_this_host_unless_set_otherwise(box: Path) -> None:
    with_proxy = {"x-forwarded-for": "203.0.113.7"}
    for setting, direct, forwarded in (("host", 200, 403), ("everybody", 200, 200), ("nobody", 403, 403)):
        server = of_folder(box, metrics_for=setting)
        try:
            assert httpx.get(f"{server.url}/metrics").status_code == direct
            assert httpx.get(f"{server.url}/metrics", headers=with_proxy).status_code == forwarded
        finally:
            server.stop()


@pytest.mark.parametrize(
    ("client", "server", "expected"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("::1", "::1", True),
        ("::ffff:127.0.0.1", "::", True),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.4", "10.1.2.3", False),
        ("not an address", "10.1.2.3", False),
    ],
)
def test_who_is_of_this_host(client: str, server: str, expected: bool) -> None:
    scope: Scope = {"type": "http", "client": (client, 1), "server": (server, 2), "headers": []}
    assert is_of_this_host(scope) is expected
    assert not is_of_this_host({**scope, "headers": [(b"forwarded", b"for=1.2.3.4")]})
    assert not is_of_this_host({**scope, "client": None})


def test_a_server_lives_and_is_ready_until_a_repository_is_gone(served: LiveServer, box: Path) -> None:
    assert httpx.get(f"{served.url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{served.url}/readyz").json() == {"status": "ready", "reasons": []}
    box.rename(box.with_name("away"))
    answers = [httpx.get(f"{served.url}/readyz")]
    while answers[-1].status_code == 200 and len(answers) < 1000:  # what was seen holds for a second
        answers.append(httpx.get(f"{served.url}/readyz"))
    assert answers[-1].status_code == 503
    assert "box" in answers[-1].json()["reasons"][0]
    assert httpx.get(f"{served.url}/healthz").status_code == 200
    assert httpx.head(f"{served.url}/healthz").content == b""
    assert httpx.post(f"{served.url}/healthz").status_code == 405
    assert httpx.get(f"{served.url}/metricsandmore").status_code == 404


@pytest.mark.parametrize("given", ["trace-1.2_3", "A" * 64])
def test_a_sane_request_id_is_echoed(served: LiveServer, given: str) -> None:
    for path in ("data/nowhere", "s3/box/nothing", "dav/nowhere", "api/image/nowhere"):
        answer = httpx.get(f"{served.url}/{path}", headers={"x-request-id": given})
        assert answer.headers["x-request-id"] == given
        assert given in answer.text, path


@pytest.mark.parametrize("given", ["", "A" * 65, "a b", "<script>", "a,b", "\u00e9"])
def test_any_other_request_id_is_replaced(served: LiveServer, given: str) -> None:
    ids = set()
    for path in ("data/nowhere", "api/image/nowhere"):
        answer = httpx.get(f"{served.url}/{path}", headers=[(b"x-request-id", given.encode())])
        made = answer.headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]+", made)
        assert answer.json()["request"] == made
        ids.add(made)
    assert len(ids) == 2


def test_processes_tell_one_another_their_counts(tmp_path: Path) -> None:
    first, second = (Observer(folder=Folder(tmp_path)) for _ in range(2))

    async def note() -> None:
        first.note("data", "tiff", "dzi", 200, 0.01)
        second.note("data", "tiff", "dzi", 200, 0.02)
        second.note("data", "", "", 404, 0.03)

    finished(note())
    second.write()
    assert [told.process for told in first.tellings()] != []

    text, media_type = exposed(first.tellings(), "")
    assert "text/plain" in media_type
    assert answered(text.decode(), status="200") == 2
    assert answered(text.decode(), status="404") == 1
    threads = [key for key in numbers(text.decode()) if key[0] == "diascope_threads"]
    assert len(threads) == 2  # what each has is told apart


def test_what_a_dead_process_counted_stays_and_what_it_held_does_not(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait(10)
    dead = Observer(folder=Folder(tmp_path, f"{ended.pid}-dead"))

    async def note() -> None:
        dead.note("data", "", "", 200, 0.01)

    finished(note())
    dead.write()
    (tmp_path / "1-broken.json").write_text("{")
    (told,) = Folder(tmp_path).others()
    assert [sum(series[:-1]) for series in told.answers.values()] == [1]
    assert not any(name == "diascope_threads" for name, _ in told.samples)
