"""``diascope serve``: the HTTP server on the repositories of the settings and the folders given."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import click

from diascope.errors import BadRequest, Unavailable
from diascope.settings import RepositorySettings, Settings, checked_url

BACKLOG = 2048


def settings_for(
    folders: Iterable[Path | str],
    host: str | None,
    port: int | None,
    mappings: Iterable[Path] = (),
    *,
    follow_links: bool,
) -> Settings:
    """The settings with the folders and URLs as further repositories, the mapping files as further arrangements.

    Raises BadRequest where two would have one name.
    """
    settings = Settings()
    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    repositories = dict(settings.repositories)
    for folder in folders:
        name, entry = _repository(folder, follow_links=follow_links)
        if name in repositories:
            raise BadRequest(f"two repositories would be named {name!r}: name them in diascope.toml")
        repositories[name] = entry
    if not repositories:
        raise BadRequest("there is nothing to serve: give a folder, or repositories in diascope.toml")
    arrangements = settings.arrangements
    if mappings := list(mappings):
        from diascope.commands.arranged import with_mappings

        arrangements = with_mappings(arrangements, mappings)
    return settings.model_copy(update={**given, "repositories": repositories, "arrangements": arrangements})


def _repository(place: Path | str, *, follow_links: bool) -> tuple[str, RepositorySettings]:
    """What a folder or a URL is called, and its settings; raises BadRequest, which does not repeat the URL."""
    if isinstance(place, Path):
        return place.resolve().name or "root", RepositorySettings(path=place.resolve(), follow_links=follow_links)
    try:
        parts = urlsplit(checked_url(place))
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return parts.path.rstrip("/").rpartition("/")[2] or parts.hostname or "root", RepositorySettings(url=place)


def run(settings: Settings) -> None:
    """Serve until interrupted; the address is printed once connections are accepted."""
    if settings.workers == 1 or sys.platform == "win32":
        _run_alone(settings)
        return
    from diascope.access.observability.logs import write_logs
    from diascope.commands.workers import Workers

    write_logs(settings.log_form)
    listener = _listener(settings)
    told = _told(settings, listener)
    with TemporaryDirectory(prefix="diascope-metrics-") as folder:
        shared = {} if settings.metrics_folder else {"metrics_folder": Path(folder)}
        Workers(settings.model_copy(update=shared), listener).run(lambda: click.echo(told))


def _run_alone(settings: Settings) -> None:
    from diascope.access.observability.logs import write_logs
    from diascope.assembly import application_of
    from diascope.catalogue.catalogue import catalogue
    from diascope.catalogue.indexing import keep_indexed
    from diascope.commands.allocator import reuse_freed_memory
    from diascope.commands.serving import serve

    write_logs(settings.log_form)
    reuse_freed_memory()
    images = catalogue(settings, indexed=True)
    app = application_of(settings, images)
    listener = _listener(settings)
    click.echo(_told(settings, listener))
    keep_indexed(images.repositories, settings.index_seconds)
    serve(app, listener, settings.stop_seconds)


def _told(settings: Settings, listener: socket.socket) -> str:
    served = [*settings.repositories, *settings.arrangements]
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else "localhost" if host in {"0.0.0.0", "127.0.0.1"} else host  # noqa: S104
    return f"Diascope serves {', '.join(served)} at http://{shown}:{port}/\nPress Ctrl+C to stop."


def _listener(settings: Settings) -> socket.socket:
    """A socket that accepts connections from now on; raises Unavailable where the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {settings.host}:{settings.port}: {error.strerror}; choose another with --port, or 0"
        ) from error
    listener.listen(BACKLOG)
    return listener
