"""Puts the built web application into wheels and source archives, building it where it is missing.

An editable installation goes without: there ``make web`` builds it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "src/diascope/access/web/index.html"

COMMANDS = (["npm", "ci"], ["npm", "run", "build"])

NO_NODE = (
    "The web application is not built, and npm is not here to build it: install Node.js 20 or later, "
    "or install a released wheel, which has it."
)


class WebBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatch calls it before it collects the files of a wheel or a source archive."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """The built files are there afterwards; ends the build with one clear line where they cannot be."""
        if version == "editable" or (Path(self.root) / BUILT).is_file():
            return
        npm = shutil.which("npm")
        if npm is None:
            self.app.abort(NO_NODE)
        for command in COMMANDS:
            self._run([npm, *command[1:]])

    def _run(self, command: list[str]) -> None:
        self.app.display_info(" ".join(["npm", *command[1:]]))
        done = subprocess.run(command, cwd=Path(self.root) / "web", check=False)  # noqa: S603
        if done.returncode:
            self.app.abort(f"The web application cannot be built: npm {' '.join(command[1:])} failed in web/.")
