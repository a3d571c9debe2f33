"""The sources of the web application: types, style, and the tests of its own logic."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "web"


@pytest.mark.judge
@pytest.mark.parametrize("script", ["types", "lint", "test"])
def test_npm_script(script: str):
    npm = shutil.which("npm")
    if npm is None or not (WEB / "node_modules").is_dir():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no npm or no packages in web/: make web")
    done = subprocess.run([npm, "run", script], cwd=WEB, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_versions_are_exact_and_no_registry_is_named():
    package = json.loads((WEB / "package.json").read_text())
    wanted = package["dependencies"] | package["devDependencies"]
    assert all(version[0].isdigit() for version in wanted.values()), wanted
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    assert not [name for name, entry in locked.items() if "resolved" in entry]


def test_every_platform_can_install():
    """A registry that lacks some platform's binaries leaves them out, and ``npm ci`` refuses the file elsewhere."""
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    optional = {name for entry in locked.values() for name in entry.get("optionalDependencies", {})}
    assert not [name for name in optional if f"node_modules/{name}" not in locked]
