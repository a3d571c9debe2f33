"""The settings of OIF files: sections of names and values, as Windows writes them."""

from __future__ import annotations

from typing import TypeAlias

from diascope.errors import Unreadable
from diascope.sources.reading.numbers import number

Settings: TypeAlias = dict[str, dict[str, str]]
"""Values by the names of sections, and by their own."""

LARGEST = 1 << 24
MARK = "GST"
"""What stands before the names of values in the language of the program."""


def settings(data: bytes) -> Settings:
    """The sections of a text; raises Unreadable where it is none."""
    if len(data) > LARGEST:
        raise Unreadable(f"settings of {len(data)} bytes are over the limit of {LARGEST}")
    found: Settings = {}
    section: dict[str, str] = {}
    for line in _text(data).splitlines():
        text = line.strip("\0 \t")
        if text.startswith("[") and text.endswith("]"):
            section = found.setdefault(text[1:-1], {})
        elif "=" in text:
            name, _, value = text.partition("=")
            section[name.strip()] = _value(value)
    if not found:
        raise Unreadable("there are no settings in it")
    return found


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data[: len(data) // 2 * 2].decode("utf-16", "replace")
    return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-8", "replace")


def _value(text: str) -> str:
    value = text.strip().strip("\"'")
    return value.rpartition("=")[2] if value.startswith(MARK) else value


def value(found: Settings, section: str, name: str) -> str:
    """A value, empty where there is none."""
    return found.get(section, {}).get(name, "")


def real(found: Settings, section: str, name: str) -> float | None:
    """A value that is a number."""
    return number(value(found, section, name))
