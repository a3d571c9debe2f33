"""Images made once for all tests of this room, on disk and on a server."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from diascope.commands.sample import sample


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, and files of two and of many scenes."""
    folder = tmp_path_factory.mktemp("napari") / "images"
    sample(folder)
    for name, count in (("two.ome.tif", 2), ("many.ome.tif", 12)):
        with tifffile.TiffWriter(folder / name, ome=True) as out:
            for k in range(count):
                pixels = np.full((20, 30 + k), k, np.uint8)
                out.write(pixels, photometric="minisblack", metadata={"Name": f"scene {k}", "axes": "YX"})
    (folder / "notes.txt").write_text("no image")
    (folder / "broken.tif").write_bytes(b"II*\0\xff\xff\xff\xff")
    return folder
