"""Live servers on free ports of this machine, for tests that talk over HTTP."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from diascope.access.admission import Limits
from diascope.access.at_once import connection_class
from diascope.access.data import Data
from diascope.access.http import Server
from diascope.access.pages import pages
from diascope.access.s3 import S3
from diascope.access.webdav import WebDav
from diascope.assembly import application
from diascope.settings import RepositorySettings, Settings
from diascope.tree.file import Tree


class LiveServer:
    """A server in a thread of its own; ``url`` has no slash at its end."""

    def __init__(self, app: ASGIApp, *, is_quick: bool = True) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        http: Any = "auto"
        if isinstance(app, Server):
            http = connection_class(app.connections, app.ready if is_quick else None)
        config = uvicorn.Config(
            app, http=http, log_level="error", access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), daemon=True)
        self._thread.start()
        end = monotonic() + 30
        while not self._server.started and monotonic() < end:
            sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()


def of_folder(folder: Path, **settings: object) -> LiveServer:
    """The whole of Diascope on one repository that has the folder's name."""
    repositories = {folder.name: RepositorySettings(path=folder)}
    return LiveServer(application(Settings.model_validate({"repositories": repositories, **settings})))


def of_tree(tree: Tree, limits: Limits | None = None) -> LiveServer:
    """Any tree below ``/data/``, ``/s3/`` and ``/dav/``, and the web application."""
    limits = limits or Limits(threads=4)
    handlers = {"/data/": Data(tree, lambda path: path).answer, "/s3/": S3(tree).answer}
    return LiveServer(Server(handlers=handlers, rest={"/": pages()}, limits=limits, webdav=WebDav(tree).answer))
