"""Nothing in an address, a file or an answer makes this machine ask for what is not configured."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from typing import ClassVar
from urllib.parse import quote

import httpx
import numpy as np
import pytest
import tifffile
from pydantic import SecretStr

import diascope
from diascope.assembly import application
from diascope.errors import Forbidden, Unreadable
from diascope.settings import RepositorySettings, Settings
from diascope.stores import web
from diascope.stores.http import HttpStore
from tests.servers import LiveServer

SOURCES = Path(diascope.__file__).parent
PIXELS = np.arange(600, dtype=np.uint16).reshape(20, 30)
SECRET = np.full((20, 30), 54321, np.uint16)
TALKING = {"socket", "requests", "httpx", "urllib3", "aiohttp", "obstore", "fsspec", "ftplib", "http"}


class Spy(BaseHTTPRequestHandler):
    """A server that redirects as it is told, and one beside it that notes who asks."""

    protocol_version = "HTTP/1.1"
    to: ClassVar[dict[str, str]] = {}
    asked: ClassVar[list[tuple[int, str, str]]] = []

    def do_GET(self) -> None:
        _, port = self.connection.getsockname()
        self.asked.append((port, self.path, self.headers.get("authorization", "")))
        name = self.path.partition("?")[0].strip("/")
        location = self.to.get(name)
        self.send_response(302 if location else 200)
        if location:
            self.send_header("location", location)
        self.send_header("content-length", "6")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"secret")

    do_HEAD = do_GET  # noqa: N815 - the name that the library calls

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def servers() -> Iterator[tuple[str, str]]:
    """The one that is configured, and the one that must not be asked."""
    running = [ThreadingHTTPServer(("127.0.0.1", 0), Spy) for _ in range(2)]
    threads = [threading.Thread(target=each.serve_forever, args=(0.02,), daemon=True) for each in running]
    for thread in threads:
        thread.start()
    Spy.asked.clear()
    own, other = (f"http://127.0.0.1:{each.server_address[1]}" for each in running)
    yield own, other
    web.pool().clear()
    for each in running:
        each.shutdown()
        each.server_close()


def ports(asked: list[tuple[int, str, str]]) -> set[str]:
    return {f"http://127.0.0.1:{port}" for port, _, _ in asked}


@pytest.mark.parametrize(
    "location",
    [
        "{other}/metadata",
        "//127.0.0.1:1/x",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "http://127.0.0.1.:80/x",
        "http://own@169.254.169.254/",
        "gopher://127.0.0.1/x",
    ],
)
def test_a_redirect_to_another_server_is_not_followed(servers: tuple[str, str], location: str) -> None:
    own, other = servers
    Spy.to = {"file": location.format(other=other)}
    store = HttpStore(f"{own}/")
    for look in (
        store.stat,
        store.open,
        store.read,
        lambda path: store.opened(path, 10),
        lambda p: list(store.names(p)),
    ):
        with pytest.raises(Forbidden, match="another server"):
            look("file")
    assert ports(Spy.asked) == {own}


def test_a_redirect_that_is_configured_is_followed_without_credentials(servers: tuple[str, str]) -> None:
    own, other = servers
    Spy.to = {"file": f"{other}/there"}
    store = HttpStore(f"{own}/", frozenset({other.removeprefix("http://")}), SecretStr("Bearer hidden"))
    assert store.read("file") == b"secret"
    assert [(path, key) for _, path, key in Spy.asked] == [("/file", "Bearer hidden"), ("/there", "")]
    assert "hidden" not in repr(store)


def test_a_redirect_on_the_server_itself_is_followed_but_not_for_ever(servers: tuple[str, str]) -> None:
    own, _ = servers
    Spy.to = {"file": "/there", "round": f"{own}/round"}
    assert HttpStore(f"{own}/").read("file") == b"secret"
    with pytest.raises(Unreadable, match="more than 5 times"):
        HttpStore(f"{own}/").read("round")


@pytest.mark.parametrize("name", ["{other}/x.tif", "../secret.tif", "/{root}/secret.tif", "file:///{root}/secret.tif"])
@pytest.mark.parametrize("kind", ["recipe", "ome-tiff", "companion", "view", "stored"])
def test_names_in_files_and_addresses_lead_nowhere_else(
    kind: str, name: str, servers: tuple[str, str], tmp_path: Path
) -> None:
    _, other = servers
    tifffile.imwrite(tmp_path / "secret.tif", SECRET)
    folder = tmp_path / "lab"
    folder.mkdir()
    tifffile.imwrite(folder / "own.tif", PIXELS)
    path = hostile(kind, folder, name.format(other=other, root=tmp_path))
    settings = Settings(repositories={"lab": RepositorySettings(path=folder)}, refresh_seconds=0)
    (answer,) = answers(settings, f"/data/lab/{path}")
    assert answer.status_code != 500
    assert kind == "ome-tiff" or answer.status_code >= 400, "a file of one name has been renamed, and means itself"
    assert SECRET[0].tobytes() not in answer.content
    assert not Spy.asked


def answers(settings: Settings, *paths: str) -> list[httpx.Response]:
    server = LiveServer(application(settings))
    try:
        return [httpx.get(f"{server.url}{path}", timeout=60) for path in paths]
    finally:
        server.stop()


def hostile(kind: str, folder: Path, name: str) -> str:
    """The address of what would show the secret, in a file that leads to it or of itself."""
    if kind == "recipe":
        (folder / "made.recipe.yaml").write_text(f"recipe: time\nframes:\n- file: own.tif\n- file: {name!r}\n")
        return "made.recipe.yaml/original/made.recipe.nii"
    if kind == "view":
        return f"own.tif/colormap,lut={quote(name, safe='')}/own.png"
    if kind == "stored":
        return f"own.tif/stored/{quote(name, safe='')}"
    xml = dedent(f"""\
        <?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0">
        <Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="30" SizeY="20" SizeC="1" SizeZ="1" SizeT="1">
        <Channel ID="Channel:0:0"/><TiffData IFD="0" PlaneCount="1"><UUID FileName="{name}">urn:uuid:1</UUID></TiffData>
        </Pixels></Image></OME>""")
    if kind == "companion":
        (folder / "a.companion.ome").write_text(xml)
        return "a.companion.ome/original/a.nii"
    tifffile.imwrite(folder / "a.ome.tif", PIXELS, description=xml, metadata=None)
    return "a.ome.tif/original/a.nii"


@pytest.mark.parametrize("room", ["sources", "operations", "layouts", "image", "tree", "encodings"])
def test_only_stores_and_doors_can_talk_to_others(room: str) -> None:
    for path in (SOURCES / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            talking = [each for each in names if each.partition(".")[0] in TALKING or each == "urllib.request"]
            assert not talking, f"{path.relative_to(SOURCES)} imports {talking}"


def test_a_url_of_the_settings_holds_no_secret() -> None:
    for url in (
        "s3://AKIA:hidden@bucket/x",
        "https://user:hidden@host/x",
        "https://host/x?X-Amz-Signature=hidden",
        "az://c?sv=1&sig=hidden",
        "https://host/x#hidden",
        "abfs://hidden@account.dfs.core.windows.net/x",
        "ftp://hidden/x",
        "http://hidden@[x",
        "s3://bucket/../hidden",
    ):
        with pytest.raises(ValueError, match=r"URL|user") as caught:
            RepositorySettings(url=url)
        assert "hidden" not in str(caught.value)
        with pytest.raises(ValueError, match="url") as caught:
            Settings.model_validate({"repositories": {"a": {"url": url}}})
        assert "hidden" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "either a path or a url"),
        ({"path": "/x", "url": "s3://b"}, "either a path or a url"),
        ({"url": "s3://b", "credentials": {"password": "hidden"}}, "no such credentials: password"),
        ({"path": "/x", "credentials": {"token": "hidden"}}, "no such credentials: token"),
        ({"url": "s3://b", "endpoint": "s3://c"}, "an endpoint is the URL of a server"),
    ],
)
def test_settings_that_contradict_themselves_are_told(given: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        RepositorySettings.model_validate(given)
    assert "hidden" not in str(caught.value)


def test_secrets_are_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIASCOPE_REPOSITORIES__LAB__URL", "http://127.0.0.1:9/x")
    monkeypatch.setenv("DIASCOPE_REPOSITORIES__LAB__CREDENTIALS__TOKEN", "hidden")
    settings = Settings()
    assert settings.repositories["lab"].credentials["token"].get_secret_value() == "hidden"
    told = [each.text for each in answers(settings, "/api/repositories", "/data/lab/a.tif", "/api/image/lab/a.tif")]
    assert "hidden" not in "".join([repr(settings), str(settings.model_dump()), settings.model_dump_json(), *told])
