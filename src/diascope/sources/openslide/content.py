"""The images of a slide: its levels as they are stored, and the pictures beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

import numpy as np

from diascope.errors import Changed, Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.level import Level, Pixels
from diascope.image.metadata import LARGEST_PROFILE, Metadata
from diascope.image.region import Ints, Region, chunk_region, touched
from diascope.optional import library
from diascope.sources.dataset import Dataset, Lazily
from diascope.sources.openslide.companions import companions, version
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.numbers import positive
from diascope.sources.reading.pictures.decoded import check_size, decoded_level
from diascope.stores.local_file import LocalFile, local_file
from diascope.stores.store import Store

SUFFIXES = (".mrxs", ".vms", ".vmu", ".svslide", ".bif")

COLOURS = 3
VENDORS = {
    ".mrxs": {"mirax"},
    ".vms": {"hamamatsu"},
    ".vmu": {"hamamatsu"},
    ".svslide": {"sakura"},
    ".bif": {"ventana", "generic-tiff"},
}
"""What OpenSlide may take a file of a name for, which itself looks at what is in it."""

CHUNK = 256
"""The side of a chunk where tiles are of no even size, about what it is where they are."""
LARGEST_TILE = 2048

UNIT = "micrometer"
SAFE = re.compile(r"[\w-]+( [\w-]+)*")
TITLES = {"mirax": "MIRAX", "hamamatsu": "Hamamatsu", "sakura": "Sakura", "ventana": "Ventana BIF"}
TOLD = ("openslide.vendor", "openslide.quickhash-1", "openslide.background-color", "mirax.GENERAL.SLIDE_VERSION")
BOUNDS = tuple(f"openslide.bounds-{side}" for side in ("x", "y", "width", "height"))


@dataclass(eq=False)
class Slide:
    """A slide that OpenSlide has opened, read by many threads; opened anew after an error, which it never forgives."""

    local: LocalFile
    files: tuple[str, ...]
    """Where all of its files lie here."""
    seen: tuple[tuple[int, int], ...] = ()
    _handle: Any = None
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.seen = self._looked()

    def _looked(self) -> tuple[tuple[int, int], ...]:
        """OpenSlide opens its files again and again: what they were is remembered."""
        stats = (os.stat(file) for file in self.files)  # noqa: PTH116
        return tuple((stat.st_mtime_ns, stat.st_size) for stat in stats)

    def handle(self) -> Any:
        with self._lock:
            if self._handle is None:
                slides = library("openslide", "slides")
                self._check(slides.OpenSlide.detect_format(self.local.path))
                self._handle = slides.OpenSlide(self.local.path)
            return self._handle

    def _check(self, vendor: str | None) -> None:
        """Raise Unreadable where OpenSlide would read it as a format whose other files have not been looked at."""
        suffix = self.local.path.suffix.lower()
        if vendor is not None and vendor not in VENDORS.get(suffix, {vendor}):
            raise Unreadable(f"a file that ends in {suffix} is none of the format {vendor}")

    def read(self, what: Callable[[Any], Any]) -> Any:
        """What a function reads of the open slide; raises Changed where a file has changed since."""
        handle = self.handle()
        try:
            found = what(handle)
        except library("openslide", "slides").OpenSlideError as error:
            with self._lock:
                if self._handle is handle:
                    self._handle = None
            raise Unreadable(str(error)) from error
        if self._looked() != self.seen:
            raise Changed("a file of the slide has changed since it was opened")
        return found


def opened(store: Store, path: str) -> Dataset:
    """The slide and its pictures, whatever format OpenSlide takes it for."""
    others = companions(store, path)
    fingerprint = version(store, path)
    local = local_file(store, path, *others)
    here = local.path.parent
    base = path.rpartition("/")[0]
    inside = [os.path.relpath(each, base or ".") for each in others]
    slide = Slide(local, (os.fspath(local.path), *(os.fspath(here / each) for each in inside)))
    name = stem(path, SUFFIXES)
    said = dict(slide.handle().properties)
    pictures = [each for each in _pictures(said) if SAFE.fullmatch(each)]
    return Dataset(
        version=fingerprint,
        images={name: _image(name, slide, said)},
        associated=Lazily(pictures, lambda each: _picture(each, slide, said)),
        files=(path, *others),
    )


def _pictures(said: Mapping[str, str]) -> Iterable[str]:
    found = (re.fullmatch(r"openslide\.associated\.(.+)\.width", key) for key in said)
    return sorted(match[1] for match in found if match)


def _image(name: str, slide: Slide, said: Mapping[str, str]) -> Image:
    mpp = [positive(said.get(f"openslide.mpp-{axis}")) for axis in "yx"]
    distances = (mpp[0], mpp[1]) if mpp[0] and mpp[1] else None
    handle = slide.handle()
    downsamples = handle.level_downsamples
    levels = [
        _level(slide, k, (height, width), downsamples[k], distances or (1.0, 1.0), said)
        for k, (width, height) in enumerate(handle.level_dimensions)
    ]
    return Image(
        name=name,
        kind="rgb",
        axes=axes_named("cyx", dict.fromkeys("yx", UNIT) if distances else {}),
        levels=tuple(levels),
        metadata=_metadata(said, _profile(handle)),
    )


def _level(  # noqa: PLR0913, PLR0917
    slide: Slide, k: int, size: tuple[int, int], factor: float, mpp: tuple[float, float], said: Mapping[str, str]
) -> Level:
    shape = (COLOURS, *size)
    chunk = (COLOURS, *(_chunk(said, k, side, n) for side, n in zip(("height", "width"), size, strict=True)))
    background = _background(said)

    def cell(index: Ints) -> tuple[Region, Pixels]:
        """Always whole cells of one grid: between the pixels of level 0 the same place may be rounded differently."""
        box = chunk_region(index, chunk).clipped(shape)
        return box, _read(slide, k, factor, box, background)

    # It must not refer to the level, and so to itself: the slide's files are closed when nobody holds it.
    def read_pixels(region: Region) -> Pixels:
        cells = list(touched(region, chunk))
        if len(cells) == 1:
            box, pixels = cell(cells[0])
            return pixels[region.shifted(box.start).slices]
        out = np.empty(region.shape, np.uint8)
        for box, pixels in map(cell, cells):
            both = box.intersection(region)
            out[both.shifted(region.start).slices] = pixels[both.shifted(box.start).slices]
        return out

    return Level(
        shape=shape,
        dtype=np.dtype(np.uint8),
        chunk_shape=chunk,
        scale=(1.0, *(step * factor for step in mpp)),
        translation=(0.0, *(step * (factor - 1) / 2 for step in mpp)),
        read_pixels=read_pixels,
    )


def _chunk(said: Mapping[str, str], k: int, side: str, size: int) -> int:
    """A few tiles, where all of them are of one size."""
    tile = positive(said.get(f"openslide.level[{k}].tile-{side}"))
    if not tile or not 0 < tile <= LARGEST_TILE:
        return min(CHUNK, size)
    return min(int(tile) * max(CHUNK // int(tile), 1), size)


def _read(slide: Slide, k: int, factor: float, box: Region, background: Any) -> Pixels:
    (_, top, left), (_, height, width) = box.start, box.shape
    place = (round(left * factor), round(top * factor))
    picture = slide.read(lambda handle: handle.read_region(place, k, (width, height)))
    return np.moveaxis(opaque(picture, background), -1, 0)


def opaque(picture: Any, background: Any) -> Pixels:
    """RGB of Pillow's RGBA over a background: nothing is scanned where a pixel is transparent."""
    # Pillow itself takes bands apart faster than it gives all of them to an array.
    if np.frombuffer(picture.tobytes("raw", "A"), np.uint8).min(initial=255) == 255:
        colours = np.frombuffer(picture.tobytes("raw", "RGB"), np.uint8)
        return colours.reshape(picture.height, picture.width, COLOURS)
    pixels = np.asarray(picture)
    alpha = pixels[..., 3:].astype(np.uint16)
    mixed: Pixels = (pixels[..., :COLOURS] * alpha + background * (255 - alpha) + 127) // 255
    return mixed.astype(np.uint8)


def _background(said: Mapping[str, str]) -> Any:
    """The colour that the file gives, else white."""
    text = said.get("openslide.background-color", "")
    return np.frombuffer(bytes.fromhex(text if re.fullmatch(r"[0-9A-Fa-f]{6}", text) else "FFFFFF"), np.uint8)


def _picture(name: str, slide: Slide, said: Mapping[str, str]) -> Image:
    sizes = [int(said.get(f"openslide.associated.{name}.{side}", "0")) for side in ("height", "width")]
    shape = (sizes[0], sizes[1], COLOURS)
    check_size(shape)
    white = np.full(3, 255, np.uint8)

    def decode(_: int) -> Pixels:
        return opaque(slide.read(lambda handle: handle.associated_images[name]), white)

    return Image(
        name=name,
        kind="rgb",
        axes=axes_named("cyx"),
        levels=(decoded_level(shape, np.dtype(np.uint8), decode),),
        metadata=Metadata(format=_title(said)),
    )


def _metadata(said: Mapping[str, str], profile: bytes | None) -> Metadata:
    """Without the names that laboratories give slides, which may be those of patients."""
    extra: dict[str, Any] = {key: said[key] for key in (*TOLD, *BOUNDS) if key in said}
    return Metadata(
        format=_title(said),
        acquired=_acquired(said),
        magnification=positive(said.get("openslide.objective-power")),
        objective=said.get("mirax.GENERAL.OBJECTIVE_NAME", ""),
        instrument=said.get("mirax.NONHIERLAYER_0_SECTION.SCANNER_HARDWARE_VERSION", ""),
        icc=profile,
        extra=extra,
    )


def _title(said: Mapping[str, str]) -> str:
    vendor = said.get("openslide.vendor", "")
    return TITLES.get(vendor, f"OpenSlide {vendor}")


def _acquired(said: Mapping[str, str]) -> str | None:
    """MIRAX writes ``31/12/2009 23:59:59``."""
    text = said.get("mirax.GENERAL.SLIDE_CREATIONDATETIME", "")
    try:
        return datetime.strptime(text, "%d/%m/%Y %H:%M:%S").isoformat()  # noqa: DTZ007 - scanners write local time
    except ValueError:
        return None


def _profile(handle: Any) -> bytes | None:
    found = handle.color_profile
    data = found.tobytes() if found is not None else b""
    return data if 0 < len(data) <= LARGEST_PROFILE else None
