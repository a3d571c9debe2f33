"""Every broken shared file gets a clear error or a right image, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

WORKER = Path(__file__).with_name("broken_files.py")
SECONDS = 10
GROWTH = 512 << 20
"""How much more memory a broken file of a few kilobytes may take at its peak."""


def wanted(row: dict[str, str]) -> bool:
    return row["format"] == "malformed"


@pytest.fixture(scope="module")
def outcomes(shared_data: Path) -> dict[str, dict[str, Any]]:
    """What became of each broken file; one that killed its process or took too long is missing."""
    rows = [row for row in rows_of(shared_data) if wanted(row)]
    waiting = [f"{row['path']}\t{row['details']}" for row in rows]
    found: dict[str, dict[str, Any]] = {}
    while waiting:
        command = [sys.executable, "-W", "ignore", str(WORKER), str(shared_data), *waiting]
        run = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        found |= {line["path"]: line for line in lines}
        if run.returncode > 0:
            pytest.fail(run.stderr)
        # A signal ended it at the file after the last line.
        waiting = waiting[len(lines) + 1 :]
    return found


def rows_of(folder: Path) -> list[dict[str, str]]:
    names, *lines = ((folder / "manifest.tsv").read_text(encoding="utf-8")).splitlines()
    return [dict(zip(names.split("\t"), line.split("\t"), strict=True)) for line in lines]


def test_every_broken_file_has_a_row(shared_data: Path) -> None:
    files = {str(path.relative_to(shared_data)) for path in (shared_data / "malformed").rglob("*") if path.is_file()}
    assert files <= {row["path"] for row in rows_of(shared_data)}


def test_a_broken_file_is_refused_or_right(shared_row: dict[str, str], outcomes: dict[str, dict[str, Any]]) -> None:
    path = shared_row["path"]
    assert path in outcomes, "it killed the process, or took longer than its limit"
    found = outcomes[path]
    assert found["outcome"] in {"refused", "image"}, found["message"]
    if found["outcome"] == "refused":
        assert Path(path).name in found["message"]
    else:
        assert found["equal"], f"no reference reader has the pixels of this {found['shape']} {found['dtype']}"
    assert found["seconds"] < SECONDS
    assert found["grown"] < GROWTH
