"""A level that is made of tiles."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from diascope.errors import Unreadable
from diascope.image.image import Image
from diascope.image.level import Level, Pixels, assembled
from diascope.image.region import Ints, Region
from diascope.sources.members import Member
from diascope.sources.reading.steady import Steady
from diascope.sources.terafly.grid import Grid, depth_of

LARGEST_CHUNK = 1 << 22


def tiled_level(grid: Grid, members: Steady) -> Level:
    """The level of all tiles; each is opened when a region touches it."""
    voxel = grid.voxel or (1.0, 1.0, 1.0)
    colours = (grid.first.size("c"),) if grid.first.kind == "rgb" else ()
    level = Level(
        shape=grid.shape,
        dtype=grid.first.dtype,
        chunk_shape=(*colours, *_chunk_shape(grid)),
        scale=(*(1.0 for _ in colours), *voxel),
        translation=(0.0,) * len(grid.shape),
        read_pixels=grid.first.levels[0].read_pixels,
    )

    def read_pixels(region: Region) -> Pixels:
        start, stop = region.start[-3:], region.stop[-3:]
        axes = (grid.depths, grid.rows, grid.columns)
        touched = [list(along.touched(a, b)) for along, a, b in zip(axes, start, stop, strict=True)]
        return assembled(level, region, (_piece(grid, members, region, tile) for tile in product(*touched)))

    return replace(level, read_pixels=read_pixels)


def _piece(
    grid: Grid, members: Steady, region: Region, tile: tuple[tuple[int, int, int], ...]
) -> tuple[Region, Pixels]:
    """What of a region lies in a tile, and its pixels."""
    (depth, z0, z1), (row, y0, y1), (column, x0, x1) = tile
    colours = region.start[:-3], region.stop[:-3]
    box = Region((*colours[0], z0, y0, x0), (*colours[1], z1, y1, x1))
    member = grid.member(row, column, depth)
    image = _checked(members, member, grid.first, (z1 - z0, y1 - y0, x1 - x0))
    part = box.intersection(region)
    return part, _read(image, part.shifted((*(0 for _ in colours[0]), z0, y0, x0)))


def _checked(members: Steady, member: Member, first: Image, shape: Ints) -> Image:
    """The image of a tile; raises Unreadable where it is missing or of another shape than it must be."""
    image = members.image(member)
    own = (depth_of(image), image.size("y"), image.size("x"))
    if own != shape or (image.dtype, image.kind) != (first.dtype, first.kind):
        raise Unreadable(
            f"{member.path}: its {own} pixels of {image.dtype} along z, y and x should be {shape} of {first.dtype}"
        )
    return image


def _read(image: Image, part: Region) -> Pixels:
    """The pixels of a part along (colours,) z, y and x."""
    level = image.levels[0]
    known = dict(zip("zyx", zip(part.start[-3:], part.stop[-3:], strict=True), strict=True))
    if len(part.start) > 3:
        known["c"] = (part.start[0], part.stop[0])
    # The axis of planes may be called otherwise, since a TIFF file only counts pages.
    depth = next((name for name in image.axis_names if name not in known and image.size(name) > 1), "z")
    known[depth] = known["z"]
    ends = [known[name] if name in known and (name != "z" or depth == "z") else (0, 1) for name in image.axis_names]
    pixels = level.read(Region(tuple(a for a, _ in ends), tuple(b for _, b in ends)))
    order = [image.axis_names.index(name) for name in ("c", depth, "y", "x") if name in image.axis_names]
    rest = [k for k in range(pixels.ndim) if k not in order]
    return pixels.transpose([*rest, *order]).reshape(part.shape)


def _chunk_shape(grid: Grid) -> Ints:
    """The chunks of the first tile, or more of its planes where they are small."""
    level, axes = grid.first.levels[0], grid.first.axis_names
    own = dict(zip(axes, level.chunk_shape, strict=True))
    rows, columns = own["y"], own["x"]
    depth = next((own[name] for name in axes if name not in "cyx"), 1)
    wanted = max(LARGEST_CHUNK // max(rows * columns * level.dtype.itemsize, 1), 1)
    return (min(max(depth, min(wanted, 16)), max(grid.depths.ends[0], 1)), rows, columns)
