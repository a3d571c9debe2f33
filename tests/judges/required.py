"""What a test does where its judge is missing: it is reported as not run, and with CI=true it fails."""

from __future__ import annotations

import os

import pytest


def in_ci() -> bool:
    """Whether every judge has to be there."""
    return os.environ.get("CI") == "true"


def required(lacking: str | None) -> None:
    """Go on where nothing is lacking; else skip the test with the reason, or with CI=true fail it."""
    if lacking:
        (pytest.fail if in_ci() else pytest.skip)(lacking)
