"""Where the pixels of a MetaImage lie, and how they are packed."""

from __future__ import annotations

from functools import partial

from diascope.errors import Unreadable
from diascope.sources.metaimage.header import Header
from diascope.sources.reading.beside import named_beside
from diascope.sources.reading.names.series_names import series_names
from diascope.sources.reading.packed.deflated import deflated_reader
from diascope.sources.reading.part import Part
from diascope.sources.reading.plain.number_text import NumberText, decimals
from diascope.sources.reading.plain.pieces import MOST_FILES, pieces
from diascope.sources.reading.plain.row_major import ReadBytes
from diascope.stores.store import Blob, Store

HERE = {"LOCAL", "Local", "local"}


def data_files(found: Header, path: str) -> tuple[str, ...]:
    """The paths of the files with the pixels, none where they follow the header."""
    told = found.text("ElementDataFile")
    words = told.split()
    if told in HERE:
        return ()
    if words[:1] and words[0].upper() == "LIST":
        names = found.files[: MOST_FILES + 1]
    elif "%" in told and len(words) in {3, 4}:
        names = series_names(words[0], words[1], words[2], words[3] if len(words) == 4 else "1")
    else:
        names = (told,)
    if not names:
        raise Unreadable("its header names no file with the pixels")
    return tuple(named_beside(path, name) for name in names)


def data_reader(store: Store, path: str, found: Header, blob: Blob) -> ReadBytes:
    """What reads the bytes of the pixels at any place."""
    files = data_files(found, path)
    if not files:
        return _reader(Part(blob, found.length), found, found.nbytes)
    shared = pieces(store, files, found.nbytes, partial(_reader, found=found, nbytes=found.nbytes // len(files)))
    # The first one is looked at at once, and so tells early of what cannot be.
    _reader(store.open(files[0]), found, shared.nbytes)
    return shared.read


def _reader(blob: Blob, found: Header, nbytes: int) -> ReadBytes:
    """What reads so many bytes of pixels in a file, of which nothing but them and what is skipped is there."""
    skipped = int(found.text("HeaderSize") or 0)
    if found.flag("CompressedData"):
        return deflated_reader(Part(blob, max(skipped, 0)), nbytes)
    if found.text("BinaryData") and not found.flag("BinaryData"):
        return NumberText(blob, max(skipped, 0), nbytes // found.dtype.itemsize, found.dtype, decimals).read
    first = blob.stat.size - nbytes if skipped == -1 else skipped
    if first < 0 or first + nbytes > blob.stat.size:
        raise Unreadable(f"{blob.stat.size} bytes cannot hold {nbytes} of pixels from {first} on, as the header says")
    return lambda start, stop: blob.read(first + start, first + min(stop, nbytes))
