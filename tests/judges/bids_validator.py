"""The official BIDS validator as a judge, offline; https://github.com/bids-standard/bids-validator.

It looks at the first 4096 bytes of a TIFF alone, takes no BigTIFF for one, and is silent about a samples.tsv that lacks
a row, or is not there at all: tests have to look at these themselves.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple


class Complaint(NamedTuple):
    """An error that it finds."""

    code: str
    location: str


def missing() -> str | None:
    """What this machine lacks, with the command that mends it."""
    if find_spec("bids_validator_deno") is None:
        return "the BIDS validator is not here: pip install bids-validator-deno"
    return None


class Verdict(NamedTuple):
    """What it says of a dataset."""

    complaints: list[Complaint]
    """Every error of it and of its derivatives, whose locations begin with their folder."""
    modalities: frozenset[str]
    """What it takes it for: none where it does not see the images at all."""
    derivatives: frozenset[str]


def judged(folder: Path) -> Verdict:
    """Its verdict on a dataset and the derivatives in it."""
    call = "import bids_validator_deno as v; v.cli()"
    command = [sys.executable, "-c", call, str(folder), "--recursive", "--ignoreWarnings", "--format", "json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    report = json.loads(done.stdout)
    derivatives = report.get("derivativesSummary") or {}
    found = _errors(report, "")
    for place, derivative in derivatives.items():
        found += _errors(derivative, place.rstrip("/"))
    assert bool(found) == bool(done.returncode), (done.returncode, found)
    return Verdict(
        found, frozenset(report["summary"]["modalities"]), frozenset(each.strip("/") for each in derivatives)
    )


def _errors(report: dict[str, Any], place: str) -> list[Complaint]:
    issues = report["issues"]["issues"]
    return [Complaint(each["code"], place + each.get("location", "")) for each in issues if each["severity"] == "error"]
