"""``/metrics``, ``/healthz`` and ``/readyz``: what supervisors ask of a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from time import monotonic
from typing import Any, Literal

from starlette.types import Receive, Scope, Send

from diascope.access.observability.metrics import exposed
from diascope.access.observability.observer import Observer
from diascope.access.problem import MEDIA_TYPE, problem

FRESH = 1.0
"""Seconds for which it is remembered whether the server is ready: whoever asks often costs no more."""

PATIENCE = 5.0
"""Seconds that a repository may take to answer."""

FORWARDED = frozenset((b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via"))
"""Headers that say that somebody else asks through a program of this machine."""

Reasons = Callable[[], list[str]]
"""Why the server is not ready, nothing where it is; may wait."""


@dataclass(slots=True)
class Probes:
    """Answers them as an ASGI application."""

    observer: Observer
    reasons: Reasons
    metrics_for: Literal["host", "everybody", "nobody"] = "host"
    is_ending: bool = False
    _looking: asyncio.Task[list[str]] | None = None
    _looked: float = field(default=float("-inf"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        if scope["type"] != "http":
            return
        if scope["method"] not in {"GET", "HEAD"}:
            await _send(scope, send, 405, *_trouble(scope, 405, "The method is not allowed", "GET and HEAD are served"))
        elif scope["path"] == "/healthz":
            await _send(scope, send, 200, b'{"status": "ok"}', "application/json")
        elif scope["path"] == "/readyz":
            reasons = await self._reasons()
            body = json.dumps({"status": "not ready" if reasons else "ready", "reasons": reasons}, ensure_ascii=False)
            await _send(scope, send, 503 if reasons else 200, body.encode(errors="replace"), "application/json")
        elif scope["path"] == "/metrics":
            await self._metrics(scope, send)
        else:
            await _send(scope, send, 404, *_trouble(scope, 404, "There is no such path", "there is nothing here"))

    async def _metrics(self, scope: Scope, send: Send) -> None:
        if self.metrics_for == "nobody" or (self.metrics_for == "host" and not is_of_this_host(scope)):
            told = "metrics are for this host alone (the setting metrics_for)"
            await _send(scope, send, 403, *_trouble(scope, 403, "This is not for everybody", told))
            return
        accept = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"accept"), "")
        tellings = await asyncio.to_thread(self.observer.tellings)
        body, media_type = await asyncio.to_thread(exposed, tellings, accept)
        await _send(scope, send, 200, body, media_type)

    async def _reasons(self) -> list[str]:
        """Looked for once, however many ask."""
        if self._looking is None or (self._looking.done() and monotonic() - self._looked > FRESH):
            self._looking = asyncio.create_task(asyncio.to_thread(self.reasons))
            self._looking.add_done_callback(self._seen)
        try:
            return await asyncio.wait_for(asyncio.shield(self._looking), PATIENCE)
        except TimeoutError:
            return [f"repositories did not answer within {PATIENCE:g} s"]
        except Exception as error:  # noqa: BLE001
            return [f"{type(error).__name__}: the log of the server says more"]

    def _seen(self, _: Any) -> None:
        self._looked = monotonic()


def is_of_this_host(scope: Scope) -> bool:
    """Whether a program of this machine asks, and not for another one."""
    client, server = scope.get("client"), scope.get("server")
    if not client or any(name in FORWARDED for name, _ in scope["headers"]):
        return False
    try:
        address = ip_address(client[0].partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or (server is not None and client[0] == server[0])


def _trouble(scope: Scope, status: int, title: str, detail: str) -> tuple[bytes, str]:
    return problem(HTTPStatus(status), title, detail, scope["path"]), MEDIA_TYPE


async def _send(scope: Scope, send: Send, status: int, body: bytes, media_type: str) -> None:
    headers = {"content-type": media_type, "content-length": str(len(body)), "cache-control": "no-store"}
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
