"""The steps that the page of an image shows: those in Python are run as they stand, and give the image's pixels."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import tifffile

from diascope.layouts.layout import Layout
from diascope.registry import registry
from tests.servers import of_folder

PIXELS = np.random.default_rng(8).integers(0, 4000, (3, 70, 90)).astype(np.uint16)
PROGRAMS = [name for name, layout in registry("layouts").items() if "Python" in layout.steps]


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, str]]]:
    folder = tmp_path_factory.mktemp("steps")
    tifffile.imwrite(folder / "stack.tif", PIXELS, imagej=True, metadata={"axes": "ZYX"})
    server = of_folder(folder)
    told = httpx.get(f"{server.url}/api/representations/{folder.name}/stack.tif").json()
    yield {
        row["layout"]: {step["tool"]: step["text"] for step in row["steps"]}
        for row in told["representations"]
        if not row["refused"]
    }
    server.stop()


@pytest.mark.parametrize("layout", PROGRAMS)
def test_the_step_in_python_gives_the_pixels(steps: dict[str, dict[str, str]], tmp_path: Path, layout: str) -> None:
    if layout not in steps:
        assert "jpeg" in layout, "a stack of 16 bit fits every layout but the lossy one"
        return
    program = f"{steps[layout]['Python']}\nimport numpy\nnumpy.save('pixels.npy', numpy.asarray(pixels))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    pixels = np.load(tmp_path / "pixels.npy").squeeze()
    assert sorted(pixels.shape) == sorted(PIXELS.shape)
    turned = pixels.transpose([pixels.shape.index(size) for size in PIXELS.shape])
    np.testing.assert_array_equal(turned, PIXELS)


@pytest.mark.parametrize("layout", list(registry("layouts").values()), ids=lambda layout: layout.name)
def test_every_layout_tells_how_it_is_opened(layout: Layout) -> None:
    assert layout.steps
    for tool, text in layout.steps.items():
        assert "{url}" in text, tool
