"""The manifest is that of the code, and all that it names is there."""

from __future__ import annotations

from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

import pytest

import diascope.napari
from diascope.catalogue.opening import image_suffixes
from diascope.napari import samples
from diascope.napari.manifest import SAMPLES, manifest, patterns
from diascope.registry import registry

FILE = Path(diascope.napari.__file__).parent / "napari.yaml"


def test_the_written_manifest_is_that_of_the_code() -> None:
    assert FILE.read_text(encoding="utf-8") == manifest(), (
        "python -m diascope.napari.manifest src/diascope/napari/napari.yaml"
    )


def test_the_installed_package_tells_napari_of_it() -> None:
    (entry,) = entry_points(group="napari.manifest", name="diascope")
    module, _, name = entry.value.partition(":")
    assert (files(module) / name).is_file()


def test_every_name_that_a_source_knows_is_asked_about() -> None:
    """But for what depends on the plug-ins of others that are installed."""
    sources = registry("sources").values()
    other = {suffix for source in sources if source.is_fallback for suffix in source.suffixes}
    own = {suffix for source in sources if not source.is_fallback for suffix in source.suffixes}
    assert other - own, "BioIO's plug-in reads nothing"
    assert {f"*{suffix}" for suffix in set(image_suffixes()) - (other - own)} <= set(patterns())
    assert not {f"*{suffix}" for suffix in other - own} & set(patterns())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_opens(name: str) -> None:
    found = getattr(samples, name)()
    assert found
    assert all(kind == "image" for _, _, kind in found)
