"""What files tell of people and of the machines they work at, which is not passed on with the rest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

PERSONAL = frozenset({
    "acquiredby", "author", "authorname", "authors", "computer", "computername", "email", "experimenter",
    "experimentername", "host", "hostname", "imagedby", "investigator", "loginname", "machinename", "observer",
    "operator", "operatorname", "operatorsname", "patientbirthdate", "patientid", "patientname", "physicianname",
    "recordedby", "referringphysicianname", "user", "userdisplayname", "userfullname", "userid", "username",
})  # fmt: skip
"""Keys, without what is no letter."""

LINE = re.compile(
    r"^[^\S\r\n]*(?:user|operator|author|observer|computer|host|login)(?:[ _]?(?:name|id))?[^\S\r\n]*[:=][^\r\n]*",
    re.IGNORECASE | re.MULTILINE,
)

FOLDERS = re.compile(
    r"""(?:\b[A-Za-z]:[\\/]+|\\\\)(?:[^\\/:*?"<>|\r\n]+[\\/]+)*"""
    r"""|(?<![\w.:/])(?:file://)?/(?:home|Users|root|tmp|mnt|media|Volumes|scratch)/+(?:[^/\s"'<>|;]+/+)*"""
)
"""Of a file on a local disk or in a network, up to its name."""

DEEPEST = 64
"""What lies deeper in a document is left out."""


def impersonal(value: Any, depth: int = 0) -> Any:
    """A JSON value without what names persons and machines, and with the mere names of files on their disks."""
    if isinstance(value, str):
        return impersonal_text(value)
    if not isinstance(value, Mapping | list | tuple):
        return value
    if depth >= DEEPEST:
        return None
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if not _is_personal(str(key))}
        return {key: impersonal(item, depth + 1) for key, item in kept.items()}
    return [impersonal(item, depth + 1) for item in value]


def impersonal_text(text: str) -> str:
    """The same of a text, whose lines that name persons are left out."""
    return FOLDERS.sub("", LINE.sub("", text))


def _is_personal(key: str) -> bool:
    return "".join(filter(str.isalpha, key)).lower() in PERSONAL
