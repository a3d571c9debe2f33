"""What every source must keep; a plug-in's tests call ``check_source`` with its record and a file of its format.

The file is read through a store that has no local path and counts, so that a source that reads past its store, or reads
pixels to open a file, shows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from itertools import product
from math import inf, isfinite
from pathlib import Path
from random import Random

import numpy as np

from diascope.catalogue.members import Pool
from diascope.catalogue.opening import Owner, opened
from diascope.errors import BadRequest, DiascopeError
from diascope.image.cache import chunk_cache
from diascope.image.image import Image
from diascope.image.level import Level, Pixels, read_whole
from diascope.image.region import Region
from diascope.image.units import METRES, SECONDS
from diascope.sources.dataset import Dataset
from diascope.sources.source import HEAD_SIZE, Head, Source, first_names
from diascope.stores.local import LocalStore
from diascope.stores.store import Store
from diascope.testing.counting import CountingStore
from diascope.testing.stored import check_stored

METADATA = 1 << 18
"""Opening a file reads at most so many bytes, or a quarter of it."""
THREADS = 8
REGIONS = 24
BROKEN = 40

FOREIGN = (b"", b"\0" * HEAD_SIZE, b"not an image, but some text\n" * 50, b"%PDF-1.7\n", bytes(range(256)) * 16)


def check_source(source: Source, path: Path) -> None:
    """Raise AssertionError where the source breaks its contract on this file or folder, which must be small."""
    check_record(source)
    check_matches(source, path)
    check_opening(source, path)
    store = counting(path)
    dataset = bound(source, store).open(store, path.name)
    for images in (dataset.images, dataset.labels, dataset.associated):
        for name in images:
            check_image(images[name])
            check_stored(images[name])
    check_files(path, dataset)
    check_outlives(source, path)
    if path.is_file():
        check_broken(source, path)


def bound(source: Source, store: Store) -> Source:
    """The source with the other images of the store at hand, where it needs them."""
    return Pool(store=store, owner="contract", chunks=chunk_cache(0), views={}).bound(source)


def check_record(source: Source) -> None:
    """Suffixes are in lower case and the names are there."""
    assert source.name.isidentifier(), f"{source.name!r} is no name for a source"
    assert source.title, f"{source.name} has no title"
    assert source.suffixes or source.markers or source.folders, f"{source.name} tells nothing that it is known by"
    for suffix in source.suffixes:
        assert suffix.startswith("."), f"{suffix!r} is no suffix"
        assert suffix == suffix.lower(), f"{suffix!r} is not in lower case"


def check_matches(source: Source, path: Path) -> None:
    """The file is known by what it begins with, and what is no image is not."""
    assert source.matches(head(path, source.markers)), f"{source.name} does not know {path.name}"
    for first in FOREIGN:
        assert not source.matches(Head("image", first=first)), f"{source.name} takes {first[:20]!r} for an image"


def head(path: Path, markers: Iterable[str] = ()) -> Head:
    """What is seen of a file or folder before it is opened."""
    name = path.name.lower()
    if path.is_dir():
        found = frozenset(marker for marker in markers if (path / marker).exists())
        names = partial(first_names, LocalStore(path), "")
        return Head(name, markers=found, marker=lambda name: (path / name).read_bytes()[:HEAD_SIZE], names=names)
    with path.open("rb") as file:
        return Head(name, first=file.read(HEAD_SIZE))


def counting(path: Path) -> CountingStore:
    return CountingStore(LocalStore(path.parent))


def check_opening(source: Source, path: Path) -> None:
    """Opening reads metadata alone, and gives the version that is known without opening."""
    store = counting(path)
    dataset = bound(source, store).open(store, path.name)
    for images in (dataset.images, dataset.labels, dataset.associated):
        assert all(images[name] for name in images)
    size = sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())
    assert store.count <= max(METADATA, size // 4), f"opening read {store.count} of {size} bytes"
    assert dataset.version, "the dataset has no version"
    assert dataset.version == bound(source, store).version(store, path.name), "open and version give different versions"


def check_files(path: Path, dataset: Dataset) -> None:
    """The files that it is made of are there, the main one first; names of images are safe."""
    assert dataset.images, "the dataset has no image"
    assert dataset.files[:1] == (path.name,), f"the main file is {path.name}, not {dataset.files[:1]}"
    assert all(counting(path).stat(file) for file in dataset.files), f"one of {dataset.files} is not there"
    for name in (*dataset.images, *dataset.labels, *dataset.associated):
        parts = name.split("/")
        assert not {"", ".", ".."} & set(parts), f"{name!r} is no safe name"
        assert all(part.isprintable() for part in parts), f"{name!r} is no safe name"


def check_outlives(source: Source, path: Path) -> None:
    """An image can be read when nobody holds its dataset any more."""
    store = counting(path)
    image = next(iter(bound(source, store).open(store, path.name).images.values()))
    level = image.levels[-1]
    level.read(Region((0,) * len(level.shape), (1,) * len(level.shape)))


def check_image(image: Image) -> None:
    """What an image says of itself is possible, and its pixels are what it says."""
    check_description(image)
    for level in image.levels:
        check_level(level)
        check_reading(level)
    check_pyramid(image)


def check_description(image: Image) -> None:
    colours = image.size("c")
    assert image.name, "the image has no name"
    assert len(image.channels) in {0, 1, colours}, f"{len(image.channels)} channels for an axis of {colours}"
    if image.kind == "rgb":
        assert colours in {3, 4}, f"an rgb image of {colours} colours"
        place = image.axis_names.index("c")
        assert all(level.chunk_shape[place] == colours for level in image.levels), "a chunk lacks colours"
    if image.kind == "labels":
        assert image.dtype.kind in "iu", f"labels of the type {image.dtype}"
    for axis in image.axes:
        known = {"space": METRES, "time": SECONDS, "channel": {}}[axis.type]
        assert axis.unit is None or axis.unit in known, f"{axis.unit!r} is no unit of {axis.type}"
    if image.world is not None:
        assert np.isfinite(image.world.array).all(), "the world has no finite map"
    told = image.metadata
    assert told.format, "the metadata do not name the format"
    assert told.acquired is None or datetime.fromisoformat(told.acquired), "the date is not spelled as ISO 8601 does"
    assert set(told.position) <= set("xyz"), f"the stage has no {set(told.position) - set('xyz')}"
    assert all(map(isfinite, told.position.values())), f"the stage cannot be at {told.position}"
    for number in (told.magnification, told.aperture):
        assert number is None or 0 < number < inf, f"{number} is no magnification and no aperture"
    for channel in image.channels:
        assert channel.colour is None or re.fullmatch("[0-9a-f]{6}", channel.colour), f"{channel.colour} is no colour"
        for number in (*(channel.window or ()), channel.excitation or 1.0, channel.emission or 1.0):
            assert isfinite(number), f"the channel tells {number}"
    json.dumps(dict(image.metadata.extra), allow_nan=False)


def check_level(level: Level) -> None:
    rank = len(level.shape)
    assert len(level.chunk_shape) == len(level.scale) == len(level.translation) == rank, "one number for each axis"
    assert min(level.shape) > 0, f"the shape is {level.shape}"
    assert min(level.chunk_shape) > 0, f"the shape of a chunk is {level.chunk_shape}"
    assert level.dtype.isnative, f"{level.dtype} is not in the byte order of the machine"
    assert level.dtype.kind in "biufc", f"pixels cannot be {level.dtype}"
    assert all(isfinite(scale) and scale > 0 for scale in level.scale), f"the scale is {level.scale}"
    assert all(map(isfinite, level.translation)), f"the translation is {level.translation}"


def check_pyramid(image: Image) -> None:
    """Each level covers what the finest covers, to within a pixel of its own."""
    finest = image.levels[0]
    for level in image.levels[1:]:
        assert level.dtype == finest.dtype, "levels have different types"
        for d, axis in enumerate(image.axes):
            assert level.shape[d] <= finest.shape[d], f"a coarser level is longer along {axis.name}"
            extents = [each.shape[d] * each.scale[d] for each in (level, finest)]
            assert abs(extents[0] - extents[1]) <= 2 * level.scale[d], f"levels cover unlike lengths of {axis.name}"
            shift = abs(level.translation[d] - finest.translation[d])
            assert shift <= level.scale[d], f"a level is shifted along {axis.name}"


def check_reading(level: Level) -> None:
    """Regions equal the whole, from many threads too; outside there is nothing."""
    whole = read_whole(level)
    assert whole.shape == level.shape, f"{level.shape} is read as {whole.shape}"
    assert whole.dtype == level.dtype, f"{level.dtype} is read as {whole.dtype}"
    boxes = list(regions(level))

    def same(box: Region) -> None:
        pixels = level.read(box)
        assert pixels.dtype == level.dtype, f"{box} has the type {pixels.dtype}"
        assert same_pixels(pixels, whole[box.slices]), f"{box} is not the part of the whole that it should be"

    for box in boxes:
        same(box)
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(same, [*boxes[::-1], *boxes]))
    try:
        level.read(Region((0,) * len(level.shape), tuple(size + 1 for size in level.shape)))
    except BadRequest:
        return
    raise AssertionError("a region outside is read")


def same_pixels(one: Pixels, other: Pixels) -> bool:
    """Whether they are equal bit for bit, NaN being like itself."""
    return one.shape == other.shape and one.tobytes() == other.tobytes()


def regions(level: Level) -> Iterator[Region]:
    """Corners, boxes over the edges of chunks, boxes anywhere, and one of nothing."""
    rank = len(level.shape)
    yield Region((0,) * rank, (0,) * rank)
    for corner in list(product(*({0, size - 1} for size in level.shape)))[:8]:
        yield Region(corner, tuple(i + 1 for i in corner))
    edge = tuple(min(chunk, size - 1) for chunk, size in zip(level.chunk_shape, level.shape, strict=True))
    yield Region(tuple(max(i - 1, 0) for i in edge), tuple(i + 1 for i in edge))
    random = Random(1)  # noqa: S311
    for _ in range(REGIONS):
        ends = [sorted(random.sample(range(size + 1), 2)) for size in level.shape]
        yield Region(tuple(low for low, _ in ends), tuple(high for _, high in ends))


def check_broken(source: Source, path: Path) -> None:
    """A file that is cut or has wrong bytes is refused in the service's words, or read; nothing else happens."""
    data = path.read_bytes()
    for k, broken in enumerate(broken_twins(data)):
        store = CountingStore(LocalStore(path.parent), {path.name: broken})
        if not source.matches(Head(path.name.lower(), first=broken[:HEAD_SIZE])):
            continue
        try:
            dataset = opened(bound(source, store), store, path.name, Owner("contract", chunk_cache(0)))
            for image in dataset.images.values():
                level = image.levels[-1]
                level.read(Region((0,) * len(level.shape), (1,) * len(level.shape)))
        except DiascopeError as error:
            assert path.name in str(error), f"twin {k}: {error} does not name the file"  # noqa: PT017


def broken_twins(data: bytes) -> Iterator[bytes]:
    """The file cut at several places, and with bytes of its beginning changed."""
    random = Random(2)  # noqa: S311
    for share in (0.99, 0.9, 0.5, 0.1):
        yield data[: int(len(data) * share)]
    for _ in range(BROKEN):
        twin = bytearray(data)
        for _ in range(random.randint(1, 4)):
            twin[random.randrange(min(len(twin), 400))] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
        yield bytes(twin)
