"""Deep Zoom images, as OpenSeadragon and vips read and write them.

https://learn.microsoft.com/en-us/previous-versions/windows/silverlight/dotnet-windows-silverlight/cc645077(v=vs.95)
with the schema http://schemas.microsoft.com/deepzoom/2008. Level ``d`` of ``top`` has every side halved ``top - d``
times, rounded up, down to a single pixel at level 0.

``{stem}.dzi`` has JPEG tiles; ``{stem}.png.dzi``, without loss, PNG tiles. A tile is a source's chunk where those are
squares of 192 to 512 pixels; else it is one of 254 pixels with an overlap of 1, which together make 256.
"""

from __future__ import annotations

from typing import NamedTuple

from diascope.image.image import Image
from diascope.image.pyramid import dyadic
from diascope.layouts.layout import Layout
from diascope.layouts.passing import jpeg_tiles, passed
from diascope.layouts.picture import ENCODINGS, pixels, refusal, tile_side
from diascope.tree.file import File, Tree, in_memory, whole
from diascope.tree.table import Table, literal


class Tiling(NamedTuple):
    """How the levels of a pyramid are cut."""

    side: int
    overlap: int
    """Pixels that a tile has of its neighbour, on the sides that have one."""

    def span(self, index: int, size: int) -> range:
        """The rows or columns of a tile in a level of so many."""
        start = index * self.side
        return range(max(start - self.overlap, 0), min(start + self.side + self.overlap, size))

    def count(self, size: int) -> int:
        return -(-size // self.side)


def tiling(picture: Image) -> Tiling:
    """Tiles that cost one chunk each where the source's grid allows it."""
    side = tile_side(picture)
    return Tiling(side, overlap=0) if side else Tiling(254, overlap=1)


def _tree(image: Image) -> Tree:
    table = Table()
    picture = dyadic(image)
    _add(table, picture, "", "jpeg")
    _add(table, picture, ".png", "png")
    return table


def _add(table: Table, image: Image, flavour: str, ending: str) -> None:
    """The descriptor and the tiles in one format."""
    levels, cut = image.levels[::-1], tiling(image)
    encoded, media_type = ENCODINGS["jpg" if ending == "jpeg" else ending]
    stored = [jpeg_tiles(image, level) if ending == "jpeg" else None for level in levels]
    stem = literal(image.name) + flavour

    def tile(depth: int, x: int, y: int) -> File:
        level = levels[depth]
        rows, columns = cut.span(y, level.shape[-2]), cut.span(x, level.shape[-1])

        def make() -> bytes:
            return encoded(pixels(image, level, rows, columns))

        return passed(stored[depth], rows, columns, make) or whole(make, media_type)

    table.add(f"{stem}.dzi", lambda: _descriptor(image, cut, ending))
    table.add(
        f"{stem}_files/{{depth}}/{{x}}_{{y}}.{ending}",
        tile,
        depth=lambda: range(len(levels)),
        x=lambda depth, **_: range(cut.count(levels[depth].shape[-1])),
        y=lambda depth, **_: range(cut.count(levels[depth].shape[-2])),
    )


def _descriptor(image: Image, cut: Tiling, ending: str) -> File:
    height, width = image.shape[-2:]
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" TileSize="{cut.side}" Overlap="{cut.overlap}" '
        f'Format="{ending}">\n  <Size Width="{width}" Height="{height}"/>\n</Image>\n'
    )
    return in_memory(text.encode(), "application/xml")


layout = Layout(
    name="dzi",
    title="Deep Zoom",
    suffix=".dzi",
    companions=("_files", ".png.dzi", ".png_files"),
    is_folder=False,
    refuses=refusal,
    tree=_tree,
    steps={"OpenSeadragon": 'OpenSeadragon({id: "viewer", tileSources: "{url}"})'},
    picture=True,
)
