"""The manifest of the plug-in (https://napari.org/stable/plugins/technical_references/manifest.html).

It is written from the sources' names, since napari reads it before any of our code runs:
``python -m diascope.napari.manifest src/diascope/napari/napari.yaml``.
"""

from __future__ import annotations

import sys
from pathlib import Path

from diascope.registry import registry

SAMPLES = {
    "cells": "Cells (three channels, four planes)",
    "dividing": "A dividing cell (time series)",
    "tissue": "Tissue (pyramid in colours)",
    "head": "Head (volume with its place in the scanner)",
}

MANIFEST = """\
# Written by `python -m diascope.napari.manifest`; the patterns are the names that the sources know.
name: diascope
display_name: Diascope
contributions:
  commands:
    - id: diascope.read
      title: Read images
      python_name: diascope.napari.reader:reader
    - id: diascope.browse
      title: Browse Diascope
      python_name: diascope.napari.browser:Browser
{commands}
  readers:
    - command: diascope.read
      accepts_directories: true
      filename_patterns: {patterns}
  widgets:
    - command: diascope.browse
      display_name: Browse Diascope
  sample_data:
{samples}
"""


def manifest() -> str:
    """The document as YAML."""
    commands = (
        f"    - id: diascope.{name}\n      title: {title}\n      python_name: diascope.napari.samples:{name}"
        for name, title in SAMPLES.items()
    )
    samples = (
        f"    - key: {name}\n      display_name: {title}\n      command: diascope.{name}"
        for name, title in SAMPLES.items()
    )
    listed = ", ".join(f'"{pattern}"' for pattern in patterns())
    return MANIFEST.format(commands="\n".join(commands), samples="\n".join(samples), patterns=f"[{listed}]")


def patterns() -> list[str]:
    """What napari asks this plug-in about: names of images, and every URL."""
    # What a fallback reads depends on what else is installed, and this file must not.
    sources = [source for source in registry("sources").values() if not source.is_fallback]
    return ["http://*", "https://*", *sorted({f"*{suffix}" for source in sources for suffix in source.suffixes})]


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(manifest(), encoding="utf-8")
