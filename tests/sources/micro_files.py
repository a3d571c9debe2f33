"""Tiny acquisitions of Micro-Manager, NDTiff's being written by its own library."""

from __future__ import annotations

import json
import shutil
import struct
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from ndtiff import NDTiffDataset

PIXELS = np.random.default_rng(21).integers(0, 60_000, (2, 2, 3, 20, 30), dtype=np.uint16)
"""Along t, c, z, y and x."""
COLOURS = np.random.default_rng(5).integers(0, 256, (20, 30, 3), dtype=np.uint8)
CHANNELS = ("GFP", "DAPI")
SUMMARY = {
    "MicroManagerVersion": "2.0.1",
    "ChNames": list(CHANNELS),
    "ChColors": [-16711936, -16776961],
    "Channels": 2,
    "Frames": 2,
    "Slices": 3,
    "Positions": 1,
    "Width": 30,
    "Height": 20,
    "PixelType": "GRAY16",
    "BitDepth": 16,
    "PixelSize_um": 0.65,
    "z-step_um": 1.5,
    "Interval_ms": 0,
    "Comment": "a rat",
    "Prefix": "run",
    "Time": "2021-05-04 10:00:00 +0200",
}


def frame(t: int, c: int, z: int) -> dict[str, Any]:
    return {
        "PixelSizeUm": 0.65,
        "ElapsedTime-ms": 250.0 * t,
        "ZPositionUm": 10 + 1.5 * z,
        "XPositionUm": -5.5,
        "YPositionUm": 7.25,
        "Camera": "Andor",
        "Frame": t,
        "ChannelIndex": c,
        "Channel": CHANNELS[c],
        "Slice": z,
        "SliceIndex": z,
        "PositionIndex": 0,
    }


def places() -> Any:
    return product(*map(range, PIXELS.shape[:3]))


def old(path: Path) -> None:
    """As 1.4 does; its channels are not in the order of letters."""
    path.mkdir()
    told: dict[str, Any] = {"Summary": SUMMARY}
    for t, c, z in places():
        name = f"img_{t:09}_{CHANNELS[c]}_{z:03}.tif"
        tifffile.imwrite(path / name, PIXELS[t, c, z], metadata=None)
        told[f"FrameKey-{t}-{c}-{z}"] = {**frame(t, c, z), "FileName": name}
    (path / "metadata.txt").write_text(json.dumps(told, indent=2), encoding="utf-8")


def new(path: Path) -> None:
    """As 2.0 does."""
    path.mkdir()
    told: dict[str, Any] = {"Summary": {key: value for key, value in SUMMARY.items() if not key.endswith("_um")}}
    for t, c, z in places():
        name = f"img_channel{c:03}_position000_time{t:09}_z{z:03}.tif"
        tifffile.imwrite(path / name, PIXELS[t, c, z], metadata=None)
        told[f"Coords-Default/{name}"] = {"time": t, "channel": c, "z": z, "position": 0}
        told[f"Metadata-Default/{name}"] = frame(t, c, z)
    (path / "metadata.txt").write_text(json.dumps(told, indent=2), encoding="utf-8")


def ndtiff(path: Path, positions: int = 1) -> None:
    dataset = NDTiffDataset(str(path.parent), name=path.name, summary_metadata=SUMMARY, writable=True)
    for p, (t, c, z) in product(range(positions), places()):
        axes: dict[str, Any] = {"time": t, "channel": CHANNELS[c], "z": z}
        dataset.put_image({**axes, **({"position": p} if positions > 1 else {})}, PIXELS[t, c, z] + p, frame(t, c, z))
    writer = dataset.current_writer
    dataset.finish()
    dataset.close()
    writer.reader.close()  # which the library leaves open
    written = next(each for each in path.parent.iterdir() if each.name.startswith(path.name) and each.is_dir())
    if written != path:
        shutil.move(written, path)


def ndtiff_positions(path: Path) -> None:
    ndtiff(path, 2)


def ndtiff_colours(path: Path) -> None:
    """The library writes no colours: this is what Micro-Manager does."""
    path.mkdir()
    summary = json.dumps(SUMMARY).encode()
    head = b"II*\0" + struct.pack("<6I", 8, 483729, 3, 3, 2355492, len(summary)) + summary
    told = json.dumps(frame(0, 0, 0)).encode()
    (path / "NDTiffStack.tif").write_bytes(head + COLOURS.tobytes() + told)
    axes = json.dumps({"z": 0}).encode()
    numbers = (len(head), 30, 20, 2, 0, len(head) + COLOURS.nbytes, len(told), 0)
    entry = (
        struct.pack("<I", len(axes)) + axes + struct.pack("<I", 15) + b"NDTiffStack.tif" + struct.pack("<8I", *numbers)
    )
    (path / "NDTiff.index").write_bytes(entry)


SAMPLES = {
    "micromanager": {"old": old, "new": new},
    "ndtiff": {"run": ndtiff, "colours": ndtiff_colours, "positions": ndtiff_positions},
}
