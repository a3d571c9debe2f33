"""The whole server put together: catalogue, tree, and the doors to them."""

from __future__ import annotations

from functools import partial

from starlette.types import ASGIApp

from diascope import __version__
from diascope.access.admission import Limits
from diascope.access.api import api
from diascope.access.connections import Connections
from diascope.access.data import Data
from diascope.access.http import Server
from diascope.access.observability.observer import Observer
from diascope.access.observability.probes import Probes
from diascope.access.observability.shared import Folder
from diascope.access.pages import pages
from diascope.access.s3 import S3
from diascope.access.webdav import WebDav
from diascope.arrangements.representations import representations
from diascope.arrangements.root import root as whole
from diascope.catalogue.catalogue import Catalogue, catalogue
from diascope.catalogue.condition import condition, reasons
from diascope.settings import Settings


def application(settings: Settings) -> Server:
    """The ASGI application of these settings, without indices of the repositories."""
    return application_of(settings, catalogue(settings))


def application_of(settings: Settings, images: Catalogue) -> Server:
    """The same on a catalogue of these settings."""
    root = whole(settings, images)
    observer = Observer(
        log_requests=settings.log_requests,
        slow_seconds=settings.slow_seconds,
        condition=partial(condition, images),
        folder=Folder(settings.metrics_folder) if settings.metrics_folder else None,
    )
    probes = Probes(observer, partial(reasons, images), settings.metrics_for)
    rest: dict[str, ASGIApp] = {
        **dict.fromkeys(("/metrics", "/healthz", "/readyz"), probes),
        "/api": api(images, partial(representations, images), __version__, root.told),
        "/": pages(),
    }
    secrets = {key: secret.get_secret_value() for key, secret in settings.s3_keys.items()}
    s3 = S3(root, secrets, (settings.s3_domain or "").lower())
    handlers = {"/data/": Data(root, root.canonical, root.known).answer, "/s3/": s3.answer}
    hosts = {s3.domain: s3.hosted} if s3.domain else {}
    return Server(
        handlers=handlers,
        rest=rest,
        limits=limits(settings),
        hosts=hosts,
        webdav=WebDav(root).answer,
        observer=observer,
        connections=Connections(most=settings.connections, memory=settings.send_memory, seconds=settings.send_seconds),
    )


def limits(settings: Settings) -> Limits:
    """How much is done at once."""
    return Limits(
        threads=settings.threads,
        small=settings.small_work,
        memory=settings.work_memory,
        waiting=settings.work_waiting,
        seconds=settings.work_seconds,
        client=settings.client_requests,
        key=settings.key_requests,
    )
