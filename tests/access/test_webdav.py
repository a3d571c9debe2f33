"""The tree through the WebDAV door, asked by plain requests."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest

from diascope.access import http
from diascope.access.admission import Admission, Limits
from diascope.access.http import Server
from diascope.access.webdav import WebDav
from diascope.access.webdav_propfind import MOST
from diascope.errors import BadRequest, Forbidden, Overloaded, TooLarge, Unreadable, Unsupported
from diascope.tree.cache import Identified, file_cache
from diascope.tree.file import Entry, File, in_memory, whole
from diascope.tree.table import Table
from tests.coroutines import finished
from tests.servers import LiveServer

BODY = bytes(range(256)) * 4
MANY = 30_000
HUGE = 10**13
TROUBLE = {
    "malformed": (BadRequest("no operation of this name"), 404),
    "large": (TooLarge("over the limit of 5"), 413),
    "forbidden": (Forbidden("out of the repository"), 403),
    "unsupported": (Unsupported("no"), 422),
    "unreadable": (Unreadable("x.tif: truncated"), 502),
    "overloaded": (Overloaded("busy"), 503),
    "crash": (ZeroDivisionError("secret"), 500),
}
ODD = ["a b+c&d<e>.txt", "percent%41", "quote\"'", "tab\there", "bell\a", "ä😀.txt", "question?hash#", "semi;colon:=,@"]
OF_FILES = [
    "creationdate", "displayname", "getcontentlength", "getcontenttype", "getetag", "getlastmodified", "resourcetype",
]  # fmt: skip
MICROSOFT = {"user-agent": "Microsoft-WebDAV-MiniRedir/10.0.19045", "translate": "f"}
FINDER = {"user-agent": "WebDAVFS/3.0.0 (03008000) Darwin/23.0.0 (arm64)"}


def fail(name: str) -> File | None:
    if name not in TROUBLE:
        return None
    raise TROUBLE[name][0]


def made(name: str) -> File:
    """A file of a size that only its bytes tell, or trouble when they are read."""
    return whole(lambda: b"ten of it." if fail(name) is None else b"", "text/plain")


def table() -> Table:
    tree = Table()
    tree.add("huge", lambda: File(media_type="x/y", size=HUGE, read=lambda start, stop: bytes((stop or HUGE) - start)))
    tree.add("files/a/whole", lambda: in_memory(BODY, "application/x-test"))
    tree.add("files/a/made", lambda: whole(lambda: BODY, "application/x-test"))
    tree.add("files/a/empty", lambda: in_memory(b"", "text/plain"))
    tree.add("files/service/", lambda: in_memory(b"{}", "application/json"))
    tree.add("files/service/info", lambda: in_memory(b"{}", "application/json"))
    tree.add("files/unlisted/{name}", lambda name: in_memory(name.encode(), "text/plain"))
    tree.add("many/{i}", lambda i: in_memory(b"x" * (i % 10), "text/plain"), i=lambda: range(MANY))
    tree.add("endless/{i}", lambda i: in_memory(b"", "text/plain"), i=lambda: range(10**12))
    tree.add("odd/{name}", lambda name: in_memory(name.encode(), "text/plain"), name=lambda: ODD)
    tree.add("trouble/{name}", fail)
    tree.add("trouble/listed/{name}", made, name=lambda: ["z", "unsupported", "unreadable", "a"])
    tree.add("trouble/read/{name}", made)
    return tree


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    door = WebDav(Identified(table(), "v1", file_cache(1 << 20)))
    running = LiveServer(Server(handlers={}, rest={"/": _nothing}, limits=Limits(threads=4), webdav=door.answer))
    yield running.url
    running.stop()


async def _nothing(_: Any, __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b"no page"})


Properties = dict[str, tuple[int, str | None]]
"""Status and text of each property; of a folder's type the text is ``collection``."""


def propfind(url: str, depth: str = "0", body: str = "", **headers: str) -> dict[str, Properties]:
    """The properties by path, as it stands in the answer."""
    told = httpx.request("PROPFIND", url, headers={"depth": depth, **headers}, content=body, timeout=60)
    assert told.status_code == 207, told.text
    assert told.headers["content-type"] == 'application/xml; charset="utf-8"'
    return parsed(told.content)


def parsed(xml: bytes) -> dict[str, Properties]:
    found: dict[str, Properties] = {}
    for response in ET.fromstring(xml):  # noqa: S314
        href = response.findtext("{DAV:}href")
        assert href is not None
        assert href not in found, f"{href} is there twice"
        found[href] = {}
        for propstat in response.findall("{DAV:}propstat"):
            status = int(propstat.findtext("{DAV:}status", "").split()[1])
            for each in propstat.findall("{DAV:}prop/*"):
                found[href][each.tag] = (status, "collection" if len(each) else each.text)
    return found


def asked(*names: str) -> str:
    inside = "".join(f"<D:{name}/>" for name in names)
    return f'<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:prop>{inside}</D:prop></D:propfind>'


def test_options_tell_what_is_there(url: str) -> None:
    for path in ("/", "/dav", "/dav/", "/dav/files/a/whole"):
        answer = httpx.options(url + path)
        assert answer.status_code == 200
        assert answer.headers["dav"] == "1"
        assert answer.headers["ms-author-via"] == "DAV"
        assert set(answer.headers["allow"].split(", ")) == {"OPTIONS", "GET", "HEAD", "PROPFIND"}


def test_a_browser_of_another_site_may_ask(url: str) -> None:
    asked = {"origin": "https://elsewhere", "access-control-request-method": "PROPFIND"}
    answer = httpx.options(f"{url}/dav/", headers=asked)
    assert answer.status_code == 204
    assert "PROPFIND" in answer.headers["access-control-allow-methods"]
    assert "depth" in answer.headers["access-control-allow-headers"]


@pytest.mark.parametrize("name", ["whole", "made", "empty"])
def test_a_file_has_the_same_properties_wherever_they_are_asked_for(url: str, name: str) -> None:
    path = f"/dav/files/a/{name}"
    properties = propfind(url + path)[path]
    assert {status for status, _ in properties.values()} == {200}
    told = {tag.removeprefix("{DAV:}"): text for tag, (_, text) in properties.items()}
    got = httpx.get(url + path)
    head = httpx.head(url + path)
    assert got.content == (b"" if name == "empty" else BODY)
    for answer in (got, head):
        assert told["getcontentlength"] == answer.headers["content-length"]
        assert told["getetag"] == answer.headers["etag"]
        assert told["getcontenttype"] == answer.headers["content-type"]
        assert told["getlastmodified"] == answer.headers["last-modified"]
    created = datetime.fromisoformat(str(told["creationdate"]))
    assert created == parsedate_to_datetime(str(told["getlastmodified"]))
    assert told["resourcetype"] is None
    assert told["displayname"] == name


def test_parts_and_conditions(url: str) -> None:
    path = f"{url}/dav/files/a/made"
    tag = httpx.head(path).headers["etag"]
    part = httpx.get(path, headers={"range": "bytes=10-19", "if-match": tag})
    assert (part.status_code, part.content) == (206, BODY[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(BODY)}"
    assert httpx.get(path, headers={"range": "bytes=5000-"}).status_code == 416
    assert httpx.get(path, headers={"if-none-match": tag}).status_code == 304
    assert httpx.get(path, headers={"if-match": '"other"'}).status_code == 412
    assert httpx.get(path, headers={"range": "bytes=0-1", "if-range": '"other"'}).content == BODY


def test_a_folder_lists_what_is_in_it(url: str) -> None:
    for path in ("/dav/files/", "/dav/files"):
        found = propfind(url + path, "1")
        assert list(found) == ["/dav/files/", *(f"/dav/files/{n}/" for n in ("a", "service", "unlisted"))]
        assert all(each["{DAV:}resourcetype"] == (200, "collection") for each in found.values())
        assert all("{DAV:}getcontentlength" not in each for each in found.values())
    assert list(propfind(f"{url}/dav/files", "0")) == ["/dav/files/"]
    assert list(propfind(f"{url}/dav/files/a", "1")) == [
        "/dav/files/a/",
        *(f"/dav/files/a/{n}" for n in ("whole", "made", "empty")),
    ]
    assert list(propfind(f"{url}/dav/files/a/whole", "1")) == ["/dav/files/a/whole"]


def test_what_is_not_listed_is_there_too(url: str) -> None:
    assert list(propfind(f"{url}/dav/files/unlisted/x")) == ["/dav/files/unlisted/x"]
    assert httpx.get(f"{url}/dav/files/unlisted/x").text == "x"


def test_above_is_a_folder_with_nothing_else(url: str) -> None:
    assert list(propfind(f"{url}/", "0")) == ["/"]
    assert list(propfind(f"{url}/", "1")) == ["/", "/dav/"]
    assert list(propfind(f"{url}/dav", "0")) == ["/dav/"]
    assert list(propfind(f"{url}/dav/", "1"))[:3] == ["/dav/", "/dav/huge", "/dav/files/"]
    assert httpx.get(f"{url}/").text == "no page"
    assert httpx.request("PROPFIND", f"{url}/data/", headers={"depth": "0"}).status_code == 404


def test_some_properties_are_asked_for(url: str) -> None:
    path = "/dav/files/a/made"
    odd = '<X:executable xmlns:X="http://apache.org/dav/props/"/><none xmlns="">x</none><q xmlns="a&quot;&lt;b"/>'
    body = asked("lockdiscovery", "getetag").replace("</D:prop>", f"{odd}</D:prop>")
    raw = httpx.request("PROPFIND", url + path, headers={"depth": "0"}, content=body)
    assert raw.text.index(" 200 ") < raw.text.index(" 404 "), "rclone takes the first status for that of the file"
    found = parsed(raw.content)[path]
    assert found.pop("{DAV:}getetag")[0] == 200
    assert found == {
        "{DAV:}lockdiscovery": (404, None),
        "{http://apache.org/dav/props/}executable": (404, None),
        "none": (404, None),
        '{a"<b}q': (404, None),
    }


def test_names_of_properties_are_asked_for(url: str) -> None:
    body = '<propfind xmlns="DAV:"><propname/></propfind>'
    found = propfind(f"{url}/dav/files/a/", "1", body)
    assert all(text in {None, "collection"} for each in found.values() for _, text in each.values())
    assert set(found["/dav/files/a/made"]) == {f"{{DAV:}}{name}" for name in OF_FILES}
    assert "{DAV:}getcontentlength" not in found["/dav/files/a/"]


def test_all_and_more_are_asked_for(url: str) -> None:
    body = '<propfind xmlns="DAV:"><allprop/><include><supportedlock/><getetag/></include></propfind>'
    found = propfind(f"{url}/dav/files/a/whole", "0", body)["/dav/files/a/whole"]
    assert found["{DAV:}supportedlock"] == (404, None)
    assert found["{DAV:}getetag"][0] == 200
    assert found["{DAV:}getcontentlength"] == (200, str(len(BODY)))


def test_nothing_goes_on_for_ever(url: str) -> None:
    for headers in ({}, {"depth": "infinity"}, {"depth": "Infinity"}):
        answer = httpx.request("PROPFIND", f"{url}/dav/files/", headers=headers)
        assert answer.status_code == 403
        error = ET.fromstring(answer.content)  # noqa: S314
        assert error.tag == "{DAV:}error"
        assert [each.tag for each in error] == ["{DAV:}propfind-finite-depth"]
    assert httpx.request("PROPFIND", f"{url}/dav/files/a/whole").status_code == 207
    assert httpx.request("PROPFIND", f"{url}/dav/files/", headers={"depth": "2"}).status_code == 400


BOMB = (
    '<!DOCTYPE propfind [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>'
    '<propfind xmlns="DAV:"><prop><displayname>&c;</displayname></prop></propfind>'
)
OUTSIDE = (
    '<!DOCTYPE propfind [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    '<propfind xmlns="DAV:"><prop><displayname>&x;</displayname></prop></propfind>'
)


@pytest.mark.parametrize(
    "body",
    [
        "<",
        "no xml",
        " ",
        "\0",
        BOMB,
        OUTSIDE,
        '<?xml version="1.0" encoding="unheard-of"?><propfind xmlns="DAV:"><allprop/></propfind>',
        '<propfind xmlns="DAV:"/>',
        '<propfind xmlns="DAV:"><prop/><allprop/></propfind>',
        '<propfind xmlns="DAV:"><allprop/><propname/></propfind>',
        '<other xmlns="DAV:"><allprop/></other>',
        "<propfind><allprop/></propfind>",
        '<D:propfind xmlns:D="DAV:"><D:prop><b:x xmlns:b=""/></D:prop></D:propfind>',
        asked(*(f"p{i}" for i in range(MOST + 1))),
        "<a>" * 10_000,
    ],
)  # fmt: skip
def test_a_body_that_is_malformed_or_hostile_is_refused(url: str, body: str) -> None:
    answer = httpx.request("PROPFIND", f"{url}/dav/files/", headers={"depth": "0"}, content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert "root:" not in answer.text


def test_deep_bodies_and_many_properties_are_read(url: str) -> None:
    deep = "<x>" * 9000 + "</x>" * 9000
    body = f'<propfind xmlns="DAV:"><allprop/>{deep}</propfind>'
    assert list(propfind(f"{url}/dav/files/", "0", body)) == ["/dav/files/"]


def test_a_body_that_comes_byte_by_byte_is_read_as_fast_as_it_comes() -> None:
    count = http.LARGEST

    async def receive() -> dict[str, Any]:
        nonlocal count
        count -= 1
        return {"type": "http.request", "body": b"x", "more_body": count > 0}

    start = monotonic()
    assert finished(http._body(receive)) == b"x" * http.LARGEST
    assert monotonic() - start < 5


def test_a_body_that_is_long_is_not_read(url: str) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield b" " * (64 << 10)

    answer = httpx.request("PROPFIND", f"{url}/dav/files/", headers={"depth": "0"}, content=b" " * (http.LARGEST + 1))
    assert answer.status_code == 413
    assert answer.headers["connection"] == "close"
    try:
        status = httpx.request("PROPFIND", f"{url}/dav/", headers={"depth": "0"}, content=endless()).status_code
    except (httpx.WriteError, httpx.RemoteProtocolError, httpx.ReadError):
        status = 413  # the connection was closed while the client was still writing
    assert status == 413


@pytest.mark.parametrize(
    "method", ["PUT", "POST", "DELETE", "MKCOL", "MOVE", "COPY", "PROPPATCH", "LOCK", "UNLOCK", "PATCH", "REPORT"]
)
def test_nothing_can_be_changed(url: str, method: str) -> None:
    for path in ("/dav/files/a/whole", "/dav/files/new", "/dav/", "/dav"):
        answer = httpx.request(method, url + path, content=b"x", headers={"destination": f"{url}/dav/files/b"})
        assert answer.status_code == 405
        assert answer.headers["allow"] == "OPTIONS, GET, HEAD, PROPFIND"
        assert "read-only" in answer.json()["detail"]
    assert httpx.get(f"{url}/dav/files/a/whole").content == BODY


def test_a_connection_is_kept_when_a_body_was_read(url: str) -> None:
    parts = urlsplit(url)
    request = (
        f"PROPFIND /dav/files/ HTTP/1.1\r\nHost: {parts.netloc}\r\nDepth: 0\r\nContent-Length: {len(asked('getetag'))}"
        f"\r\n\r\n{asked('getetag')}"
    )
    with socket.create_connection((parts.hostname, parts.port), 10) as connection:
        connection.settimeout(10)
        for _ in range(2):
            connection.sendall(request.encode())
            data = b""
            while b"</D:multistatus>" not in data:
                piece = connection.recv(65536)
                assert piece, data
                data += piece
            assert data.startswith(b"HTTP/1.1 207")
            assert b"connection: close" not in data


def test_who_waits_to_send_a_file_is_refused_before_it(url: str) -> None:
    parts = urlsplit(url)
    head = f"PUT /dav/files/a/whole HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 9000000000\r\n"
    with socket.create_connection((parts.hostname, parts.port), 10) as connection:
        connection.settimeout(10)
        connection.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        data = b""
        while piece := connection.recv(65536):
            data += piece
    assert data.startswith(b"HTTP/1.1 405")


def test_a_folder_of_many_files_is_sent_as_it_is_listed(url: str) -> None:
    headers = {"depth": "1"}
    with httpx.stream("PROPFIND", f"{url}/dav/many/", headers=headers, timeout=60) as answer:
        assert "content-length" not in answer.headers
        data = b"".join(answer.iter_bytes())
    found = parsed(data)
    assert len(found) == MANY + 1, "nothing is cut"
    assert all(found[f"/dav/many/{i}"]["{DAV:}getcontentlength"] == (200, str(i % 10)) for i in range(MANY))


def test_a_folder_without_end_begins_at_once_and_ends_with_its_reader(url: str) -> None:
    begun = monotonic()
    with httpx.stream("PROPFIND", f"{url}/dav/endless/", headers={"depth": "1"}, timeout=20) as answer:
        first = next(answer.iter_bytes())
    assert b"/dav/endless/0<" in first
    assert monotonic() - begun < 15
    assert list(propfind(f"{url}/dav/endless/", "0")) == ["/dav/endless/"]


class Breaking:
    """A folder of which only so many entries can be listed."""

    def __init__(self, entries: int) -> None:
        self._entries = entries

    def file(self, path: str) -> File | None:
        return in_memory(b"", "text/plain") if path else None

    def entries(self, _: str) -> Iterator[Entry]:
        yield from (Entry(str(i), is_folder=False) for i in range(self._entries))
        raise Unreadable("the disk is gone")


def test_a_listing_that_breaks_is_no_whole_one() -> None:
    for entries in (0, 20_000):
        running = LiveServer(Server(handlers={}, rest={}, webdav=WebDav(Breaking(entries)).answer))
        try:
            if entries:
                with pytest.raises(httpx.RemoteProtocolError):
                    propfind(f"{running.url}/dav/", "1")
            else:
                assert httpx.request("PROPFIND", f"{running.url}/dav/", headers={"depth": "1"}).status_code == 502
        finally:
            running.stop()


def test_clients_that_do_not_read_hold_nobody_up(url: str) -> None:
    """There are four threads; twelve listings without end and twelve large files wait for their readers."""
    parts = urlsplit(url)
    with ExitStack() as stack:
        for method, path in (("PROPFIND", "/dav/endless/"), ("GET", "/dav/huge")):
            for _ in range(12):
                connection = stack.enter_context(socket.create_connection((parts.hostname, parts.port), 10))
                connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nDepth: 1\r\n\r\n".encode())
                assert connection.recv(12).split()[1] in {b"207", b"200"}
        begun = monotonic()
        assert httpx.get(f"{url}/dav/files/a/whole", timeout=20).content == BODY
        assert list(propfind(f"{url}/dav/files/a/whole")) == ["/dav/files/a/whole"]
        assert monotonic() - begun < 20


def test_a_part_of_a_huge_file_is_made_alone(url: str) -> None:
    assert propfind(f"{url}/dav/huge")["/dav/huge"]["{DAV:}getcontentlength"] == (200, str(HUGE))
    part = httpx.get(f"{url}/dav/huge", headers={"range": f"bytes={HUGE - 3}-"})
    assert (part.status_code, part.content) == (206, b"\0\0\0")


def test_odd_names_come_as_they_are(url: str) -> None:
    found = propfind(f"{url}/dav/odd/", "1")
    assert {unquote(href).removeprefix("/dav/odd/") for href in found} == {"", *ODD}
    for name in ODD:
        href = next(href for href in found if unquote(href) == f"/dav/odd/{name}")
        assert httpx.get(url + href).content == name.encode()
        assert href.isascii()
        assert not set(href) & set("<>&\"' +%#?".replace("%", ""))
        shown = found[href]["{DAV:}displayname"][1]
        assert shown == name or "\a" in name
    assert list(propfind(f"{url}/dav/odd/{quote(ODD[0], safe='')}")) == [f"/dav/odd/{quote(ODD[0])}"]


HOSTILE = [
    "/dav/../etc/passwd", "/dav/files/..%2f..%2fetc", "/dav/%2e%2e/", "/dav/files//a/whole", "/dav//files",
    "/dav/files/a/whole/",
    "/dav/%00", "/dav/files/%ff%fe", "/dav/%2f", "/dav/files/a%2fwhole/", "/dav/files/\u202e", "/dav/" + "a/" * 3000,
    "/dav/files/service/", "/davx", "/dav/files/~", "/dav/*",
]  # fmt: skip


@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_paths_lead_nowhere(url: str, path: str) -> None:
    parts = urlsplit(url)
    for method in ("PROPFIND", "GET", "OPTIONS", "HEAD"):
        with socket.create_connection((parts.hostname, parts.port), 10) as connection:
            text = f"{method} {quote(path, safe='/%*~')} HTTP/1.1\r\nHost: x\r\nDepth: 1\r\nConnection: close\r\n\r\n"
            connection.sendall(text.encode())
            data = b""
            while piece := connection.recv(65536):
                data += piece
        status = int(data.split()[1])
        assert status < 500, (method, path, data[:300])
        assert b"root:" not in data
        if path not in {"/dav/files/service/", "/davx"} and method != "OPTIONS":
            assert status in {404, 400, 403}, (method, path, data[:300])


@pytest.mark.parametrize("name", list(TROUBLE))
def test_trouble_is_told_and_never_absence(url: str, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    error, status = TROUBLE[name]
    for method in ("GET", "PROPFIND", "OPTIONS"):
        answer = httpx.request(method, f"{url}/dav/trouble/{name}", headers={"depth": "0"})
        assert answer.status_code == status
        assert str(error) in answer.json()["detail"] or name == "crash"
        assert "secret" not in answer.text
        if name == "overloaded":
            assert answer.headers["retry-after"]
    assert httpx.head(f"{url}/dav/trouble/{name}").status_code == status


def test_a_file_that_cannot_be_made_hides_no_other(url: str) -> None:
    found = propfind(f"{url}/dav/trouble/listed/", "1")
    assert list(found) == [
        "/dav/trouble/listed/",
        *(f"/dav/trouble/listed/{n}" for n in ("z", "unsupported", "unreadable", "a")),
    ]
    for name, status in (("unsupported", 422), ("unreadable", 502)):
        told = found[f"/dav/trouble/listed/{name}"]
        assert told["{DAV:}getcontentlength"] == (status, None)
        assert told["{DAV:}resourcetype"] == (200, None)
        assert httpx.get(f"{url}/dav/trouble/listed/{name}").status_code == status
    assert found["/dav/trouble/listed/a"]["{DAV:}getcontentlength"] == (200, "10")


def test_what_is_wrong_when_bytes_are_made_is_no_absence(url: str) -> None:
    for method in ("GET", "HEAD"):
        assert httpx.request(method, f"{url}/dav/trouble/read/malformed").status_code == 400
    told = propfind(f"{url}/dav/trouble/read/malformed")["/dav/trouble/read/malformed"]
    assert told["{DAV:}getcontentlength"] == (400, None)


def test_a_size_is_not_made_where_nobody_asks_for_it(url: str) -> None:
    found = propfind(f"{url}/dav/trouble/listed/", "1", asked("resourcetype"))
    assert {status for each in found.values() for status, _ in each.values()} == {200}


def test_too_many_requests_are_told_to_come_back(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise Overloaded("too many are under way")

    monkeypatch.setattr(Admission, "ticket", full)
    monkeypatch.setattr("diascope.access.exchange._at_once", lambda *_: None)
    for method in ("GET", "PROPFIND"):
        answer = httpx.request(method, f"{url}/dav/files/", headers={"depth": "0"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"]


def test_conditions_of_webdav(url: str) -> None:
    path = "/dav/files/a/whole"
    tag = httpx.head(url + path).headers["etag"]
    assert list(propfind(url + path, **{"if": f"([{tag}])"})) == [path]
    for method in ("PROPFIND", "GET", "HEAD"):
        for header, status in (
            (f"([{tag}])", 200),
            ('(["other"])', 412),
            (f'(["other"]) (Not ["other"] [{tag}])', 200),
        ):
            answer = httpx.request(method, url + path, headers={"depth": "0", "if": header})
            assert answer.status_code == (207 if (method, status) == ("PROPFIND", 200) else status), (method, header)
    assert httpx.get(f"{url}/dav/none", headers={"if": f"([{tag}])"}).status_code == 404
    both = {"if": f"([{tag}])", "if-none-match": tag}
    assert httpx.get(url + path, headers=both).status_code == 304


@pytest.mark.parametrize("header", ["(" * 30_000, "<" * 30_000, "(<" * 15_000, "(" * 1000, '([")', "()", "(Not)", "<>"])
def test_conditions_that_are_hostile_cost_nothing(url: str, header: str) -> None:
    for method in ("GET", "PROPFIND"):
        begun = monotonic()
        answer = httpx.request(method, f"{url}/dav/files/a/whole", headers={"depth": "0", "if": header}, timeout=60)
        assert answer.status_code in ({400} if len(header) > 1000 else {200, 207, 400, 412})
        assert monotonic() - begun < 3


def test_a_browser_sees_links(url: str) -> None:
    page = httpx.get(f"{url}/dav/odd")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "a b+c&amp;d&lt;e&gt;.txt" in page.text
    assert '"/dav/odd/a%20b%2Bc%26d%3Ce%3E.txt"' in page.text
    assert "<e>" not in page.text
    assert '<a href="../">' in page.text
    assert "Only the first 1000" in httpx.get(f"{url}/dav/endless/").text
    assert httpx.head(f"{url}/dav/odd/").headers["content-length"] == str(len(page.content))
    assert httpx.get(f"{url}/dav/nothing/").status_code == 404


def test_windows_finds_its_way(url: str) -> None:
    """What the WebClient service of Windows asks before and after a drive is connected."""
    with httpx.Client(base_url=url, headers=MICROSOFT) as windows:
        for path in ("/", "/dav"):
            told = windows.options(path)
            assert told.status_code == 200
            assert told.headers["ms-author-via"] == "DAV"
            assert "1" in told.headers["dav"]
            assert "PROPFIND" in told.headers["allow"]
        for path, depth in (("/", "0"), ("/dav", "0"), ("/dav", "1"), ("/dav/files", "0"), ("/dav/files", "1")):
            empty = {"depth": depth, "content-length": "0"}
            answer = windows.request("PROPFIND", path, headers=empty)
            assert answer.status_code == 207
            assert answer.headers["content-length"] == str(len(answer.content))
            top = next(iter(parsed(answer.content).values()))
            assert top["{DAV:}resourcetype"] == (200, "collection")
            assert parsedate_to_datetime(str(top["{DAV:}getlastmodified"][1]))
        for name in ("desktop.ini", "Thumbs.db", "folder.jpg", "AutoRun.inf", "files/a/whole:Zone.Identifier"):
            assert windows.request("PROPFIND", f"/dav/{name}", headers={"depth": "0"}).status_code == 404
        assert windows.get("/dav/files/a/whole").content == BODY
        assert windows.request("LOCK", "/dav/files/a/whole").status_code == 405


FINDER_ASKS = (
    '<?xml version="1.0" encoding="utf-8"?>\n<D:propfind xmlns:D="DAV:">\n<D:prop>\n<D:getlastmodified/>\n'
    "<D:getcontentlength/>\n<D:creationdate/>\n<D:resourcetype/>\n</D:prop>\n</D:propfind>\n"
)
FINDER_QUOTA = asked("quota-available-bytes", "quota-used-bytes", "quota", "quotaused")


def test_finder_finds_its_way(url: str) -> None:
    """What webdavfs of macOS asks when it mounts, lists and reads."""
    with httpx.Client(base_url=url, headers=FINDER) as finder:
        told = finder.options("/dav/", headers={"accept": "*/*", "content-length": "0"})
        assert told.headers["dav"] == "1", "the volume is mounted read-only where locks are not offered"
        for path, depth, body in (
            ("/dav/", "0", FINDER_ASKS),
            ("/dav/", "0", FINDER_QUOTA),
            ("/dav/files/", "1", FINDER_ASKS),
        ):
            headers = {"depth": depth, "content-type": "text/xml"}
            answer = finder.request("PROPFIND", path, headers=headers, content=body)
            assert answer.status_code == 207
        for name in (".DS_Store", "._.", "._files", ".hidden", ".Spotlight-V100", ".metadata_never_index", "Contents"):
            answer = finder.request("PROPFIND", f"/dav/{name}", headers={"depth": "0"}, content=FINDER_ASKS)
            assert answer.status_code == 404
        assert finder.get("/dav/files/a/whole", headers={"range": "bytes=4-7"}).content == BODY[4:8]
