"""The log: lines for people, or JSON for programs; what could open a door is never in it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Literal, TextIO

SECRETS = re.compile(
    r"(?P<name>x-amz-(?:signature|credential|security-token)|signature|credential|authorization|proxy-authorization|"
    r"cookie|secret\w*|password|passwd|access[-_]?key\w*|account[-_]?key|sas[-_]?key|\w*token|sig)"
    r"(?P<between>[\"']?\s*[=:]\s*[\"']?)"
    r"(?P<value>(?:bearer\s+|basic\s+|AWS4-HMAC-SHA256\s+)?[^\s&\"',;]+)",
    re.IGNORECASE,
)
"""What is written as a name and a value, in whatever way."""

USERS = re.compile(r"(?<=://)[^\s/@]+@")
"""What stands before the host of a URL."""

CONTROL = re.compile(r"[\0-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
"""What would begin a line of its own, or move the cursor of who reads it."""

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; the rest is what was said of it beside its text."""


def redacted(text: str) -> str:
    """The same text without what could open a door."""
    return USERS.sub("…@", SECRETS.sub(r"\g<name>\g<between>…", text))


def _told(record: logging.LogRecord) -> str:
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), redacted(record.getMessage()))


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in STANDARD and value not in ("", None)}


def _trouble(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return redacted(formatter.formatException(record.exc_info)) if record.exc_info else ""


class Lines(logging.Formatter):
    """One line for a person, and below it where an error came from."""

    def format(self, record: logging.LogRecord) -> str:
        moment = f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%d %H:%M:%S}Z"
        extra = " ".join(f"{name}={_shown(value)}" for name, value in _extra(record).items())
        parts = [moment, record.levelname, _told(record), extra]
        trouble = _trouble(self, record)
        return " ".join(filter(None, parts)) + (f"\n{trouble}" if trouble else "")


class Json(logging.Formatter):
    """One line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        document: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _told(record),
        }
        document |= {name: _shown(value) for name, value in _extra(record).items()}
        if trouble := _trouble(self, record):
            document["trouble"] = trouble
        return json.dumps(document, ensure_ascii=False)


def _shown(value: object) -> object:
    if isinstance(value, str):
        return CONTROL.sub("\N{REPLACEMENT CHARACTER}", redacted(value))
    return {str(name): _shown(each) for name, each in value.items()} if isinstance(value, dict) else value


def _of_a_stop(record: logging.LogRecord) -> bool:
    """A request that was cut off because the server had to stop is no error, which uvicorn takes it for."""
    if record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError):
        record.msg, record.args, record.exc_info = "a request was cut off, since the server stops", (), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


def write_logs(form: Literal["text", "json"], stream: TextIO | None = None) -> logging.Handler:
    """From now on everything that is logged goes to a stream, by default standard error, in this form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Json() if form == "json" else Lines())
    handler.addFilter(_of_a_stop)
    root = logging.getLogger()
    for other in [*root.handlers]:
        if isinstance(other.formatter, Json | Lines):
            root.removeHandler(other)
    root.addHandler(handler)
    logging.getLogger("diascope").setLevel(logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    return handler
