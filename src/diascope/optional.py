"""Libraries that a plain installation goes without."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from diascope.errors import Unavailable


def library(name: str, extra: str) -> Any:
    """The module; raises Unavailable with the command that installs it where it is missing."""
    try:
        return import_module(name)
    except ImportError as error:
        missing = name.partition(".")[0]
        raise Unavailable(f"{missing} is not installed: pip install 'diascope[{extra}]'") from error
