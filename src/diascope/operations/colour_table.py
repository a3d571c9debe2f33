"""The 256 colours of a map: by name out of the catalogue of cmap, or mixed of a few."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator

from diascope.operations.transfer import colour_of
from diascope.operations.values import Spelling

LONGEST = 64
"""How many characters a name has at most."""

REVERSED = "_r"


def _named(value: Any) -> str | None:
    """The name of a map in lower case, without a namespace that it does not need."""
    if value is None:
        return None
    text = str(value)
    full, reverse = _found(text) if len(text) <= LONGEST else (None, False)
    if full is None:
        raise ValueError(f"there is no map {text[:LONGEST]!r}; viridis, magma, gray, turbo and blues are some")
    plain = text.removesuffix(REVERSED) if reverse else text
    short = plain.rpartition(":")[2]
    return (short if _found(short) == (full, False) else plain).lower() + REVERSED * reverse


OptionalMap = Annotated[str | None, BeforeValidator(_named), Spelling("viridis")]


@lru_cache(maxsize=1024)
def _found(name: str) -> tuple[str | None, bool]:
    """The full name in the catalogue, None where there is none, and whether it is taken from its end."""
    # It reads its index of maps when it is imported, which only those wait for that want one.
    from cmap import Colormap

    catalogue = Colormap.catalog()
    for text, reverse in ((name, False), (name.removesuffix(REVERSED), True)):
        try:
            return catalogue.resolve(text), reverse and text != name
        except KeyError:
            continue
    return None, False


@lru_cache(maxsize=256)
def entries(name: str) -> bytes:
    """Red, green and blue of the 256 colours of a map of the catalogue."""
    from cmap import Colormap

    full, reverse = _found(name)
    colours: NDArray[np.float64] = np.asarray(Colormap(full or name).lut(256))[:, :3]
    colours = colours[::-1] if reverse else colours
    # A map of a few colours that are not mixed has no more: each stands for an equal part of the whole.
    spread = np.minimum(np.arange(256) * len(colours) // 255, len(colours) - 1)
    return _bytes(colours[spread] if len(colours) < 256 else colours)


@lru_cache(maxsize=256)
def gradient(colours: Sequence[str]) -> bytes:
    """Red, green and blue of 256 colours that lead evenly from one to the next."""
    stops = np.array([colour_of(colour) for colour in colours]) / 255
    at, places = np.linspace(0, len(colours) - 1, 256), np.arange(len(colours))
    return _bytes(np.stack([np.interp(at, places, stops[:, k]) for k in range(3)], axis=1))


def _bytes(colours: NDArray[np.float64]) -> bytes:
    return np.rint(colours * 255).astype(np.uint8).tobytes()
