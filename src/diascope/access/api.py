"""The REST part below ``/api/``, described by OpenAPI at ``/api/docs``."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from diascope.access.answer import Answer, Asked, answered, failed
from diascope.access.problem import MEDIA_TYPE, problem
from diascope.catalogue.catalogue import Catalogue
from diascope.catalogue.cutout import Wanted, cutout
from diascope.catalogue.description import description
from diascope.catalogue.listing import listing
from diascope.catalogue.operations import operations
from diascope.catalogue.points import Points, mapped, points_of
from diascope.catalogue.search import search
from diascope.catalogue.statistics import statistics
from diascope.catalogue.thumbnail import thumbnail
from diascope.document import documents, schema
from diascope.errors import BadRequest, DiascopeError, NotFound, TooLarge
from diascope.tree.file import File, json_file

T = TypeVar("T")

Representations = Callable[[str, str, str], dict[str, Any]]
"""Of the image at a path, under a view, with absolute URLs that begin so."""

Arrangements = Callable[[], list[dict[str, Any]]]
"""What there is of each arrangement."""

View = Annotated[str, Query(description="Operations in order, such as `render` or `project,axis=z`.", max_length=4000)]
AxisRange = Annotated[str | None, Query(description="`start..stop`; either end may be missing.", max_length=80)]

LARGEST = 8 << 20
"""Bytes of the body of a request."""

TROUBLE: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}
    for status, text in {
        400: "The request is malformed or out of bounds",
        403: "The path leads out of its repository",
        404: "There is no such path",
        413: "The answer would be over a limit",
        422: "The image cannot be expressed so",
        502: "The image cannot be read",
    }.items()
}


def api(
    catalogue: Catalogue, representations: Representations, version: str, arrangements: Arrangements = list
) -> FastAPI:
    """The application, to be mounted where its paths begin with ``/api``."""
    app = FastAPI(
        title="Diascope",
        version=version,
        description="Repositories, images, and everything about them that is no file of a representation.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        responses=TROUBLE,
    )

    @app.get("/api/docs", include_in_schema=False)
    def _docs() -> Response:
        return RedirectResponse("/reference/")

    _add_errors(app)
    _add_lookups(app, catalogue, arrangements)
    _add_images(app, catalogue, representations)
    _add_points(app, catalogue)
    _add_files(app, catalogue)
    _add_schemas(app)
    return app


def _add_lookups(app: FastAPI, catalogue: Catalogue, arrangements: Arrangements) -> None:
    @app.get("/api/repositories", tags=["Repositories"], summary="All repositories")
    def _repositories() -> dict[str, Any]:
        return {"repositories": [{"name": name} for name in catalogue.repositories]}

    @app.get("/api/arrangements", tags=["Repositories"], summary="All arrangements, and what is wrong with each")
    def _arrangements() -> dict[str, Any]:
        return {"arrangements": arrangements()}

    @app.get("/api/operations", tags=["Repositories"], summary="What may be done to an image before it is shown")
    def _operations() -> dict[str, Any]:
        return operations()

    @app.get("/api/list/{path:path}", tags=["Repositories"], summary="What lies in a folder")
    def _list(path: str, limit: Annotated[int, Query(ge=1, le=1000)] = 100, after: str = "") -> dict[str, Any]:
        return listing(catalogue, path.strip("/"), limit, after)

    @app.get("/api/search", tags=["Repositories"], summary="Folders and images by name")
    def _search(
        q: Annotated[str, Query(max_length=200)],
        repository: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> dict[str, Any]:
        return search(catalogue, q, repository, limit)


def _add_images(app: FastAPI, catalogue: Catalogue, representations: Representations) -> None:
    @app.get("/api/image/{path:path}", tags=["Images"], summary="What an image is")
    def _image(path: str) -> dict[str, Any]:
        return description(catalogue, path.strip("/"))

    @app.get("/api/representations/{path:path}", tags=["Images"], summary="Where an image is served, in every format")
    def _representations(request: Request, path: str, view: View = "original") -> dict[str, Any]:
        return representations(path.strip("/"), view, f"{request.url.scheme}://{request.url.netloc}")

    @app.get("/api/statistics/{path:path}", tags=["Pixels"], summary="Statistics and histogram of each channel")
    async def _statistics(request: Request, path: str, view: View = "original") -> dict[str, Any]:
        return await _worked(request, lambda: statistics(catalogue, path.strip("/"), view))


def _add_points(app: FastAPI, catalogue: Catalogue) -> None:
    wanted = {"required": True, "content": {"application/json": {"schema": Points.model_json_schema()}}}

    @app.post(
        "/api/map/{path:path}",
        tags=["Images"],
        summary="Points in the view, the stored image and the world",
        openapi_extra={"requestBody": wanted},
    )
    def _map(path: str, body: Annotated[bytes, Depends(_body)], view: View = "original") -> dict[str, Any]:
        return mapped(catalogue, path.strip("/"), view, points_of(body))


async def _worked(request: Request, action: Callable[[], T]) -> T:
    """The result of an action that reads pixels, which waits for its turn with those of all doors."""
    ticket = request.scope.get("diascope.ticket")
    if ticket is None:
        return await run_in_threadpool(action)
    result: T = await ticket.run(action, request.receive)
    return result


async def _body(request: Request) -> bytes:
    """The body of a request; raises TooLarge before more of it is read."""
    parts = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST:
            raise TooLarge(f"the body has more than {LARGEST} bytes; ask for fewer points at a time")
        parts.append(part)
    return b"".join(parts)


def _add_files(app: FastAPI, catalogue: Catalogue) -> None:
    @app.get("/api/thumbnail/{path:path}", tags=["Pixels"], summary="A small picture", response_class=Response)
    async def _thumbnail(request: Request, path: str, size: int = 256) -> Response:
        return await _worked(request, lambda: _response(thumbnail(catalogue, path.strip("/"), size), request))

    @app.get("/api/cutout/{path:path}", tags=["Pixels"], summary="A region as raw pixels", response_class=Response)
    async def _cutout(  # noqa: PLR0913, PLR0917
        request: Request,
        path: str,
        view: View = "original",
        level: int = 0,
        spacing: Annotated[str | None, Query(description="Such as `2 um`.", max_length=40)] = None,
        format: Literal["npy", "tiff", "nii"] = "npy",
        t: AxisRange = None,
        c: AxisRange = None,
        z: AxisRange = None,
        y: AxisRange = None,
        x: AxisRange = None,
    ) -> Response:
        given = {"t": t, "c": c, "z": z, "y": y, "x": x}
        ranges = {axis: text for axis, text in given.items() if text is not None}
        wanted = Wanted(ranges=ranges, level=level, spacing=spacing, format=format)
        return await _worked(request, lambda: _response(cutout(catalogue, path.strip("/"), view, wanted), request))


def _add_schemas(app: FastAPI) -> None:
    @app.get("/api/schemas", tags=["Documents"], summary="The documents that people write")
    def _schemas() -> dict[str, Any]:
        return {"schemas": [{"name": name, "url": f"/api/schemas/{name}"} for name in documents()]}

    @app.get("/api/schemas/{name}", tags=["Documents"], summary="The JSON Schema of one", response_class=Response)
    def _schema(request: Request, name: str) -> Response:
        if name not in documents():
            raise NotFound(f"there is no schema {name!r}; there are: {', '.join(documents()) or 'none'}")
        return _response(json_file(schema(documents()[name]), "application/schema+json"), request)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(DiascopeError)
    def _diascope_error(request: Request, error: DiascopeError) -> Response:
        return _sent(failed(error, _asked(request)))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> Response:
        told = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in error.errors())
        return _sent(failed(BadRequest(told), _asked(request)))

    @app.exception_handler(HTTPException)
    def _http_error(request: Request, error: HTTPException) -> Response:
        asked = _asked(request)
        body = problem(HTTPStatus(error.status_code), str(error.detail), str(error.detail), asked.url, asked.id)
        return Response(body, error.status_code, media_type=MEDIA_TYPE, headers=error.headers)


def _asked(request: Request) -> Asked:
    url = str(request.url.replace(query=""))
    return Asked(request.method, url, dict(request.headers), id=request.scope.get("diascope.request", ""))


def _response(file: File, request: Request) -> Response:
    return _sent(answered(file, _asked(request)))


def _sent(answer: Answer) -> Response:
    headers = {name: value for name, value in answer.headers.items() if name != "content-length"}
    if isinstance(answer.body, bytes):
        return Response(answer.body, answer.status.value, headers)
    return StreamingResponse(
        answer.body, answer.status.value, headers | {"content-length": answer.headers["content-length"]}
    )
