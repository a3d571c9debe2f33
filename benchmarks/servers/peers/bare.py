"""The least that makes a server of a library: ASGI without a framework, one process, work done as it comes.

Whatever a framework or threads would cost more is not held against the library.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import uvicorn

Answer = Callable[[list[str]], bytes]
"""The body for the words of a path, which slashes part."""


def serve(make: Callable[[Path], Answer]) -> None:
    """``python peer.py FOLDER PORT``, until it is ended."""
    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    answer = make(folder)

    async def application(scope: dict[str, Any], _: Any, send: Any) -> None:
        body = answer(unquote(scope["path"]).strip("/").split("/"))
        headers = [(b"content-length", str(len(body)).encode()), (b"content-type", b"application/octet-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(
        application,  # type: ignore[arg-type]
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
