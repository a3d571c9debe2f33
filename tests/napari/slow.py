"""A server that thinks for a while before each answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep

ANSWERS = {
    "/api/repositories": {"repositories": [{"name": "slow"}]},
    "/api/list/slow": {"entries": [], "next": None},
}


@contextmanager
def slow_server(seconds: float) -> Iterator[str]:
    """Its URL: of one repository with nothing in it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sleep(seconds)
            body = json.dumps(ANSWERS[self.path.partition("?")[0]]).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
