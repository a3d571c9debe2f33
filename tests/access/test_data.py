"""The tree over HTTP, asked by real clients through a real socket."""

from __future__ import annotations

import email
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from diascope.errors import BadRequest, Forbidden, Overloaded, TooLarge, Unreadable, Unsupported
from diascope.tree.cache import Identified, file_cache
from diascope.tree.file import File, in_memory, whole
from diascope.tree.table import Table
from tests.servers import of_tree

BODY = bytes(range(256)) * 4
HUGE = 10**15
TROUBLE = {
    "bad": (BadRequest("bad"), 400),
    "forbidden": (Forbidden("forbidden"), 403),
    "large": (TooLarge("over the limit of 5"), 413),
    "unsupported": (Unsupported("no"), 422),
    "unreadable": (Unreadable("x.tif: truncated"), 502),
    "overloaded": (Overloaded("busy"), 503),
}


def huge() -> File:
    def read(start: int, stop: int | None) -> bytes:
        end = HUGE if stop is None else min(stop, HUGE)
        assert end - start <= 8 << 20, "a huge file is never read at once"
        return bytes(i % 251 for i in range(start, end)) if end - start < 100 else bytes(end - start)

    return File(media_type="application/octet-stream", size=HUGE, read=read)


def fail(name: str) -> File | None:
    if name == "crash":
        return whole(lambda: 1 // 0, "text/plain")  # type: ignore[arg-type, return-value]
    if name not in TROUBLE:
        return None
    raise TROUBLE[name][0]


def table() -> Table:
    tree = Table()
    tree.add("a/whole", lambda: in_memory(BODY, "application/x-test"))
    tree.add("a/made", lambda: whole(lambda: BODY, "application/x-test"))
    tree.add("a/huge", huge)
    tree.add("trouble/{name}", fail)
    tree.add("many/{i}", lambda i: in_memory(str(i).encode(), "text/plain"), i=lambda: range(2500))
    tree.add("service/", lambda: File(media_type="text/plain", size=0, read=lambda *_: b"", moved="info.json"))
    tree.add("service/info.json", lambda: in_memory(b"{}", "application/json"))
    return tree


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    server = of_tree(Identified(table(), "v1", file_cache(1 << 20)))
    with httpx.Client(base_url=f"{server.url}/data/") as client:
        yield client
    server.stop()


@pytest.mark.parametrize("name", ["whole", "made"])
def test_a_file_is_served_whole_and_in_parts(client: httpx.Client, name: str) -> None:
    whole = client.get(f"a/{name}")
    assert whole.status_code == 200
    assert whole.content == BODY
    assert whole.headers["content-type"] == "application/x-test"
    assert whole.headers["accept-ranges"] == "bytes"
    part = client.get(f"a/{name}", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, BODY[10:20])
    assert part.headers["content-range"] == "bytes 10-19/1024"
    assert part.headers["content-length"] == "10"
    assert client.get(f"a/{name}", headers={"range": "bytes=-5"}).content == BODY[-5:]
    assert client.get(f"a/{name}", headers={"range": "nonsense"}).status_code == 200


def test_several_parts_come_as_multipart(client: httpx.Client) -> None:
    answer = client.get("a/whole", headers={"range": "bytes=0-3,1000-,-2"})
    assert answer.status_code == 206
    message = email.message_from_bytes(
        b"content-type: " + answer.headers["content-type"].encode() + b"\r\n\r\n" + answer.content
    )
    found = [(part["content-range"], part.get_payload(decode=True)) for part in message.walk() if part is not message]
    assert found == [
        ("bytes 0-3/1024", BODY[:4]),
        ("bytes 1000-1023/1024", BODY[1000:]),
        ("bytes 1022-1023/1024", BODY[-2:]),
    ]
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_a_range_behind_the_end_is_416_with_the_size(client: httpx.Client) -> None:
    answer = client.get("a/whole", headers={"range": "bytes=5000-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */1024"


def test_etags_make_304_and_govern_ranges(client: httpx.Client) -> None:
    tag = client.get("a/made").headers["etag"]
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = client.get("a/made", headers={"if-none-match": header})
        assert (answer.status_code, answer.content) == (304, b"")
    assert client.get("a/made", headers={"if-none-match": '"other"'}).status_code == 200
    assert client.get("a/made", headers={"if-match": '"other"'}).status_code == 412
    assert client.get("a/made", headers={"range": "bytes=0-1", "if-range": tag}).status_code == 206
    assert client.get("a/made", headers={"range": "bytes=0-1", "if-range": '"old"'}).status_code == 200


@pytest.mark.parametrize("name", ["whole", "made"])
def test_head_tells_what_get_would_without_a_body(client: httpx.Client, name: str) -> None:
    answer, got = client.head(f"a/{name}"), client.get(f"a/{name}")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "1024")
    own = {"date": None, "x-request-id": None}
    assert {**answer.headers, **own} == {**got.headers, **own}
    assert client.head(f"a/{name}", headers={"range": "bytes=0-9"}).headers["content-length"] == "1024"


def test_head_makes_no_more_than_it_must(client: httpx.Client) -> None:
    assert client.head("a/huge").headers["content-length"] == str(HUGE)
    assert client.head("nothing").status_code == 404
    assert client.head("trouble/crash").status_code == 500
    # Whoever has it already, or another one, is told so by its tag alone.
    assert client.head("trouble/crash", headers={"if-none-match": "*"}).status_code == 304
    assert client.head("trouble/crash", headers={"if-match": '"other"'}).status_code == 412


def test_a_huge_file_is_streamed_and_its_ranges_are_made_alone(client: httpx.Client) -> None:
    start = HUGE - 20
    answer = client.get("a/huge", headers={"range": f"bytes={start}-{start + 9}"})
    assert answer.content == bytes(i % 251 for i in range(start, start + 10))
    with client.stream("GET", "a/huge") as stream:
        assert stream.headers["content-length"] == str(HUGE)
        assert len(next(stream.iter_bytes(1000))) == 1000


@pytest.mark.parametrize("name", TROUBLE)
def test_trouble_has_its_own_status_and_one_shape(client: httpx.Client, name: str) -> None:
    answer = client.get(f"trouble/{name}")
    assert answer.status_code == TROUBLE[name][1]
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"type", "title", "status", "detail", "instance", "request"}
    assert told["detail"] == str(TROUBLE[name][0])
    assert told["status"] == answer.status_code
    assert answer.headers["access-control-allow-origin"] == "*"
    assert ("retry-after" in answer.headers) == (name == "overloaded")


def test_a_crash_is_500_in_the_same_shape_and_never_404(client: httpx.Client) -> None:
    answer = client.get("trouble/crash")
    assert answer.status_code == 500
    assert answer.json()["status"] == 500
    assert "Traceback" not in answer.text


def test_what_is_not_there_is_404(client: httpx.Client) -> None:
    answer = client.get("a/nothing")
    assert answer.status_code == 404
    assert answer.json()["title"] == "There is no such path"


def test_folders_list_as_json_page_by_page(client: httpx.Client) -> None:
    first = client.get("many/").json()
    assert [e["name"] for e in first["entries"]] == [str(i) for i in range(1000)]
    assert client.get(first["entries"][7]["url"].removeprefix("/data/")).text == "7"
    second = client.get(first["next"].removeprefix("/data/")).json()
    third = client.get(second["next"].removeprefix("/data/")).json()
    assert len(third["entries"]) == 500
    assert third["next"] is None
    assert client.get("").json()["entries"][0] == {"name": "a", "type": "folder", "url": "/data/a/"}


@pytest.mark.parametrize(
    ("offset", "status"), [("x", 400), ("-1", 400), ("100001", 413), ("1000000000000", 413), ("9" * 30, 400)]
)
def test_offsets_are_bounded(client: httpx.Client, offset: str, status: int) -> None:
    assert client.get(f"many/?offset={offset}").status_code == status


@pytest.mark.parametrize("path", ["service", "service/"])
def test_a_folder_with_a_file_that_answers_for_it_redirects(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/data/service/info.json"


def test_a_client_that_goes_away_stops_the_work() -> None:
    from time import sleep

    blocks: list[int] = []

    def read(start: int, stop: int | None) -> bytes:
        blocks.append(start)
        return bytes((stop or HUGE) - start)

    table = Table()
    table.add("huge", lambda: File(media_type="text/plain", size=HUGE, read=read))
    server = of_tree(table)
    with httpx.stream("GET", f"{server.url}/data/huge") as stream:
        next(stream.iter_bytes(1000))
    sleep(1)
    made = len(blocks)
    sleep(1)
    server.stop()
    assert len(blocks) == made
    assert made < 100


def test_preflight_allows_ranges_from_everywhere(client: httpx.Client) -> None:
    answer = client.options("a/whole", headers={"origin": "http://viewer", "access-control-request-headers": "range"})
    assert answer.status_code == 204
    assert "range" in answer.headers["access-control-allow-headers"]
    assert "content-range" in client.get("a/whole").headers["access-control-expose-headers"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PROPFIND"])
def test_nothing_can_be_changed(client: httpx.Client, method: str) -> None:
    answer = client.request(method, "a/whole")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


def test_the_whole_server_refuses_paths_that_climb(server: Callable[[Path], str], tmp_path: Path) -> None:
    """Raw bytes on a raw socket, since clients tidy up addresses."""
    import socket
    from urllib.parse import urlsplit

    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.txt").write_bytes(b"top secret")
    (root / "public.txt").write_bytes(b"public")
    (root / ".hidden.txt").write_bytes(b"top secret")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    url = urlsplit(server(root))
    attacks = [
        "../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "%2e%2e%2fsecret.txt", "..%5csecret.txt",
        "..%00/secret.txt", "public.txt/../../secret.txt", "//secret.txt", "./../secret.txt", ".hidden.txt",
        "%252e%252e/secret.txt", "link.txt", "....//secret.txt", "..;/secret.txt", "%c0%ae%c0%ae/secret.txt",
        "public.txt%00", "%2fetc/passwd", f"{tmp_path}/secret.txt", "root/../../secret.txt", "..\\secret.txt",
        "public.txt/stored/../../secret.txt",
    ]  # fmt: skip
    for attack in attacks:
        with socket.create_connection((url.hostname or "", url.port or 0), timeout=10) as connection:
            connection.sendall(f"GET /data/root/{attack} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        status = int(answer.split(b" ", 2)[1])
        assert status in {400, 403, 404}, (attack, answer[:200])
        assert b"top secret" not in answer, attack
    assert httpx.get(f"{url.geturl()}/data/root/public.txt").content == b"public"
