"""Tiny datasets of BigDataViewer in N5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.sources import n5_files

SETUP = """<ViewSetup><id>{id}</id><name>tile {id}</name><size>31 23 9</size>
<voxelSize><unit>um</unit><size>0.5 0.25 2.0</size></voxelSize><attributes><channel>{id}</channel></attributes>
</ViewSetup>"""

VIEW = """<ViewRegistration timepoint="{time}" setup="{setup}">
<ViewTransform type="affine"><Name>moved</Name><affine>1 0 0 {shift} 0 1 0 -2 0 0 1 3</affine></ViewTransform>
<ViewTransform type="affine"><affine>0.5 0 0 0 0 0.25 0 0 0 0 2 0</affine></ViewTransform>
</ViewRegistration>"""

XML = """<?xml version="1.0" encoding="UTF-8"?>
<SpimData version="0.2"><BasePath type="relative">.</BasePath><SequenceDescription>
<ImageLoader format="bdv.n5" version="1.0"><n5 type="relative">{container}</n5></ImageLoader>
<ViewSetups>{setups}<Attributes name="channel">
<Channel><id>0</id><name>red</name></Channel><Channel><id>1</id><name>green</name></Channel>
</Attributes></ViewSetups>
<Timepoints type="range"><first>0</first><last>2</last></Timepoints></SequenceDescription>
<ViewRegistrations>{views}</ViewRegistrations></SpimData>
"""


def stack(path: Path, step: int = 10) -> None:
    container = path.with_suffix(".n5")
    n5_files.bdv(container)
    setups = "".join(SETUP.format(id=k) for k in range(2))
    views = "".join(VIEW.format(time=t, setup=s, shift=step * s) for t in range(3) for s in range(2))
    path.write_text(XML.format(container=container.name, setups=setups, views=views), encoding="utf-8")


SAMPLES: dict[str, Any] = {"tiles.xml": stack, "moved.xml": lambda path: stack(path, 20)}
