"""The import contracts of the house, and that they hold for every plug-in."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def test_imports_run_one_way() -> None:
    linted = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run(
        [*linted, "--no-cache", "--config", str(PROJECT)],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("room", ["sources", "operations", "layouts", "arrangements"])
def test_every_plug_in_stands_in_the_contract_of_its_room(room: str) -> None:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))
    registered = {entry.partition(":")[0] for entry in project["project"]["entry-points"][f"diascope.{room}"].values()}
    (contract,) = [
        each
        for each in project["tool"]["importlinter"]["contracts"]
        if each["name"] == f"{room.capitalize()} do not know each other"
    ]
    assert set(contract["modules"]) == registered
