"""A source of images computed on demand: a small JSON file says how large they are.

::

    {"axes": "zyx", "shape": [10000, 1000000, 1000000], "dtype": "uint16", "levels": 13, "chunk_shape": [64, 64, 64]}

No installation knows it, so that nobody's JSON is taken for an image; a test or a benchmark adds it with
``registry("sources").including("synthetic", source)``.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from diascope.errors import Unreadable
from diascope.image.image import Kind
from diascope.sources.dataset import Dataset
from diascope.sources.reading.names.stem import stem
from diascope.sources.source import Head, Source
from diascope.stores.store import Store
from diascope.testing.synthetic import ramp

SUFFIXES = (".synthetic.json",)


class Described(BaseModel):
    """What such a file says; the pixels are those of ``synthetic.ramp``."""

    model_config = ConfigDict(extra="forbid")

    axes: str
    shape: tuple[int, ...]
    dtype: str = "uint16"
    levels: int = 1
    chunk_shape: tuple[int, ...] | None = None
    kind: Kind = "intensity"


def _matches(head: Head) -> bool:
    return head.name.endswith(SUFFIXES) and head.first.startswith(b"{")


def _open(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    said = Described.model_validate_json(blob.read(0, blob.stat.size))
    if len(said.shape) != len(said.axes):
        raise Unreadable(f"{path}: {len(said.axes)} axes have {len(said.shape)} sizes")
    name = stem(path, SUFFIXES)
    image = ramp(
        said.axes,
        said.shape,
        said.dtype,
        levels=said.levels,
        chunk_shape=said.chunk_shape,
        kind=said.kind,
        name=name,
    )
    return Dataset(version=blob.stat.version, images={name: image}, files=(path,))


source = Source(name="synthetic", title="Computed on demand", suffixes=SUFFIXES, matches=_matches, open=_open)
