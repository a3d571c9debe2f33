"""A process that serves together with others: ``python -m diascope.commands.worker``, its orders on standard input.

The orders are a line of JSON. It tells on a pipe that it is ready, or why it cannot be; it ends when it is told to by
SIGTERM, and when standard input does, since nobody is there any more who would tell it.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from threading import Thread
from typing import Any, TextIO

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from diascope.errors import DiascopeError
from diascope.settings import Settings


class _Told(Settings):
    """Settings that are told, whatever the environment and the file have become meanwhile."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def spelled(value: Any) -> Any:
    """Settings as JSON has them, secrets too: they go through a pipe that nobody else reads."""
    if isinstance(value, BaseModel):
        return {name: spelled(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {key: spelled(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [spelled(each) for each in value]
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value) if isinstance(value, Path) else value


def read(settings: dict[str, Any]) -> Settings:
    """The settings that were spelled so."""
    return _Told.model_validate(settings)


def main() -> None:
    # An interrupt goes to all processes of a terminal; the one that started this one passes it on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    orders = json.loads(sys.stdin.readline())
    settings = read(orders["settings"])
    listener = socket.socket(fileno=orders["listener"])
    with os.fdopen(orders["told"], "w") as told:
        try:
            _work(settings, listener, told, indexes=orders["indexes"])
        except (DiascopeError, OSError) as error:
            told.write(json.dumps({"error": str(error)}) + "\n")
            sys.exit(1)


def _work(settings: Settings, listener: socket.socket, told: TextIO, *, indexes: bool) -> None:
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
    Thread(target=_watch, name="diascope-parent", daemon=True).start()
    if indexes:
        keep_indexed(images.repositories, settings.index_seconds)
    app.observer.write()
    told.write('{"ready": true}\n')
    told.flush()
    serve(app, listener, settings.stop_seconds, (signal.SIGTERM,))
    app.observer.write()


def _watch() -> None:
    """Stop once the process that started this one is there no more."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
