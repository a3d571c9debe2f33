"""The chunks of an array as they are stored, for layouts that pass them on unopened."""

from __future__ import annotations

from diascope.image.level import Level
from diascope.image.region import Ints
from diascope.image.stored import Stored, stored_as
from diascope.sources.reading.named_axes import Axes
from diascope.sources.reading.packed.sound import is_sound
from diascope.sources.zarr.array import Array
from diascope.sources.zarr.chain import Plain


def with_stored(level: Level, array: Array, axes: Axes) -> Level:
    """The level of an array with its chunks as they are stored, where one codec that is well known packs them.

    Not where the level is smaller than a chunk: its own chunks are clipped.
    """
    chain, chunk_shape = array.metadata.chunk_chain, array.metadata.chunk_shape
    body, packing = chain.body, chain.packing
    if packing is None or not isinstance(body, Plain) or axes.ordered(chunk_shape, 1) != level.chunk_shape:
        return level

    def chunk(index: Ints) -> bytes | None:
        """Of a chunk that seems broken nothing: who opens it tells what is wrong."""
        data = array.packed(axes.placed(index))
        return data if data is not None and is_sound(packing.codec, data, body.encoded_size) else None

    stored = Stored(
        codec=packing.codec,
        dtype=body.dtype,
        order="".join(axes.letters[axis] for axis in packing.order),
        is_padded=True,
        chunk=chunk,
        parameters=packing.parameters,
        is_near=array.store.local_path("") is not None,
    )
    return stored_as(level, stored)
