"""An image as a notebook shows it (https://ipython.readthedocs.io/en/stable/config/integrating.html#rich-display)."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from math import prod

from diascope.catalogue.thumbnail import fitting, shrunk
from diascope.encodings import jpeg
from diascope.image.image import Image
from diascope.image.level import Level
from diascope.operations.view import view

SIZE = 192
"""Of the longer side of the picture."""

MOST = 1 << 24
"""How many stored samples are read for the picture: nobody waits for a look at a variable."""

LONGEST = 200


def html(image: Image) -> str:
    """Name, kind, a small picture and a table of the axes; every text of the file is escaped."""
    told = [f"<b>{_safe(image.name)}</b>", image.kind, image.dtype.name, f"{len(image.levels)} levels"]
    if image.metadata.format:
        told.append(_safe(image.metadata.format))
    head = "<tr><th>axis</th><th>size</th><th>chunk</th><th>spacing</th></tr>"
    table = f"<table>{head}{''.join(_row(image, image.levels[0], d) for d in range(len(image.axes)))}</table>"
    return f"<div>{' · '.join(told)}<br>{_picture(image)}{table}{_channels(image)}</div>"


def _row(image: Image, level: Level, d: int) -> str:
    axis = image.axes[d]
    spacing = f"{level.scale[d]:.6g} {_safe(axis.unit)}" if axis.unit else ""
    cells = (axis.name, f"{level.shape[d]}", f"{level.chunk_shape[d]}", spacing)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _channels(image: Image) -> str:
    names = [_safe(channel.name) for channel in image.channels[:32] if channel.name]
    return f"<div>channels: {', '.join(names)}</div>" if names else ""


def _picture(image: Image) -> str:
    """The picture as a data URI, or why there is none: a table of axes must not fail for a broken chunk."""
    try:
        picture = view("render").applied(image)
        level = fitting(picture, SIZE)
        if prod(level.shape) * level.cost > MOST:
            return "<div>no picture: it has no coarse level</div>"
        data = b64encode(jpeg.encoded(shrunk(level, SIZE))).decode("ascii")
    except Exception as error:  # noqa: BLE001 - whatever is wrong is told in its place
        return f"<div>no picture: {_safe(str(error))}</div>"
    return f'<img alt="{_safe(image.name)}" src="data:image/jpeg;base64,{data}">'


def _safe(text: str) -> str:
    return escape(text if len(text) <= LONGEST else f"{text[:LONGEST]}…")
