"""The web application: built files, served as they are."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; connect-src 'self' data: blob:; "
    "frame-ancestors 'self'; base-uri 'self'; form-action 'self'"
)
"""No page may load anything from another machine."""

VIEWER = "neuroglancer"
VIEWER_POLICY = POLICY.replace("'wasm-unsafe-eval'", "'unsafe-eval'")
"""Neuroglancer alone makes code of texts of its own: encoders of segmentations, readers of annotations."""

HEADERS = {"content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}

MISSING = "The web application is not built. In a checkout, `make web` builds it (Node 20 or later).\n"


class _Assets(StaticFiles):
    """Files whose names change with what is in them, and the viewer's, all under the policy."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        if path.removeprefix("assets/").startswith(VIEWER):
            response.headers["content-security-policy"] = VIEWER_POLICY
        if path.startswith("assets/"):
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def web_folder() -> Path:
    """Where the built files lie, whether they are there or not."""
    return Path(str(files("diascope.access"))) / "web"


def pages() -> Starlette:
    """Its own addresses give the page, the rest the files that it is made of."""
    folder = web_folder()

    async def page(_: Request) -> Response:
        index = folder / "index.html"
        if not index.is_file():
            return PlainTextResponse(MISSING, 503)
        return FileResponse(index, headers=HEADERS | {"cache-control": "no-cache"})

    async def missing(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return PlainTextResponse(f"{status}: there is nothing at {request.url.path}\n", status)

    routes = [
        Route("/", page),
        Route("/browse/{path:path}", page),
        Route("/image/{path:path}", page),
        Route("/search", page),
        Mount("/", _Assets(directory=folder, html=True, check_dir=False)),
    ]
    return Starlette(routes=routes, middleware=[Middleware(GZipMiddleware)], exception_handlers={404: missing})
