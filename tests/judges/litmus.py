"""litmus 0.13, the test suite of WebDAV servers, asking a folder that cannot be written.

It makes a folder ``/litmus/`` before everything else. A proxy grants it that, and nothing more: an existing folder is
shown in that place, and whatever else it asks goes to the server.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from urllib.parse import urlsplit

PATIENCE = 60
SUITES = ("basic", "copymove", "props", "locks", "http")
READ_ONLY = {
    "basic": {"begin", "options", "put_no_parent", "delete_null", "mkcol_no_parent"},
    "copymove": {"begin"},
    "props": {"begin", "propfind_invalid", "propfind_invalid2", "propfind_d0", "propextended", "propwformed"},
    "locks": {"begin", "options"},
    "http": {"begin", "expect100"},
}
"""What needs no file of its own, and so has to pass on a server that is only read; refusing is what some ask for."""
WRITING = {"basic": {"put_get", "mkcol"}, "copymove": {"copy_init", "move", "move_coll"}, "props": {"propinit"}}
"""Some of what must fail: everything it writes is refused."""
HOP = {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


def missing() -> str | None:
    """What this machine lacks."""
    return None if shutil.which("litmus") else "litmus is not installed: tests/judges/install.sh"


def verdicts(url: str) -> dict[str, dict[str, str]]:
    """``pass``, ``FAIL`` or ``SKIPPED`` by suite and test, on the folder at a URL."""
    with _proxy(url) as address, TemporaryDirectory(prefix="litmus-") as folder:
        return {suite: _ran(suite, address, folder) for suite in SUITES}


def _ran(suite: str, address: str, folder: str) -> dict[str, str]:
    done = subprocess.run(
        ["litmus", address], env={**os.environ, "TESTS": suite}, cwd=folder, capture_output=True, timeout=PATIENCE,
        check=False,
    )  # fmt: skip
    found: dict[str, str] = {}
    name = ""
    # It draws over lines that are under way, and puts the verdict of a test that warned on a line of its own.
    said = done.stdout.decode(errors="replace")
    for line in (line.rpartition("\r")[2] for line in said.splitlines()):
        if begun := re.match(r"\s*\d+\. (\w+)\.+", line):
            name = begun[1]
        if name and (told := re.search(r"\b(pass|FAIL|SKIPPED)\b", line)):
            found[name] = told[1]
            name = ""
    assert found, said + (Path(folder) / "debug.log").read_text(errors="replace")[-2000:]
    return found


@contextmanager
def _proxy(url: str) -> Iterator[str]:
    """A server that shows the folder at a URL as ``/litmus/``."""
    host, folder = urlsplit(url).netloc, urlsplit(url).path.rstrip("/") + "/"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def passed_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            if self.command in {"MKCOL", "DELETE"} and self.path.rstrip("/") == "/litmus":
                self._answer(201 if self.command == "MKCOL" else 404, {}, b"")
                return
            path = self.path
            path = folder + path.removeprefix("/litmus/") if path.startswith("/litmus/") else path
            headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP | {"expect"}}
            with closing(HTTPConnection(host, timeout=PATIENCE)) as connection:
                connection.request(self.command, path, body or None, headers)
                answer = connection.getresponse()
                data = answer.read().replace(folder.encode(), b"/litmus/")
                self._answer(answer.status, dict(answer.getheaders()), data)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    for method in (
        "OPTIONS", "GET", "HEAD", "PUT", "DELETE", "MKCOL", "MOVE", "COPY", "PROPFIND", "PROPPATCH", "LOCK", "UNLOCK",
    ):  # fmt: skip
        setattr(Handler, f"do_{method}", Handler.passed_on)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
