"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real images made by others; tests that need it are reported as not run where it is missing."""
    folder = shared_data_folder()
    if folder is None:
        pytest.skip("no shared images: set DIASCOPE_TEST_DATA to their folder")
    return folder


def shared_data_folder() -> Path | None:
    """Where the shared images lie, None where they are not here."""
    named = os.environ.get("DIASCOPE_TEST_DATA")
    candidates = [Path(named)] if named else [HERE.parents[1] / "shared" / "data"]
    return next((folder for folder in candidates if (folder / "manifest.tsv").is_file()), None)
