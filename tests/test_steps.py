"""The steps that the page of an image shows: those in Python are run as they stand, and give the image's pixels."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from diascope.layouts.layout import Layout
from diascope.registry import registry
from tests.conformance.samples import labels
from tests.servers import of_folder

PIXELS = np.random.default_rng(8).integers(0, 4000, (3, 70, 90)).astype(np.uint16)
PROGRAMS = [name for name, layout in registry("layouts").items() if "Python" in layout.steps]


class Shown(NamedTuple):
    """What the page of an image tells of a layout."""

    steps: dict[str, str]
    pixels: NDArray[Any]
    """Of the image."""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Shown]]:
    """By layout, of a stack of 16 bits, or of labels where it holds nothing else."""
    folder = tmp_path_factory.mktemp("steps")
    tifffile.imwrite(folder / "stack.tif", PIXELS, imagej=True, metadata={"axes": "ZYX"})
    files = {"labels.ome.zarr": labels(folder / "labels.ome.zarr"), "stack.tif": PIXELS}
    server = of_folder(folder)
    found = {}
    for name, pixels in files.items():
        told = httpx.get(f"{server.url}/api/representations/{folder.name}/{name}").json()
        for row in told["representations"]:
            if not row["refused"]:
                found[row["layout"]] = Shown({step["tool"]: step["text"] for step in row["steps"]}, pixels)
    yield found
    server.stop()


@pytest.mark.parametrize("layout", PROGRAMS)
def test_the_step_in_python_gives_the_pixels(shown: dict[str, Shown], tmp_path: Path, layout: str) -> None:
    if layout not in shown:
        assert "jpeg" in layout, "a stack of 16 bits, or labels, fit every layout but the lossy one"
        return
    steps, expected = shown[layout]
    program = f"{steps['Python']}\nimport numpy\nnumpy.save('pixels.npy', numpy.asarray(pixels))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pixels = np.load(tmp_path / "pixels.npy").squeeze()
    assert sorted(pixels.shape) == sorted(expected.shape)
    turned = pixels.transpose([pixels.shape.index(size) for size in expected.shape])
    np.testing.assert_array_equal(turned, expected)


@pytest.mark.parametrize("layout", list(registry("layouts").values()), ids=lambda layout: layout.name)
def test_every_layout_tells_how_it_is_opened(layout: Layout) -> None:
    assert layout.steps
    for tool, text in layout.steps.items():
        assert "{url}" in text, tool
