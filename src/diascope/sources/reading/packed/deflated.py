"""A zlib stream (RFC 1950) read at any place, as the gzip file that it is nearly.

::

    zlib   78 9c          deflate …  adler-32
    gzip   1f 8b 08 00 …  deflate …  crc-32  length
"""

from __future__ import annotations

from diascope.errors import Unreadable
from diascope.sources.reading.packed.inflated import MAGIC as GZIP
from diascope.sources.reading.packed.inflated import Inflated
from diascope.sources.reading.part import Part
from diascope.sources.reading.plain.row_major import ReadBytes
from diascope.stores.store import Blob

DEFLATE = 8
HEADER_SIZE = 2
BEGINNING = GZIP + bytes([DEFLATE, 0, 0, 0, 0, 0, 0, 255])


def deflated_reader(blob: Blob, size: int) -> ReadBytes:
    """What reads the bytes in a zlib stream or in a gzip file, up to ``size``; zlib's checksum is not looked at."""
    first = blob.read(0, HEADER_SIZE)
    if first == GZIP:
        return Inflated(blob, size).read
    if len(first) < HEADER_SIZE or first[0] & 15 != DEFLATE or int.from_bytes(first, "big") % 31 or first[1] & 32:
        raise Unreadable("the packed pixels do not begin as zlib does")
    # Behind the stream stand the zeros of a checksum that is not looked at.
    return Inflated(Part(blob, HEADER_SIZE, BEGINNING, bytes(8)), size, is_checked=False).read
