"""The matrix: every judge on every representation that it reads, through every door that leads there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.conformance import (
    bdv,
    deep_zoom,
    iiif,
    n5,
    nifti,
    nrrd,
    ome_tiff,
    ome_zarr,
    precomputed,
    precomputed_sharded,
    viewers,
    zoomify,
)
from tests.conformance.doors import DOORS
from tests.conformance.records import Door, Judge, Representation

ROOMS = (ome_zarr, precomputed, precomputed_sharded, ome_tiff, nifti, deep_zoom, iiif, viewers, nrrd, n5, bdv, zoomify)

REPRESENTATIONS = {each.name: each for room in ROOMS for each in room.REPRESENTATIONS}
JUDGES: tuple[Judge, ...] = tuple(judge for room in ROOMS for judge in room.JUDGES)


class Row(NamedTuple):
    """A line of the matrix."""

    representation: Representation
    door: Door
    judge: Judge

    @property
    def missing(self) -> str | None:
        """What this machine lacks for it, with the command that mends it."""
        return self.judge.missing() or self.door.missing()

    @property
    def optional(self) -> bool:
        """Whether it may be missing even with CI=true."""
        return self.judge.optional or self.door.optional

    def __str__(self) -> str:
        return f"{self.representation.name}, {self.door.name}, {self.judge.name}"


def rows() -> Iterator[Row]:
    """Every line, representation by representation."""
    for representation in REPRESENTATIONS.values():
        for door in DOORS.values():
            for judge in JUDGES:
                if representation.name in judge.representations and door.name in judge.doors:
                    yield Row(representation, door, judge)
