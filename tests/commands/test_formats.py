"""The table of formats, with libraries that are there and libraries that are not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import diascope
from diascope.commands import formats
from diascope.commands.doctor import report
from diascope.errors import Unavailable
from diascope.optional import library
from diascope.registry import registry
from diascope.sources.dataset import Dataset
from diascope.sources.source import Source
from diascope.stores.store import Store


def missing() -> Source:
    """A format whose library is not there."""

    def opened(store: Store, path: str) -> Dataset:
        return Dataset(version="", images=library("no_such_library.reader", "rare").images(path))

    return Source(
        name="rare",
        title="A rare format",
        suffixes=(".rare",),
        matches=lambda head: head.first.startswith(b"RARE"),
        open=opened,
        library="no-such-library",
        modules=("no_such_library.reader",),
        extra="rare",
        supports="everything",
        is_isolated=False,
        needs_local_file=True,
    )


def test_every_format_says_what_reads_it() -> None:
    found = {each.name: each for each in formats.formats()}
    assert set(found) == set(registry("sources"))
    assert all(each.supports for each in found.values()), "a source that does not say what it supports"
    assert all(registry("sources")[name].extra or each.installed for name, each in found.items())
    assert all(registry("sources")[name].modules for name, each in found.items() if each.install)


def test_a_missing_library_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "image.rare").write_bytes(b"RARE")
    with registry("sources").including("rare", missing()):
        rare = next(each for each in formats.formats() if each.name == "rare")
        assert (rare.installed, rare.install) == (False, "pip install 'diascope[rare]'")
        assert (rare.names, rare.library, rare.supports) == (["*.rare"], "no-such-library", "everything")
        assert (rare.isolated, rare.local_file) == (False, True)
        assert f"    {rare.install}\n        A rare format" in formats.told(as_json=False)
        text, _ = report()
        assert "MISSING  format A rare format: needs no-such-library" in text
        with pytest.raises(Unavailable, match=r"pip install 'diascope\[rare\]'"):
            diascope.open(tmp_path / "image.rare")


def test_a_library_that_is_there_is_not_missing() -> None:
    with registry("sources").including("rare", replace(missing(), modules=("json", "os.path"))):
        assert next(each for each in formats.formats() if each.name == "rare").installed


def test_the_command_prints_a_table_and_json() -> None:
    command = [sys.executable, "-m", "diascope", "formats"]
    for width in (80, 160):
        env = dict(os.environ, COLUMNS=f"{width}")
        table = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, env=env).stdout
        assert "NIfTI" in table
        assert max(map(len, table.splitlines())) <= width
    told = subprocess.run([*command, "--json"], check=True, capture_output=True, text=True, timeout=60).stdout
    assert next(each for each in json.loads(told) if each["name"] == "tiff")["installed"]


def test_no_source_imports_its_library_before_it_opens_a_file() -> None:
    """Every command and every server imports all sources."""
    code = """
import sys
import diascope.catalogue.opening, diascope.commands.formats
from diascope.registry import registry
base = set(sys.modules)
modules = {module for source in registry("sources").values() for module in source.modules if source.extra}
print(sorted(module for module in modules if module in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_packed_files_are_named_once() -> None:
    packed = replace(missing(), suffixes=(".a", ".a.gz", ".b", ".b.gz", ".b.bz2"), markers=("x.json", "y.json"))
    assert formats.named(packed, "`") == (
        "`*.a`, `*.b`, also packed as `.gz` or `.bz2`, folder with `x.json` or `y.json`"
    )
