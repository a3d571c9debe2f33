"""Small N5 containers, by the writers that people use and by hand where these do not know a convention."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore

VOLUME = np.random.default_rng(3).integers(0, 60000, (9, 23, 31), dtype=np.uint16)
GZIP = {"type": "gzip"}


def dataset(path: Path, pixels: Any, compression: dict[str, Any] = GZIP, block: int = 10, **attributes: Any) -> None:
    """A dataset written by TensorStore, with more attributes; the pixels are x last."""
    spec = {
        "driver": "n5",
        "kvstore": {"driver": "file", "path": str(path)},
        "metadata": {
            "compression": compression,
            "dataType": pixels.dtype.name,
            "dimensions": pixels.shape[::-1],
            "blockSize": [block] * pixels.ndim,
        },
    }
    tensorstore.open(spec, create=True).result()[...] = pixels.T
    added(path, **attributes)


def added(path: Path, **attributes: Any) -> None:
    """More attributes of a group or dataset."""
    path.mkdir(parents=True, exist_ok=True)
    file = path / "attributes.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.write_text(json.dumps({**known, **attributes}), encoding="utf-8")


def plain(path: Path) -> None:
    dataset(path, VOLUME, axes=["x", "y", "z"], units=["nm", "nm", "nm"], resolution=[4.0, 4.0, 40.0])


def container(path: Path) -> None:
    added(path, n5="2.5.1")
    dataset(path / "some" / "raw", VOLUME, {"type": "raw"})
    dataset(
        path / "some" / "floats",
        VOLUME[0].astype(np.float32),
        {"type": "blosc", "cname": "zstd", "clevel": 3, "shuffle": 1},
    )


def pyramid(path: Path) -> None:
    """As n5-viewer has it."""
    added(
        path,
        n5="2.5.1",
        downsamplingFactors=[[1, 1, 1], [2, 2, 1]],
        pixelResolution={"unit": "um", "dimensions": [0.5, 0.5, 2.0]},
    )
    dataset(path / "s0", VOLUME)
    dataset(path / "s1", VOLUME[:, ::2, ::2].copy())


def cosem(path: Path) -> None:
    """With the transforms of COSEM."""
    levels = [
        {"path": f"s{k}", "transform": transform([4.0 * f, 2.0 * f, 2.0 * f], [2.0 * (f - 1), f - 1.0, f - 1.0])}
        for k, f in enumerate((1, 2))
    ]
    added(path / "em" / "fibsem", multiscales=[{"name": "fibsem", "datasets": levels}])
    dataset(path / "em" / "fibsem" / "s0", VOLUME)
    dataset(path / "em" / "fibsem" / "s1", VOLUME[::2, ::2, ::2].copy())


def transform(scale: list[float], translate: list[float]) -> dict[str, Any]:
    return {"axes": ["z", "y", "x"], "units": ["nm"] * 3, "scale": scale, "translate": translate}


def paintera(path: Path) -> None:
    added(path / "cells", painteraData={"type": "label"}, maxId=9)
    added(path / "cells" / "data", multiScale=True, resolution=[4.0, 4.0, 40.0], offset=[8.0, 0.0, 0.0])
    dataset(path / "cells" / "data" / "s0", (VOLUME % 10).astype(np.uint64))
    dataset(path / "cells" / "data" / "s1", (VOLUME[:, ::2, ::2] % 10).astype(np.uint64), downsamplingFactors=[2, 2, 1])


def bdv(path: Path) -> None:
    """Two setups at three times, as BigDataViewer has them."""
    for setup in (0, 1):
        added(path / f"setup{setup}", downsamplingFactors=[[1, 1, 1], [2, 2, 1]], dataType="uint16")
        for time in range(3):
            view = path / f"setup{setup}" / f"timepoint{time}"
            added(view, multiScale=True, resolution=[0.5, 0.5, 2.0])
            dataset(view / "s0", VOLUME + setup + 10 * time)
            dataset(view / "s1", VOLUME[:, ::2, ::2] + setup + 10 * time)
