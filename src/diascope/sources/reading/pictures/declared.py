"""How large an image says it is in the first bytes of its codestream.

JPEG (ITU-T T.81, B.2.2) and JPEG-LS (T.87, C.2.2): FF SOFn, length:2, precision:1, rows:2, columns:2.
JPEG 2000 (T.800, A.5.1): FF4F FF51, length:2, capabilities:2, columns:4, rows:4, column of origin:4, row of origin:4,
tile:16, components:2.
PNG (https://www.w3.org/TR/png-3/#11IHDR): signature:8, length:4, "IHDR", columns:4, rows:4.
JPEG XR (T.832, 8.3): "WMPHOTO" 0, flags:4 of which bit 7 of the third says that sizes are short,
columns - 1:2 or 4, rows - 1:2 or 4. Entry BCC0 of the directory, which is like one of TIFF, tells where (Annex A).
"""

from __future__ import annotations

from struct import unpack_from

JPEG = b"\xff\xd8"
JPEG_2000 = b"\xff\x4f\xff\x51"
PNG = b"\x89PNG\r\n\x1a\n"
JPEG_XR = b"II\xbc\x01"
JPEG_XR_STREAM = b"WMPHOTO\0"
IMAGE_OFFSET = b"\xc0\xbc"

FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame header; C4, C8 and CC are tables and an extension."""

START_OF_SCAN = 0xDA
FILLING = 0xFF
ALONE = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})
"""Markers that no length follows."""

COLOURS = 4
BOXES = 4096
"""Bytes in which the codestream of a JP2 file begins."""


def declared_pixels(data: bytes) -> int:
    """The rows times the columns, 0 where the bytes do not tell; as many times more as it has sets of four colours."""
    if data.startswith(JPEG):
        return _jpeg(data)
    if data.startswith(PNG) and len(data) >= 24:
        columns, rows = unpack_from(">II", data, 16)
        return int(columns * rows)
    if data.startswith(JPEG_XR):
        return _jpeg_xr(data)
    at = data.find(JPEG_2000, 0, BOXES)
    if at >= 0 and len(data) >= at + 42:
        columns, rows, column, row = unpack_from(">IIII", data, at + 8)
        (components,) = unpack_from(">H", data, at + 40)
        pixels = max(0, columns - column) * max(0, rows - row)
        return int(pixels) * -(-int(components) // COLOURS)
    return 0


def _jpeg(data: bytes) -> int:
    """Of the first frame; what stands between segments is skipped, as decoders do."""
    at = len(JPEG)
    while (at := data.find(b"\xff", at)) >= 0 and at + 9 <= len(data):
        marker = data[at + 1]
        if marker in FRAMES:
            rows, columns = unpack_from(">HH", data, at + 5)
            return int(rows * columns)
        if marker == START_OF_SCAN:
            break
        if marker == FILLING:
            at += 1
        elif marker in ALONE:
            at += 2
        else:
            at += 2 + max(2, int(unpack_from(">H", data, at + 2)[0]))
    return 0


def _jpeg_xr(data: bytes) -> int:
    """The pixels of the stream itself, which its decoder believes more than the directory."""
    directory = int.from_bytes(data[4:8], "little")
    count = int.from_bytes(data[directory : directory + 2], "little")
    entries = (data[at : at + 12] for at in range(directory + 2, directory + 2 + 12 * count, 12))
    at = next((int.from_bytes(entry[8:12], "little") for entry in entries if entry[:2] == IMAGE_OFFSET), 0)
    if data[at : at + 8] != JPEG_XR_STREAM or len(data) < at + 20:
        return 0
    is_short = data[at + 10] & 0x80
    columns, rows = unpack_from(">HH" if is_short else ">II", data, at + 12)
    return int((columns + 1) * (rows + 1))
