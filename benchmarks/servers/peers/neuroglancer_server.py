"""neuroglancer's own Python server, with a volume that TensorStore opens: ``python peer.py FOLDER PORT``."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import ClassVar

import neuroglancer
import neuroglancer.server
import tensorstore
from neuroglancer.local_volume import LocalVolume

folder, port = Path(sys.argv[1]), int(sys.argv[2])
store = tensorstore.open(
    {"driver": "zarr", "kvstore": {"driver": "file", "path": f"{folder / 'volume2.zarr' / '0'}/"}}
).result()
scale = neuroglancer.CoordinateSpace(names=["z", "y", "x"], units="um", scales=[1, 1, 1])
volume = LocalVolume(store, dimensions=scale, encoding="raw", volume_type="image")
server = neuroglancer.server.Server(bind_port=port)


class Viewer:
    """As much of one as the server asks for."""

    class volume_manager:  # noqa: N801
        volumes: ClassVar = {"volume": volume}


viewer = Viewer()
server.viewers["viewer"] = viewer
threading.Event().wait()
