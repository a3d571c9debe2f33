"""The lazy multiscale image: what a source opens, an operation maps, and a layout lays out."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping as Ranges
from dataclasses import dataclass, field, fields
from pickle import PicklingError
from typing import Any, Literal, TypeAlias

import numpy as np

from diascope.image.affine import Affine
from diascope.image.axes import ORDER, Axis
from diascope.image.level import Level, Pixels
from diascope.image.mapping import IDENTITY, Mapping
from diascope.image.metadata import Channel, Metadata
from diascope.image.order import Selection
from diascope.registry import registry

Kind: TypeAlias = Literal["intensity", "labels", "rgb"]

Interpolation: TypeAlias = Literal["nearest", "linear", "cubic"]
"""How pixels between pixels are made."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """That an image is another one, seen through a map at the places of its own levels' pixels."""

    source: Image
    mapping: Mapping
    """From the image's positions to the source's."""
    interpolation: Interpolation


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Image:
    """The same pixels at one or more levels.

    Sliced with square brackets it gives the pixels of level 0 as a numpy array would. It pickles where it is known how
    it was opened, and is then opened again in the process that it comes to; an image made of another one is not.
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
    stored: Mapping = IDENTITY
    """From its positions to those of the image as it was opened, through all operations; NaN where there are many."""
    resampling: Resampling | None = field(default=None, init=False)
    """What its pixels are interpolated from, so that a further map interpolates that instead of them; see
    ``resampled_by``. ``replace`` leaves it out: pixels that are made of them are no longer interpolated from it."""
    origin: Callable[[], Image] | None = field(default=None, init=False)
    """What opens it again, in another process too; see ``opened_by``. ``replace`` leaves it out: another image's pixels
    must not come back for this one's."""

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

    def __repr__(self) -> str:
        """On one line: name, kind, axes with their sizes, type, distances of pixels, and how many levels."""
        sizes = " ".join(f"{axis.name}={size}" for axis, size in zip(self.axes, self.shape, strict=True))
        levels = f"{len(self.levels)} level{'s' * (len(self.levels) > 1)}"
        return f"<Image {self.name!r}: {self.kind}, {sizes}, {self.dtype.name}, {self._spacings()}{levels}>"

    def _spacings(self) -> str:
        known = zip(self.axes, self.levels[0].scale, strict=True)
        told = [f"{axis.name} {scale:.6g} {axis.unit}" for axis, scale in known if axis.unit]
        return f"{', '.join(told)}, " if told else ""

    def __reduce__(self) -> tuple[Callable[[], Image], tuple[()]]:
        if self.origin is None:
            raise PicklingError(
                f"{self!r} cannot be sent to another process: open it there, or here by its file and view"
            )
        return self.origin, ()

    def cutout(self, at: str | None = None, **ranges: Ranges[str, tuple[float | None, float | None]]) -> Pixels:
        """The pixels of ranges by unit and axis, such as ``um={"x": (10, 60)}`` or ``pixels={"c": (0, 1)}``.

        Lengths count from the outer edge of the first pixel; None is an edge of the image, and an axis without a range
        is taken whole. Without ``at`` they are the stored pixels whose centres lie in the ranges; with it, such as
        ``"2 um"``, the spatial axes are resampled to this distance of pixels, out of the level that fits.
        """
        from diascope.image.cutout import cutout

        return cutout(self, ranges, at)

    @property
    def dask(self) -> Any:
        """Level 0 as a ``dask.array``; see ``to_dask``."""
        return self.to_dask()

    @property
    def xarray(self) -> Any:
        """Level 0 as an ``xarray.DataArray``; see ``to_xarray``."""
        return self.to_xarray()

    def to_dask(self, level: int = 0) -> Any:
        """A level as a ``dask.array`` in pieces of whole chunks, of which only what is computed is read."""
        return exported("dask", self, level)

    def to_xarray(self, level: int = 0) -> Any:
        """A level as an ``xarray.DataArray`` on dask, with physical coordinates, their units, and channels by name."""
        return exported("xarray", self, level)

    def to_zarr_store(self) -> Any:
        """The files of OME-Zarr 0.5, made when they are read, as a read-only store of zarr-python 3."""
        return exported("zarr", self)

    def _repr_html_(self) -> str:
        """A small picture, where one is quickly made, and a table of the axes."""
        return str(exported("html", self))


def opened_by(image: Image, origin: Callable[[], Image]) -> Image:
    """The same image that also knows what opens it again; the origin must pickle."""
    return _knowing(image, origin=origin, resampling=image.resampling)


def resampled_by(image: Image, resampling: Resampling) -> Image:
    """The same image that also knows what its pixels are interpolated from; it must be true."""
    return _knowing(image, resampling=resampling)


def _knowing(image: Image, **known: Any) -> Image:
    """The same image, of which fields are set that no caller of ``replace`` may set, so that none can be wrong."""
    same = Image(**{each.name: getattr(image, each.name) for each in fields(image) if each.init})
    for name, value in known.items():
        object.__setattr__(same, name, value)
    return same


def exported(name: str, *arguments: Any) -> Any:
    """What a Python library wants of an image: these rooms lie above this one, and register as plug-ins."""
    return registry("exports")[name](*arguments)
