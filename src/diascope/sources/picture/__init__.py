"""Pictures that are decoded whole: PNG, JPEG, BMP, GIF and WebP.

Pixels are as stored: indices of a palette stay indices, CMYK stays four inks, and an EXIF orientation is told under
``metadata.extra`` and not applied. A resolution of print is no size of a pixel.
"""

from __future__ import annotations

from diascope.errors import Unreadable
from diascope.image.axes import axes_named
from diascope.image.image import Image
from diascope.image.metadata import Metadata
from diascope.sources.dataset import Dataset
from diascope.sources.picture.formats import reader_of
from diascope.sources.reading.names.stem import stem
from diascope.sources.reading.pictures.decoded import decoded_level
from diascope.sources.reading.pictures.indexed import indexed
from diascope.sources.reading.pictures.picture_header import Picture, described
from diascope.sources.source import HEAD_SIZE, Head, Source
from diascope.stores.store import Store

SUFFIXES = (
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".dib", ".gif", ".webp",
)  # fmt: skip


def _matches(head: Head) -> bool:
    return reader_of(head.first) is not None


def _open(store: Store, path: str) -> Dataset:
    blob = store.open(path)
    reader = reader_of(blob.read(0, HEAD_SIZE))
    if reader is None:
        raise Unreadable("it begins like none of the formats PNG, JPEG, BMP, GIF and WebP")
    name = stem(path, SUFFIXES)
    return Dataset(version=blob.stat.version, images={name: _image(reader(blob), name)}, files=(path,))


def _image(picture: Picture, name: str) -> Image:
    dtype, samples = picture.samples
    axes = ("t" if picture.frames > 1 else "") + ("c" if samples > 1 else "") + "yx"
    description, acquired, extra = described(picture)
    palette = extra.pop("palette", ())
    image = Image(
        name=name,
        kind="rgb" if picture.is_rgb else "intensity",
        axes=axes_named(axes),
        levels=(decoded_level(picture.shape, dtype, picture.decode, frames=picture.frames),),
        channels=picture.channels,
        metadata=Metadata(
            format=picture.format, description=description, acquired=acquired, icc=picture.icc, extra=extra
        ),
    )
    return indexed(image, palette)


source = Source(
    name="picture",
    title="PNG, JPEG, BMP, GIF, WebP",
    suffixes=SUFFIXES,
    matches=_matches,
    open=_open,
    library="Pillow, imagecodecs",
    modules=("PIL", "imagecodecs"),
    supports="1 to 16 bits, palettes, inks, animations, ICC profiles",
)
