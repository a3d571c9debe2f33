"""The fallback, by a real plug-in (DeltaVision) and by one that has all that plug-ins may have."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import diascope
from diascope.catalogue.opening import source_of
from diascope.commands.formats import formats
from diascope.errors import DiascopeError
from diascope.image.level import read_whole
from diascope.registry import registry
from diascope.sources.bioio import content, plugins
from diascope.stores.local import LocalStore
from tests.sources.bioio_files import deltavision, pixels

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def test_a_plugin_reads_what_nothing_else_does(tmp_path: Path) -> None:
    deltavision(tmp_path / "cells.dv")
    image = diascope.open(tmp_path / "cells.dv")
    assert image.axis_names == "czyx"
    np.testing.assert_array_equal(image[...], pixels()[:, 0])
    np.testing.assert_array_equal(image[1, 2, 4:9, 5:11], pixels()[1, 0, 2, 4:9, 5:11])
    assert image.levels[0].scale == pytest.approx((1, 0.5, 0.2, 0.1))
    assert [axis.unit for axis in image.axes][1:] == ["micrometer"] * 3
    assert image.metadata.format == "BioIO, bioio-dv"


def test_it_is_asked_last(tmp_path: Path) -> None:
    """Whatever a plug-in would read too, the source of a format reads it."""
    store = LocalStore(tmp_path)
    (tmp_path / "image.dv").write_bytes(b"II*\0" + bytes(200))
    deltavision(tmp_path / "cells.dv")
    for name, wanted in (("image.dv", "tiff"), ("cells.dv", "bioio")):
        stat = store.stat(name)
        assert stat is not None
        found = source_of(store, name, stat)
        assert found is not None
        assert found.name == wanted


def test_names_are_known_without_importing_a_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = """
class ReaderMetadata:
    @staticmethod
    def get_supported_extensions():
        return ["ABC", ".ab.c"]
raise RuntimeError("it was imported")
"""
    computed = 'class ReaderMetadata:\n    get_supported_extensions = staticmethod(lambda: [".xyz"])\n'
    for name, files in {
        "bioio_written": {"__init__.py": "raise RuntimeError", "reader_metadata.py": written},
        "bioio_computed": {"__init__.py": computed, "reader_metadata.py": ""},
        "bioio_broken": {"__init__.py": "raise RuntimeError"},
    }.items():
        folder, told = tmp_path / name, tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        told.mkdir()
        for file, text in files.items():
            (folder / file).write_text(text, encoding="utf-8")
        (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        (told / "entry_points.txt").write_text(f"[bioio.readers]\n{name} = {name}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    found = plugins.suffixes()
    assert set(found) >= {".abc", ".ab.c", ".xyz", ".dv"}
    assert found == tuple(sorted(found))


def test_formats_tells_what_plugins_read() -> None:
    found = next(each for each in formats() if each.name == "bioio")
    assert "*.dv" in found.names
    assert (found.installed, found.install) == (True, "pip install 'diascope[bioio]'")
    assert (found.isolated, found.local_file) == (True, True)


class Reader:
    """What BioIO's readers look like: at one scene and level at a time, and told to change."""

    scenes: tuple[str, ...] = ("first", "second/one", "second/one")
    resolution_levels: tuple[int, ...] = (0, 1)
    channel_names = ("DAPI", "GFP")
    physical_pixel_sizes = SimpleNamespace(Z=None, Y=0.5, X=0.25)
    time_interval = timedelta(seconds=3)
    dimension_properties = SimpleNamespace(X=SimpleNamespace(unit="nanometer"), Y=SimpleNamespace(unit=None))
    standard_metadata = SimpleNamespace(objective="63x", stage_position_x=1.5, imaged_by="me", binning=None)

    def __init__(self, path: str) -> None:
        self.path, self.scene, self.level = path, 0, 0

    def set_scene(self, scene: int) -> None:
        self.scene = scene

    def set_resolution_level(self, level: int) -> None:
        self.level = level

    @property
    def xarray_dask_data(self) -> Any:
        import dask.array
        import xarray

        whole = np.arange(2 * 64 * 48).reshape(1, 2, 64, 48).astype(np.int16) + 1000 * self.scene
        step = 1 << self.level
        lazy = dask.array.from_array(whole[..., ::step, ::step], chunks=(1, 1, 16, 16))
        return xarray.DataArray(lazy, dims=("B", "C", "Y", "X"))


def fake(monkeypatch: pytest.MonkeyPatch, reader: type) -> None:
    """BioIO with this reader for every file."""
    entry = SimpleNamespace(metadata=SimpleNamespace(get_reader=lambda: reader))
    library = SimpleNamespace(BioImage=SimpleNamespace(determine_plugin=lambda path, **more: entry))
    monkeypatch.setattr(content, "library", lambda name, extra: library)


def test_scenes_and_levels_have_readers_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, Reader)
    (tmp_path / "many.dv").write_bytes(b"many")
    images = registry("sources")["bioio"].open(LocalStore(tmp_path), "many.dv").images
    assert list(images) == ["first", "second-one", "second-one-2"]
    whole = np.arange(2 * 64 * 48).reshape(2, 64, 48).astype(np.int16)

    def check(number: int) -> None:
        image = images[list(images)[number % 3]]
        for level, step in zip(image.levels, (1, 2), strict=True):
            np.testing.assert_array_equal(read_whole(level), (whole + 1000 * (number % 3))[:, ::step, ::step])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(check, range(30)))
    image = images["second-one"]
    assert image.axis_names == "cyx"
    assert image.levels[0].chunk_shape == (1, 16, 16)
    assert image.levels[1].scale == (1, 1.0, 0.5)
    assert [axis.unit for axis in image.axes] == [None, "micrometer", "nanometer"]
    assert [channel.name for channel in image.channels] == ["DAPI", "GFP"]
    assert (image.metadata.objective, image.metadata.position) == ("63x", {"x": 1.5})
    assert image.metadata.extra == {"imaged_by": "me"}


def test_samples_are_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dask.array
    import xarray

    random = np.random.default_rng(0).integers(0, 255, (2, 9, 11, 3), dtype=np.uint8)

    class Colours(Reader):
        scenes = ("one",)
        resolution_levels = (0,)
        xarray_dask_data = xarray.DataArray(dask.array.from_array(random), dims=("T", "Y", "X", "S"))

    fake(monkeypatch, Colours)
    (tmp_path / "film.dv").write_bytes(b"film")
    image = registry("sources")["bioio"].open(LocalStore(tmp_path), "film.dv").images["film"]
    assert (image.kind, image.axis_names, image.levels[0].scale[0]) == ("rgb", "tcyx", 3)
    np.testing.assert_array_equal(read_whole(image.levels[0]), np.moveaxis(random, -1, 1))


def test_a_file_that_changes_is_not_read_on(tmp_path: Path) -> None:
    path = tmp_path / "cells.dv"
    deltavision(path)
    image = registry("sources")["bioio"].open(LocalStore(tmp_path), "cells.dv").images["cells"]
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(DiascopeError, match="changed"):
        read_whole(image.levels[0])


def test_what_no_plugin_understands_is_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.dv").write_bytes(b"nothing of the kind" * 100)
    with pytest.raises(DiascopeError, match=r"broken\.dv"):
        diascope.open(tmp_path / "broken.dv")
