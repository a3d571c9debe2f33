"""The contract of sources on more kinds of HDF5, Imaris, BigDataViewer and MINC than every door is tried with."""

from __future__ import annotations

from pathlib import Path

import pytest

from diascope.registry import registry
from diascope.testing.sources import check_source
from tests.sources import bdv_files, hdf5_files, imaris_files, minc_files

FILES = {
    "hdf5": hdf5_files.FILES,
    "imaris": imaris_files.FILES,
    "bigdataviewer": bdv_files.FILES,
    "minc": minc_files.FILES,
}


@pytest.mark.parametrize(("source", "name"), [(source, name) for source, names in FILES.items() for name in names])
def test_source_keeps_the_contract(source: str, name: str, tmp_path: Path) -> None:
    FILES[source][name](tmp_path / name)
    check_source(registry("sources")[source], tmp_path / name)
