"""The sample images, made once for all tests of this room."""

from __future__ import annotations

from pathlib import Path

import pytest

from diascope.commands.sample import sample


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("python") / "sample"
    sample(folder)
    return folder


@pytest.fixture(scope="session")
def cells(folder: Path) -> str:
    return str(folder / "microscopy" / "cells.ome.tif")
