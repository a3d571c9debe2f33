"""What libraries need for the same blocks in their own process, without any server: W6 has no other peer."""

from __future__ import annotations

import json
import os
import subprocess
from statistics import median
from typing import Any

import numpy as np

from .peers import HERE, Peers
from .pictures import CHUNK
from .report import JUDGED
from .work import MATRIX, Work

LIBRARIES = ("SimpleITK", "SciPy")
BLOCKS = 40


def resampled(peers: Peers, work: Work, libraries: tuple[str, ...], rounds: int) -> list[dict[str, Any]]:
    """A result of each, taking turns."""
    python, script = peers.installed / "simpleitk" / "bin" / "python", HERE / "resampling.py"
    if not python.exists():
        trouble = f"{python} is not there: run benchmarks/servers/install.sh"
        return [_told(library, trouble, []) for library in libraries]
    side, path = peers.pictures.volume.side, peers.scratch / "volume.npy"
    np.save(path, peers.pictures.volume.region((0, 0, 0), (side,) * 3))
    seconds: dict[str, list[float]] = {library: [] for library in libraries}
    places = work.places[:BLOCKS]
    expected = [float(work.expected(place).sum()) for place in places]
    for _ in range(rounds):
        for library in libraries:
            found = _answer([str(python), str(script), str(path)], library, places)
            if not np.allclose(found["sums"], expected, rtol=1e-3):
                raise SystemExit(f"{library} has other voxels")
            seconds[library].append(found["seconds"] / len(places))
    return [_told(library, None, each) for library, each in seconds.items()]


def _answer(command: list[str], library: str, places: list[tuple[int, ...]]) -> dict[str, Any]:
    starts = [[index * CHUNK for index in place] for place in places]
    order = json.dumps({"library": library, "matrix": MATRIX.tolist(), "starts": starts})
    done = subprocess.run(command, input=order + "\n", capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _told(library: str, missing: str | None, seconds: list[float]) -> dict[str, Any]:
    """As if it were a server of one connection or many, that nothing but its blocks costs."""
    cost = median(seconds) * 1000 if seconds else 0
    phase = {"when": "first", "cpu_ms": cost, "per_second": 1000 / cost if cost else 0, "p50_ms": cost, "p99_ms": cost}
    phases = [{**phase, "connections": connections, "load": os.getloadavg()[0]} for connections in (1, JUDGED)]
    name = f"{library}, library alone"
    return {"work": "affine", "name": name, "missing": missing, "peak_bytes": 0, "phases": [] if missing else phases}
