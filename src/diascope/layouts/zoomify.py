"""Zoomify folders, as its own viewer, OpenLayers and OpenSeadragon read them.

https://openlayers.org/en/latest/apidoc/module-ol_source_Zoomify-Zoomify.html; the format has no specification ::

    name.zoomify/
      ImageProperties.xml
      TileGroup{group}/{tier}-{x}-{y}.jpg

Tiles are 256 pixels wide and high, less at the right and lower edges. Tier 0 is the first that fits in one tile, each
one after it twice as large. The tiles of all tiers are numbered one after another, row by row; 256 of them are a group.

Sides that are halved are rounded up. OpenSeadragon rounds them down, so now and then counts fewer tiles and looks for
one in an earlier group: it is served there too, but not listed. Where the longer side rounds down to 256 and up to 257,
as of one picture in 250, OpenSeadragon has a tier less, and no folder can be right for both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate

from diascope.image.image import Image
from diascope.image.level import Level
from diascope.image.pyramid import dyadic
from diascope.image.region import Ints, grid_shape
from diascope.layouts.layout import Layout
from diascope.layouts.passing import jpeg_tiles, passed
from diascope.layouts.picture import TILE, jpeg_bytes, pixels, refusal
from diascope.tree.file import File, Tree, in_memory, whole
from diascope.tree.table import Table, literal

SUFFIX = ".zoomify"
GROUP = 256
"""Tiles in a group."""
NUMBER = "(0|[1-9][0-9]{0,8})"
NAME = re.compile(rf"{NUMBER}-{NUMBER}-{NUMBER}\.jpg")


@dataclass(frozen=True, slots=True)
class Tiers:
    """Grids of tiles, numbered one after another."""

    grids: tuple[Ints, ...]
    """Rows and columns of each tier, coarsest first."""
    starts: tuple[int, ...]
    """The number of the first tile of each, and at the end how many there are."""

    @property
    def groups(self) -> range:
        return range(-(-self.starts[-1] // GROUP))

    def group(self, tier: int, x: int, y: int) -> int:
        return (self.starts[tier] + y * self.grids[tier][1] + x) // GROUP

    def has(self, tier: int, x: int, y: int) -> bool:
        return tier < len(self.grids) and y < self.grids[tier][0] and x < self.grids[tier][1]

    def within(self, group: int) -> range:
        """The tiers that have tiles in a group."""
        having = [
            tier
            for tier in range(len(self.grids))
            if self.starts[tier] < (group + 1) * GROUP and self.starts[tier + 1] > group * GROUP
        ]
        return range(having[0], having[-1] + 1)

    def rows(self, group: int, tier: int, x: int) -> range:
        """Those whose tile in a column is in a group."""
        rows, columns = self.grids[tier]
        first = group * GROUP - self.starts[tier] - x
        return range(max(-(-first // columns), 0), min(-(-(first + GROUP) // columns), rows))


def tiers(sizes: list[Ints]) -> Tiers:
    """Of levels of these rows and columns, coarsest first."""
    grids = tuple(grid_shape(size, (TILE, TILE)) for size in sizes)
    return Tiers(grids, tuple(accumulate((rows * columns for rows, columns in grids), initial=0)))


def kept_levels(picture: Image) -> tuple[Level, ...]:
    """Coarsest first, from the one that fits in a tile."""
    levels = dyadic(picture).levels
    last = next(k for k, level in enumerate(levels) if max(level.shape[-2:]) <= TILE)
    return levels[last::-1]


def rounded_down(size: Ints, count: int) -> list[Ints]:
    """The rows and columns of so many tiers as OpenSeadragon computes them, coarsest first."""
    return [(max(size[0] >> k, 1), max(size[1] >> k, 1)) for k in reversed(range(count))]


def _tree(image: Image) -> Tree:
    levels = kept_levels(image)
    stored = [jpeg_tiles(image, level) for level in levels]
    cut = tiers([level.shape[-2:] for level in levels])
    other = tiers(rounded_down(image.shape[-2:], len(levels)))
    folder = literal(image.name + SUFFIX)

    def tile(tier: int, x: int, y: int, **_: int) -> File:
        level = levels[tier]
        box = (range(i * TILE, min(i * TILE + TILE, n)) for i, n in zip((y, x), level.shape[-2:], strict=True))
        rows, columns = box

        def make() -> bytes:
            return jpeg_bytes(pixels(image, level, rows, columns))

        return passed(stored[tier], rows, columns, make) or whole(make, "image/jpeg")

    def elsewhere(group: int, name: str) -> File | None:
        found = NAME.fullmatch(name)
        place = tuple(map(int, found.groups())) if found else None
        return tile(*place) if place and other.has(*place) and other.group(*place) == group else None

    table = Table()
    table.add(f"{folder}/ImageProperties.xml", lambda: _properties(image, cut))
    table.add(
        f"{folder}/TileGroup{{group}}/{{tier}}-{{x}}-{{y}}.jpg",
        tile,
        group=lambda: cut.groups,
        tier=cut.within,
        x=lambda tier, **_: range(cut.grids[tier][1]),
        y=cut.rows,
    )
    table.add(f"{folder}/TileGroup{{group}}/{{name}}", elsewhere, group=lambda: cut.groups)
    return table


def _properties(image: Image, cut: Tiers) -> File:
    height, width = image.shape[-2:]
    text = (
        f'<IMAGE_PROPERTIES WIDTH="{width}" HEIGHT="{height}" NUMTILES="{cut.starts[-1]}" NUMIMAGES="1" '
        f'VERSION="1.8" TILESIZE="{TILE}" />\n'
    )
    return in_memory(text.encode(), "application/xml")


layout = Layout(
    name="zoomify",
    title="Zoomify",
    suffix=SUFFIX,
    is_folder=True,
    refuses=refusal,
    tree=_tree,
    steps={
        "OpenLayers": 'new ol.source.Zoomify({url: "{url}", size: [width, height]}), '
        "with the size that {url}ImageProperties.xml tells",
    },
    picture=True,
)
