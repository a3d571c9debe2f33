"""The lazy multiscale image: what a source opens, an operation maps, and a layout lays out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from diascope.image.affine import Affine
from diascope.image.axes import ORDER, Axis
from diascope.image.level import Level, Pixels
from diascope.image.metadata import Channel, Metadata
from diascope.image.order import Selection

Kind: TypeAlias = Literal["intensity", "labels", "rgb"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """The same pixels at one or more levels.

    Sliced with square brackets it gives the pixels of level 0 as a numpy array would.
    """

    name: str
    kind: Kind
    """``rgb`` has a channel axis of three or four colours, the fourth being opacity; ``labels`` are integers."""
    axes: tuple[Axis, ...]
    """In the order t c z y x, slowest first; y and x are always there."""
    levels: tuple[Level, ...]
    """Finest first."""
    channels: tuple[Channel, ...] = ()
    """As many as the channel axis is long, or one where there is no such axis, or none where nothing is known."""
    world: Affine | None = None
    metadata: Metadata = field(default_factory=Metadata)

    def __post_init__(self) -> None:
        places = [ORDER.find(axis.name) for axis in self.axes]
        if -1 in places or places != sorted(set(places)) or "yx" not in self.axis_names:
            msg = f"the axes {self.axis_names!r} are not in the order {ORDER!r}, or lack y and x"
            raise ValueError(msg)

    @property
    def axis_names(self) -> str:
        return "".join(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.levels[0].shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.levels[0].dtype

    def size(self, axis: str) -> int:
        """The length of an axis at level 0, one where the image lacks it."""
        return self.shape[self.axis_names.index(axis)] if axis in self.axis_names else 1

    def __getitem__(self, key: Any) -> Pixels:
        selection = Selection.of(key, self.shape)
        return selection.taken(self.levels[0].read(selection.region))
