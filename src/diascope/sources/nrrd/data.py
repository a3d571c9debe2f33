"""Where the pixels of an NRRD file lie, and how they are packed.

https://teem.sourceforge.net/nrrd/format.html: section 8 on detached headers, the fields encoding, line skip, byte skip.
"""

from __future__ import annotations

from functools import partial

from diascope.errors import Unreadable
from diascope.sources.nrrd.header import Header
from diascope.sources.reading.beside import named_beside
from diascope.sources.reading.names.series_names import series_names
from diascope.sources.reading.packed.bunzipped import Bunzipped
from diascope.sources.reading.packed.inflated import Inflated
from diascope.sources.reading.part import Part
from diascope.sources.reading.plain.number_text import NumberText, decimals, hexadecimals
from diascope.sources.reading.plain.pieces import MOST_FILES, pieces
from diascope.sources.reading.plain.row_major import ReadBytes
from diascope.stores.store import Blob, Store

RAW, TEXT, HEX = {"raw"}, {"txt", "text", "ascii"}, {"hex"}
GZIP, BZIP2 = {"gz", "gzip"}, {"bz2", "bzip2"}

MOST_LINES = 1 << 16
LINES = 1 << 16


def data_files(found: Header, path: str) -> tuple[str, ...]:
    """The paths of the files with the pixels, none where they follow the header."""
    told = found.field("datafile").split()
    if not told:
        return ()
    if told[0].upper() == "LIST":
        names: tuple[str, ...] = found.files[: MOST_FILES + 1]
    elif "%" in told[0] and len(told) in {4, 5}:
        names = series_names(told[0], *told[1:4])
    else:
        names = (found.field("datafile"),)
    if not names:
        raise Unreadable("its header names no file with the pixels")
    return tuple(named_beside(path, name) for name in names)


def data_reader(store: Store, path: str, found: Header, blob: Blob) -> ReadBytes:
    """What reads the bytes of the pixels at any place."""
    files = data_files(found, path)
    if not files:
        return _reader(Part(blob, found.length), found, found.nbytes)
    shared = pieces(store, files, found.nbytes, partial(_piece, found=found, nbytes=found.nbytes // len(files)))
    # The first one is looked at at once, and so tells early of what cannot be.
    shared.read(0, 0)
    _piece(store.open(files[0]), found, shared.nbytes)
    return shared.read


def _piece(blob: Blob, found: Header, nbytes: int) -> ReadBytes:
    return _reader(blob, found, nbytes)


def _reader(blob: Blob, found: Header, nbytes: int) -> ReadBytes:
    """What reads so many bytes of pixels in a file, of which nothing but them and what is skipped is there."""
    encoding = found.field("encoding").lower()
    lines, skipped = (_skip(found, name) for name in ("lineskip", "byteskip"))
    if skipped < 0 and encoding not in RAW:
        raise Unreadable("only raw pixels can be told to lie at the end of a file")
    if encoding in RAW and skipped < 0:
        return _raw(blob, blob.stat.size - nbytes, nbytes)
    first = _after_lines(blob, lines)
    if encoding in RAW:
        return _raw(blob, first + skipped, nbytes)
    if encoding in GZIP | BZIP2:
        inside = (Inflated if encoding in GZIP else Bunzipped)(Part(blob, first), skipped + nbytes)
        return lambda start, stop: inside.read(start + skipped, stop + skipped)
    if encoding in TEXT | HEX:
        count = nbytes // found.dtype.itemsize
        decode = decimals if encoding in TEXT else hexadecimals
        return NumberText(blob, first + skipped, count, found.dtype, decode).read
    raise Unreadable(f"pixels of the encoding {encoding!r} are not supported")


def _raw(blob: Blob, first: int, nbytes: int) -> ReadBytes:
    if first < 0 or first + nbytes > blob.stat.size:
        raise Unreadable(f"{blob.stat.size} bytes cannot hold {nbytes} of pixels from {first} on, as the header says")
    return lambda start, stop: blob.read(first + start, first + min(stop, nbytes))


def _skip(found: Header, name: str) -> int:
    text = found.field(name, "0")
    try:
        value = int(text)
    except ValueError:
        value = -2
    if value < -1 or (value < 0 and name == "lineskip"):
        raise Unreadable(f"{text!r} is nothing to skip")
    return value


def _after_lines(blob: Blob, lines: int) -> int:
    """The place behind so many lines."""
    if lines > MOST_LINES:
        raise Unreadable(f"{lines} lines to skip are over the limit of {MOST_LINES}")
    at = 0
    while lines and (data := blob.read(at, at + LINES)):
        ends = [k for k, byte in enumerate(data) if byte == ord("\n")][:lines]
        lines -= len(ends)
        at += len(data) if lines else ends[-1] + 1
    return at
